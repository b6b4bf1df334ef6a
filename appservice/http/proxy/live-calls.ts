import type { SessionId } from '../../../core/domain/ids.ts'

/** Long polls under way, so that a session that ends here ends its open calls at once; another process finds out when its poll returns. */
export type LiveCalls = {
  /** A signal for one call; `done` forgets it. */
  open(session: SessionId): { signal: AbortSignal; abort(): void; done(): void }
  end(session: SessionId): void
}

export const liveCalls = (): LiveCalls => {
  const calls = new Map<SessionId, Set<AbortController>>()
  return {
    open: session => {
      const controller = new AbortController()
      const own = calls.get(session) ?? new Set()
      calls.set(session, own.add(controller))
      return {
        signal: controller.signal,
        abort: () => controller.abort(),
        done: () => {
          own.delete(controller)
          if (own.size === 0 && calls.get(session) === own) calls.delete(session)
        },
      }
    },
    end: session => {
      for (const controller of calls.get(session) ?? []) controller.abort()
    },
  }
}
