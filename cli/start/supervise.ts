import { setTimeout as pause } from 'node:timers/promises'
import type { Exit } from '../stack/child.ts'

/** A part that was started and can end by itself. */
export type Running = { pid: number; exited: Promise<Exit>; stop(): Promise<void> }

/** A part that is started again whenever it ends. */
export type Supervised = { readonly name: string; stop(): Promise<void> }

type Options<T extends Running> = {
  name: string
  launch: () => Promise<T>
  log: (line: string) => void
  /** Called for the first start and every later one. */
  onStart?: (running: T) => void
}

const firstDelayMs = 500
const longestDelayMs = 30_000
/** A part that ran this long is taken for well: the next delay is short again. */
const healthyMs = 60_000

/** The wait before the next start after `failures` quick ends in a row: 0.5 s, doubled each time, at most 30 s. */
export const backOffMs = (failures: number): number =>
  Math.min(longestDelayMs, firstDelayMs * 2 ** Math.max(0, failures - 1))

/** Starts a part and keeps it running. Throws when the very first start fails; later failures are logged and tried again. */
export const supervise = async <T extends Running>({ name, launch, log, onStart }: Options<T>): Promise<Supervised> => {
  const stopping = new AbortController()
  let current: T | undefined = await launch()
  onStart?.(current)
  const watch = async () => {
    let failures = 0
    let begin = performance.now()
    while (!stopping.signal.aborted) {
      if (current) {
        const { code, signal } = await current.exited
        current = undefined
        if (stopping.signal.aborted) return
        if (performance.now() - begin > healthyMs) failures = 0
        failures += 1
        log(`${name} ended by itself (${signal ?? `code ${code}`}); started again in ${backOffMs(failures) / 1000} s`)
      }
      await pause(backOffMs(failures), undefined, { signal: stopping.signal }).catch(() => undefined)
      if (stopping.signal.aborted) return
      begin = performance.now()
      try {
        current = await launch()
        onStart?.(current)
      } catch (error) {
        failures += 1
        log(`${name} did not start: ${(error as Error).message}`)
      }
    }
  }
  const watching = watch()
  return {
    name,
    stop: async () => {
      stopping.abort()
      await current?.stop()
      await watching
      await current?.stop() // one that was being started meanwhile
    },
  }
}
