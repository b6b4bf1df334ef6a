import type { Knex } from 'knex'
import type { Alerts } from '../alerts.ts'
import { logAlerts } from '../alerts.ts'
import type { Instant } from '../domain/clock.ts'
import { errorFacts, errorReason, isOutage } from '../error-facts.ts'
import type { Log } from '../log.ts'
import type { Metrics } from '../metrics.ts'
import { siblingDb } from '../store/db.ts'
import {
  buryEvent,
  type ClosedEvent,
  claimRoom,
  countInbox,
  dueRooms,
  finishEvents,
  firstSight,
  type InboxEvent,
  type InboxSource,
  parkEvent,
  pendingInRoom,
  retryEvent,
  unparkEvents,
} from '../store/queues/inbox.ts'
import { listenTo } from '../store/queues/notify.ts'
import { type StoreDeps, type Tx, txOn } from '../store/tx.ts'
import { startDispatcher } from './dispatcher.ts'

/** What an event leads to. `apply` commits together with the event's being done: state, audit and jobs. */
export type Effects =
  | { kind: 'done'; apply?: (tx: Tx) => Promise<void> }
  | { kind: 'ignore' }
  /** It cannot be handled yet (its room key is missing): later events go on; it is handled again at a wake, and a last time (`expired`) at the first `until`. */
  | { kind: 'park'; reason: string; until: Instant }
  /** It never will be: dead, audited as `event.poison`, with what there is to say about it. */
  | { kind: 'give-up'; reason: string; apply?: (tx: Tx) => Promise<void> }

export type InboxOptions = {
  source: InboxSource
  store: StoreDeps
  /** Has no effects of its own: it reads and decides, since it may run again. Sees the effects of the room's earlier events. */
  handle: (event: InboxEvent) => Promise<Effects>
  log: Log
  alert?: Alerts
  metrics?: Metrics
  /** Rooms handled at the same time (4); each holds a connection. */
  concurrency?: number
  /** How often the table is looked at without having been notified (250). */
  pollMs?: number
  /** Of encrypted events with the same ciphertext the first alone has effects; the others are given up as replayed: who writes here is obeyed. */
  refuseReplays?: boolean
  /** Tries before an event is poison (6), with a doubling back-off from 250 ms. Outages of a peer do not count. */
  maxAttempts?: number
}

export type Inbox = {
  stop(): Promise<void>
  /** Parked events of a room (or all) are handled again: a key has come. */
  wake(roomId?: string): Promise<void>
  /** Resolves when nothing is running or due. */
  idle(): Promise<void>
}

const batch = 20
const holdMs = 50
const outageRetryMs = 2000

/**
 * Handles the inbox of one source: every room strictly in order, one worker a room across all processes (an advisory lock that a killed process frees),
 * an event's effects, audit and `done_at` in one transaction. A poison event is given up after some tries and the room goes on; other rooms never wait.
 */
export const startInbox = async (o: InboxOptions): Promise<Inbox> => {
  const { source, store, log } = o
  const concurrency = o.concurrency ?? 4
  const maxAttempts = o.maxAttempts ?? 6
  const alert = o.alert ?? logAlerts(log)
  const pool = siblingDb(store.db, concurrency)
  const wakes = new Map<string, number>()
  const wakesOf = (room: string) => `${wakes.get('') ?? 0} ${wakes.get(room) ?? 0}`
  let lastUnpark = 0

  const bury = async (sql: Knex.Transaction, event: ClosedEvent, reason: string, apply?: (tx: Tx) => Promise<void>) => {
    const tx = txOn(store, sql)
    await apply?.(tx)
    await buryEvent(tx, event, reason)
    const sentence = 'an event was given up; its room goes on without it'
    return () => alert({ code: 'event.poison', ref: event.eventId, sentence })
  }

  const failed = async (sql: Knex.Transaction, event: ClosedEvent, err: unknown) => {
    const now = store.clock.now()
    const reason = errorReason(err)
    log.warn(
      { err: errorFacts(err), eventId: event.eventId, attempts: event.attempts },
      'an event could not be handled',
    )
    if (isOutage(err)) await retryEvent(sql, event.id, now + outageRetryMs, reason, 0)
    else if (event.attempts + 1 >= maxAttempts) return bury(sql, event, reason)
    else await retryEvent(sql, event.id, now + 250 * 2 ** event.attempts, reason, 1)
    return undefined
  }

  /** One event inside the room's transaction; 'ignored' may go on without a commit. */
  const one = async (sql: Knex.Transaction, event: ClosedEvent): Promise<{ result: string; after?: () => void }> => {
    const before = wakesOf(event.roomId)
    let effects: Effects
    try {
      const opened = await event.open()
      effects = await o.handle(opened)
      if (effects.kind === 'park' && event.expired) effects = { kind: 'give-up', reason: effects.reason }
      const { kind } = effects
      if (kind === 'ignore' || (kind === 'done' && !effects.apply)) return { result: 'ignored' }
      if (kind === 'park') {
        await parkEvent(sql, event.id, effects.reason, effects.until)
        // A key that came while the event was being looked at has woken nobody: look again.
        return { result: 'parked', after: () => before !== wakesOf(event.roomId) && void wake(event.roomId) }
      }
      const { apply } = effects
      const reason = kind === 'give-up' ? effects.reason : ''
      const after = await sql.transaction(async savepoint => {
        if (kind === 'give-up') return bury(savepoint, event, reason, apply)
        if (o.refuseReplays && !(await firstSight(savepoint, opened, store.clock.now())))
          return bury(savepoint, event, 'replayed')
        await apply?.(txOn(store, savepoint))
        await finishEvents(savepoint, [event.id], store.clock.now())
        return undefined
      })
      return { result: kind === 'done' ? 'done' : 'dead', after }
    } catch (err) {
      return { result: 'failed', after: await failed(sql, event, err) }
    }
  }

  /** Handles a room until nothing is due there, an effect must be committed, or it was held for 50 ms. */
  const turn = async (room: string): Promise<boolean> => {
    const sql = await pool.transaction()
    let current: ClosedEvent | undefined
    try {
      if (!(await claimRoom(sql, source, room))) {
        await sql.rollback()
        return false
      }
      const ignored: number[] = []
      const afters: (() => void)[] = []
      const end = performance.now() + holdMs
      const events = await pendingInRoom(store, sql, source, room, batch)
      for (const event of events) {
        current = event
        const { result, after } = await one(sql, event)
        o.metrics?.count('wardroom_inbox_events_total', { source, result })
        if (after) afters.push(after)
        if (result === 'ignored') ignored.push(event.id)
        if (result === 'done' || result === 'dead' || result === 'failed' || performance.now() > end) break
      }
      if (ignored.length > 0) await finishEvents(sql, ignored, store.clock.now())
      await sql.commit()
      for (const after of afters) after()
      return events.length > 0
    } catch (err) {
      await sql.rollback().catch(() => undefined) // the connection may be gone, and the transaction with it
      log.warn(
        { err: errorFacts(err), eventId: current?.eventId },
        'a room was given back; its events are handled again',
      )
      if (current && !isOutage(err)) {
        const event = current
        await store.db.transaction(async tx => (await failed(tx, event, err))?.())
      }
      return false
    }
  }

  const find = async (busy: readonly string[], limit: number) => {
    if (performance.now() - lastUnpark > 250) {
      await unparkEvents(store, source, { due: true })
      lastUnpark = performance.now()
    }
    return (await dueRooms(store, source, busy, limit)).map(key => ({ key }))
  }

  // A key may have come while no process was there to be woken.
  await unparkEvents(store, source)
  const dispatcher = startDispatcher({ concurrency, pollMs: o.pollMs, find, run: turn, log })
  const listening = await listenTo(
    store.db,
    'inbox',
    heard => (heard === source || heard === '') && dispatcher.poke(),
    log,
  )

  const wake = async (roomId?: string) => {
    wakes.set(roomId ?? '', (wakes.get(roomId ?? '') ?? 0) + 1)
    if ((await unparkEvents(store, source, { room: roomId })) > 0) dispatcher.poke()
  }
  return {
    wake,
    idle: async () => {
      while (dispatcher.running() > 0 || (await countInbox(store, source)).due > 0)
        await new Promise(done => setTimeout(done, 10))
    },
    stop: async () => {
      await listening.stop()
      await dispatcher.stop()
      await pool.destroy()
    },
  }
}
