import { errorFacts } from '../error-facts.ts'
import type { Log } from '../log.ts'
import { siblingDb } from '../store/db.ts'
import { takeSweep } from '../store/queues/sweep.ts'
import type { StoreDeps } from '../store/tx.ts'

export type SweepOptions = {
  store: StoreDeps
  /** Milliseconds between two runs, counted over all processes. */
  every: number
  name: string
  run: () => Promise<unknown>
  log: Log
  /** How often this process looks whether it is due; a quarter of `every` at most. */
  lookMs?: number
}

export type Sweeps = { stop(): Promise<void> }

/** Runs a sweep every so often in one process at a time, on a row lock that a killed process frees. A run that throws is logged and repeated next time. */
export const startSweeps = (o: SweepOptions): Sweeps => {
  const pool = siblingDb(o.store.db, 1)
  let timer: NodeJS.Timeout | undefined
  let stopped = false
  const look = async () => {
    try {
      await takeSweep(o.store, pool, o.name, o.every, o.run)
    } catch (err) {
      o.log.error({ err: errorFacts(err), sweep: o.name }, 'a sweep broke down')
    }
  }
  let last = Promise.resolve()
  const next = () => {
    if (stopped) return
    last = look().then(() => {
      timer = setTimeout(next, o.lookMs ?? Math.min(o.every / 4, 60_000))
    })
  }
  next()
  return {
    stop: async () => {
      stopped = true
      await last
      clearTimeout(timer)
      await pool.destroy()
    },
  }
}
