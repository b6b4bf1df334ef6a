import { setTimeout as pause } from 'node:timers/promises'
import { Explained } from '../command.ts'

type Waiting = {
  what: string
  timeoutMs: number
  everyMs?: number /** Throws to give up early, for instance because the program has ended. */
  check?: () => void
}

/** Polls `ready` until it resolves to a value other than undefined, and gives that value; throws a sentence naming `what` after `timeoutMs`. */
export const waitUntil = async <T>(ready: () => Promise<T | undefined>, waiting: Waiting): Promise<T> => {
  const end = performance.now() + waiting.timeoutMs
  let last: unknown
  for (;;) {
    waiting.check?.()
    const value = await ready().catch(error => {
      last = error
      return undefined
    })
    if (value !== undefined) return value
    if (performance.now() > end)
      throw new Explained(`${waiting.what} was not ready after ${Math.round(waiting.timeoutMs / 1000)} s.`, {
        cause: last,
      })
    await pause(waiting.everyMs ?? 30)
  }
}
