import { hours, type Instant, minutes } from '../clock.ts'

/** When a ghost's dehydrated device is replaced: rarely, because every replacement is a risk, and never while somebody reads or writes. */
export const renewalRules = {
  /** To-device events that wait for the device; each costs the patient's telephone about 2 ms at every visit. */
  waiting: 300,
  /** Nobody wrote in the room for so long. */
  quietMs: minutes(10),
  lookEveryMs: hours(24),
  /** After a look that found work which has to wait, or an attempt that failed. */
  againMs: minutes(10),
}

export type RenewalFacts = {
  /** Null: the ghost has no dehydrated device at all. */
  waiting: number | null
  sessionOpen: boolean
  wroteAt: Instant | null
}

/** `enough`: nothing to do until the next look; `later`: due, but the room is not quiet. A ghost without a device gets one at once. */
export const renewalStep = (f: RenewalFacts, now: Instant): 'renew' | 'later' | 'enough' => {
  if (f.waiting !== null && f.waiting < renewalRules.waiting) return 'enough'
  if (f.sessionOpen) return 'later'
  if (f.waiting === null) return 'renew'
  return f.wroteAt !== null && now - f.wroteAt < renewalRules.quietMs ? 'later' : 'renew'
}
