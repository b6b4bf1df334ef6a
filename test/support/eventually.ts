import { setTimeout as pause } from 'node:timers/promises'

type Eventually = { timeout?: number; interval?: number; what?: string | (() => string | Promise<string>) }

const slowest = 100

/** Calls `fn` until it neither throws nor gives false or undefined, and gives its value; after `timeout` ms (30 s) throws, naming `what` (also what is asked for only then), with the last error as cause. */
export const eventually = async <T>(
  fn: () => T | Promise<T>,
  { timeout = 30_000, interval = 25, what = 'the condition' }: Eventually = {},
): Promise<Exclude<T, false | undefined>> => {
  const end = performance.now() + timeout
  let last: unknown
  let wait = interval
  for (;;) {
    try {
      const value = await fn()
      if (value !== false && value !== undefined) return value as Exclude<T, false | undefined>
      last = undefined
    } catch (error) {
      last = error
    }
    if (performance.now() > end) {
      const reason = last instanceof Error ? `: ${last.message}` : ''
      const name = typeof what === 'string' ? what : await what()
      throw new Error(`${name} did not come true within ${timeout} ms${reason}`, { cause: last })
    }
    await pause(wait)
    // What takes long is asked for less often: the questions cost what they wait for its processor time.
    wait = Math.min(wait * 1.2, Math.max(interval, slowest))
  }
}
