import { seconds } from '../domain/clock.ts'
import { newId, type RoomId, type UserId } from '../domain/ids.ts'
import type { RecordClass } from '../domain/records/facts.ts'
import type { Log } from '../log.ts'
import type { Homeserver } from '../matrix/homeserver.ts'
import {
  certify,
  type Doomed,
  deadSessions,
  doomedRecords,
  noteDestroyed,
  passPointOfNoReturn,
} from '../store/records/doom.ts'
import { type Due, dueRecords, type Only } from '../store/records/fates.ts'
import { noteAsked, unsureRemovals, voidRemovals } from '../store/records/other-servers.ts'
import { keepCopy, noteHidden, noteRemoved } from '../store/records/recall.ts'
import { type StoreDeps, transact } from '../store/tx.ts'
import { destroyLooseMedia } from './media.ts'
import { followServers } from './other-servers.ts'
import { tellRecalls } from './recall-answer.ts'
import { type Going, removeFromRooms, tracesOf } from './removal.ts'

export type DeletionDeps = {
  store: StoreDeps
  /** Acts as the users of this process's registration. */
  homeserver: Homeserver
  /** The rooms that this process answers for. */
  classes: readonly RecordClass[]
  /** Who of ours may remove messages in a room, or null: then other servers cannot be asked, and it is destroyed here all the same. */
  speaker: (room: RoomId) => Promise<UserId | null>
  /** Destroys what backups of our own users hold of a session that decrypts nothing any more. */
  forgetSession?: (room: RoomId, session: string) => Promise<void>
  log: Log
}

/** As many as one call of the homeserver's module takes well. */
const batch = 200
/** As many as are looked for at once; each batch of them is decided once more before it goes. */
const look = 5000

/** Events as the homeserver stores them. */
const copiesOf = async (d: DeletionDeps, events: readonly string[]): Promise<Record<string, unknown>> => {
  const path = '/_synapse/client/wardroom_copy'
  const body = { events }
  return (
    await d.homeserver.request<{ events: Record<string, unknown> }>('POST', path, { body, timeoutMs: seconds(60) })
  ).events
}

const going = (x: Due | Doomed): Going => ({
  ...x,
  reason: x.rule.kind === 'window' ? 'retention' : x.rule.kind,
})

/** Takes from people's eyes what may not be destroyed yet: first a sealed copy, then the removal, here and at the other servers. */
const hideBatch = async (d: DeletionDeps, due: readonly Due[]): Promise<void> => {
  const copies = await copiesOf(
    d,
    due.map(x => x.event),
  )
  for (const { event } of due) await transact(d.store, tx => keepCopy(tx, event, copies[event]))
  const asked = await removeFromRooms(d, due.filter(x => x.rule.kind !== 'removed').map(going))
  await transact(d.store, async tx => {
    await noteAsked(tx, asked)
    await noteRemoved(
      tx,
      asked.map(({ event, redaction }) => ({ event, removed: redaction !== null })),
    )
    await noteHidden(tx, due)
  })
}

/** Destroys the content in the homeserver's database and caches (`config/synapse`): which events it knew. */
const destroyAtHomeserver = async (d: DeletionDeps, events: readonly string[]): Promise<Set<string>> => {
  const answer = await d.homeserver.request<{ events: Record<string, string> }>(
    'POST',
    '/_synapse/client/wardroom_destroy',
    { body: { events }, timeoutMs: seconds(60) },
  )
  return new Set(events.filter(e => answer.events[e] === 'destroyed'))
}

const destroyBatch = async (d: DeletionDeps, doomed: readonly Doomed[]): Promise<void> => {
  const asked = await removeFromRooms(d, doomed.map(going))
  const redacted = new Set(asked.flatMap(a => (a.redaction ? [a.event] : [])))
  const found = await destroyAtHomeserver(
    d,
    doomed.map(x => x.event),
  )
  const sessions = new Map(
    doomed.flatMap(x => (x.session ? [[`${x.room} ${x.session}`, { room: x.room, session: x.session }] as const] : [])),
  )
  if (d.forgetSession)
    for (const { room, session } of await deadSessions(d.store, [...sessions.values()]))
      await d.forgetSession(room as RoomId, session)
  await transact(d.store, async tx => {
    await noteAsked(tx, asked)
    // A recalled message may have gone by a window that ended in the same moment: whoever asked hears all the same.
    await noteRemoved(
      tx,
      doomed.map(({ event }) => ({ event, removed: redacted.has(event) })),
    )
    await noteDestroyed(
      tx,
      doomed.map(x => ({ ...x, redacted: redacted.has(x.event), found: found.has(x.event) })),
    )
    for (const run of new Set(doomed.map(x => x.run))) await certify(tx, run)
  })
}

/** Destroys a batch of what has passed the point of no return, whoever decided it. Returns how many. */
const destroyDoomed = async (d: DeletionDeps): Promise<number> => {
  const doomed = await doomedRecords(d.store, { classes: d.classes, limit: batch })
  if (doomed.length > 0) await destroyBatch(d, doomed)
  return doomed.length
}

/**
 * A member of another hospital can send a removal of anything; it has an effect only where they may. What our homeserver does not hold to be removed stays.
 */
const checkRemovals = async (d: DeletionDeps): Promise<void> => {
  const events = await unsureRemovals(d.store, { classes: d.classes, limit: batch })
  if (events.length === 0) return
  const traces = await tracesOf(d, events)
  const without = events.filter(e => traces[e]?.removed === false)
  if (without.length > 0) await transact(d.store, tx => voidRemovals(tx, without))
}

/**
 * One deletion run: first decides and commits what goes (the point of no return), then destroys it, also what an earlier, killed run had decided. Each step may
 * be repeated. Returns how many events are gone. @throws when the homeserver is away; the next run goes on.
 */
export const deletionRun = async (d: DeletionDeps, only: Pick<Only, 'events'> = {}): Promise<number> => {
  let gone = 0
  await checkRemovals(d)
  const { classes } = d
  for (;;) {
    // Looking at everything takes a second for a million records: once for many, and no hold waits for it.
    const due = await dueRecords(d.store.db, d.store.clock.now(), { limit: look, classes, ...only })
    for (let n = 0; n < due.length; n += batch) {
      const events = due.slice(n, n + batch).map(x => x.event)
      // A certificate is for what passed the point of no return together: whoever destroys the last of it can tell.
      const run = newId<string>('dr', d.store.random)
      const decided = await transact(d.store, tx => passPointOfNoReturn(tx, run, { limit: batch, classes, events }))
      const hides = decided.filter(x => x.fate === 'hide')
      if (hides.length > 0) await hideBatch(d, hides)
      gone += await destroyDoomed(d)
    }
    for (let n = await destroyDoomed(d); n > 0; n = await destroyDoomed(d)) gone += n
    if (due.length < look) break
  }
  try {
    await followServers(d)
  } finally {
    await transact(d.store, tellRecalls)
  }
  await destroyLooseMedia(d)
  if (gone > 0) d.log.info({ count: gone }, 'messages were destroyed')
  return gone
}
