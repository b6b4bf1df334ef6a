import { readFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { clockStep, type Reading } from '../../domain/oncall/paging/timeline.ts'
import { errorFacts, isOutage } from '../../error-facts.ts'
import type { Log } from '../../log.ts'
import { type Dispatcher, startDispatcher } from '../../queues/dispatcher.ts'
import { settleClock } from '../../store/oncall/page-clock.ts'
import { duePages } from '../../store/oncall/pages.ts'
import { type StoreDeps, transact } from '../../store/tx.ts'
import type { Duty } from './duty.ts'
import { advancePages } from './engine.ts'

export type PagerOptions = {
  store: StoreDeps
  duty: Duty
  log: Log
  /** How often due pages are looked for (200 ms). */
  pollMs?: number
  /** Transactions at the same time (3); each takes a handful of pages and holds a connection for some milliseconds. */
  concurrency?: number
  /** A clock that nobody sets, ms since the machine started; a test that moves the time moves it too. */
  monotonic?: () => number
  host?: string
}

/** Since the machine started, its sleep included, so that waking up is no step of the clock; the same for every process of the machine. */
const sinceBoot = (): number => {
  try {
    return Number(readFileSync('/proc/uptime', 'utf8').split(' ')[0]) * 1000
  } catch {
    return Number(process.hrtime.bigint() / 1_000_000n)
  }
}

/** One boot of this machine, where Linux says so. */
const thisBoot = (): string => {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()
  } catch {
    return hostname()
  }
}

/** Pages a transaction takes where many are due. */
const handful = 25

/** How long the clock's note is left alone where nothing seems to have happened. */
const noteEveryMs = 30_000

/**
 * The pages' timer: takes what is due, a handful a transaction, under row locks, so that every process may run one and a killed one leaves nothing behind.
 * Before it looks for pages it looks at the clock: a step is taken out of all of them first.
 */
export const startPager = (o: PagerOptions): Dispatcher => {
  const { store, duty, log } = o
  const monotonic = o.monotonic ?? sinceBoot
  const host = o.host ?? thisBoot()
  let seen: (Reading & { noted: number }) | undefined
  const look = async () => {
    const reading = { wall: store.clock.now(), monotonic: monotonic() }
    const step = seen ? clockStep(seen, reading) : 0
    if (!seen || step !== 0 || reading.monotonic - seen.noted >= noteEveryMs) {
      const by = await transact(store, tx => settleClock(tx, { host, ...reading }))
      if (by !== 0) log.warn({ by }, 'the clock was set; open pages were moved with it')
      seen = { ...reading, noted: reading.monotonic }
    } else seen = { ...reading, noted: seen.noted }
  }
  const split = (key: string) => key.split(' ')
  return startDispatcher({
    concurrency: o.concurrency ?? 3,
    pollMs: o.pollMs ?? 200,
    find: async (busy, limit) => {
      await look()
      const due = await duePages(store, busy.flatMap(split), limit * handful)
      const size = Math.ceil(due.length / limit)
      return Array.from({ length: Math.min(limit, due.length) }, (_, i) => due.slice(i * size, (i + 1) * size))
        .filter(ids => ids.length > 0)
        .map(ids => ({ key: ids.join(' ') }))
    },
    run: async key => {
      const ids = split(key)
      const advance = (some: readonly string[]) => transact(store, tx => advancePages(tx, duty, some))
      if (ids.length === 1) return (await advance(ids)) > 0
      try {
        return (await advance(ids)) > 0
      } catch (err) {
        if (isOutage(err)) throw err
        log.error({ err: errorFacts(err), pages: ids.length }, 'pages broke down together; each goes on by itself')
        const alone = await Promise.allSettled(ids.map(id => advance([id])))
        const bad = alone.find(r => r.status === 'rejected')
        if (bad) throw bad.reason
        return true
      }
    },
    log,
  })
}
