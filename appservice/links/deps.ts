import type { Limit } from '../../core/store/links/rate-limits.ts'
import type { StoreDeps } from '../../core/store/tx.ts'

/** Rate limits by what they protect; the buckets are in the database and survive a restart. */
export type LinkLimits = {
  /** Taps and answers from one address (a clinic's Wi-Fi is one address). */
  address: Limit
  /** Taps and answers of one link. */
  link: Limit
  /** Texts that one person can be sent through the page. */
  newLink: Limit
  code: Limit
  /** "This isn't me" and "stop" of one link. */
  report: Limit
}

export const defaultLimits: LinkLimits = {
  address: { burst: 600, everyMs: 100 },
  link: { burst: 30, everyMs: 60_000 },
  newLink: { burst: 3, everyMs: 1_200_000 },
  code: { burst: 3, everyMs: 600_000 },
  report: { burst: 3, everyMs: 600_000 },
}

export type LinkDeps = { store: StoreDeps; publicUrl: string; limits: LinkLimits }

/** What is known of the browser that asks. */
export type Browser = { ip: string; agent?: string; binding?: string; cookie?: string }

export const originOf = (b: Browser) => ({ ip: b.ip, ...(b.agent ? { agent: b.agent.slice(0, 200) } : {}) })

/** The actor before anybody is known. */
export const anonymous = { kind: 'anonymous', id: 'browser' } as const
