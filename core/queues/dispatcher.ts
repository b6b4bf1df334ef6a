import { errorFacts, isOutage } from '../error-facts.ts'
import type { Log } from '../log.ts'

export type Dispatcher = {
  /** Look for work now instead of at the next poll. */
  poke(): void
  running(): number
  /** Takes nothing new and waits for what runs. */
  stop(): Promise<void>
}

export type DispatcherOptions = {
  concurrency: number
  pollMs?: number
  /** Up to `limit` things to do whose key is not in `busy`. */
  find(busy: readonly string[], limit: number): Promise<{ key: string }[]>
  /** Does one; false when it could not be taken now (another process has it, or the database is away), so that it is left until the next poll. */
  run(key: string): Promise<boolean>
  log: Log
}

/** One loop that finds work, every `pollMs` (250) and when poked, and keeps at most `concurrency` pieces of different keys running. */
export const startDispatcher = (o: DispatcherOptions): Dispatcher => {
  const running = new Map<string, Promise<void>>()
  /** What could not be taken, and until when it is left alone. */
  const leftAlone = new Map<string, number>()
  const pollMs = o.pollMs ?? 250
  let stopped = false
  let poked = false
  let down = false
  let awake: (() => void) | undefined
  const poke = () => {
    poked = true
    awake?.()
  }
  const pause = () =>
    new Promise<void>(done => {
      const timer = setTimeout(done, pollMs)
      awake = () => {
        clearTimeout(timer)
        done()
      }
    })
  const start = (key: string) => {
    const work = o
      .run(key)
      .catch(err => {
        o.log[isOutage(err) ? 'warn' : 'error']({ err: errorFacts(err) }, 'a piece of due work broke down')
        return false
      })
      .then(taken => {
        running.delete(key)
        if (!taken) leftAlone.set(key, performance.now() + pollMs)
        poke()
      })
    running.set(key, work)
  }
  const look = async () => {
    const free = o.concurrency - running.size
    if (free <= 0) return
    for (const [key, until] of leftAlone) if (until <= performance.now()) leftAlone.delete(key)
    try {
      const found = await o.find([...running.keys(), ...leftAlone.keys()], free)
      for (const { key } of found) if (!stopped && !running.has(key)) start(key)
      if (down) o.log.info('due work is found again')
      down = false
    } catch (err) {
      if (!down) o.log.warn({ err: errorFacts(err) }, 'due work cannot be looked for; trying again')
      down = true
    }
  }
  const loop = (async () => {
    while (!stopped) {
      poked = false
      await look()
      if (!stopped && !poked) await pause()
      else if (down) await pause()
    }
  })()
  return {
    poke,
    running: () => running.size,
    stop: async () => {
      stopped = true
      poke()
      await loop
      await Promise.all(running.values())
    },
  }
}
