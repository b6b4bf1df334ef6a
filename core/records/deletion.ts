import { createHash } from 'node:crypto'
import { seconds } from '../domain/clock.ts'
import { newId, type RoomId, type UserId } from '../domain/ids.ts'
import type { RecordClass } from '../domain/records/facts.ts'
import type { Log } from '../log.ts'
import { type Homeserver, MatrixRefusal } from '../matrix/homeserver.ts'
import {
  certify,
  type Doomed,
  deadSessions,
  doomedRecords,
  noteDestroyed,
  passPointOfNoReturn,
} from '../store/records/doom.ts'
import type { Due, Only } from '../store/records/fates.ts'
import { keepCopy, noteHidden, noteRemoved, noteServers } from '../store/records/recall.ts'
import { type StoreDeps, transact } from '../store/tx.ts'
import { tellRecalls } from './recall-answer.ts'

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

const txnOf = (event: string) => `wr_gone_${createHash('sha256').update(event).digest('base64url').slice(0, 32)}`

/** Asks this server and the others of the room to remove the event. False where we may not, or it is gone already. */
const redact = async (
  d: DeletionDeps,
  { event, room, rule }: Pick<Doomed, 'event' | 'room' | 'rule'>,
): Promise<boolean> => {
  const userId = await d.speaker(room as RoomId)
  if (!userId) return false
  const path = `/_matrix/client/v3/rooms/${encodeURIComponent(room)}/redact/${encodeURIComponent(event)}/${txnOf(event)}`
  try {
    await d.homeserver.request('PUT', path, {
      userId,
      body: { reason: rule.kind === 'window' ? 'retention' : rule.kind },
    })
    return true
  } catch (e) {
    if (e instanceof MatrixRefusal && (e.status === 403 || e.status === 404)) return false
    throw e
  }
}

type Copies = { events: Record<string, unknown>; servers: Record<string, string[]> }

/** Events as the homeserver stores them, and which other servers are in their rooms. */
const copiesOf = (d: DeletionDeps, events: readonly string[]): Promise<Copies> =>
  d.homeserver.request<Copies>('POST', '/_synapse/client/wardroom_copy', { body: { events }, timeoutMs: seconds(60) })

/** Takes from people's eyes what may not be destroyed yet: first a sealed copy, then the removal, here and at the other servers. */
const hideBatch = async (d: DeletionDeps, due: readonly Due[]): Promise<void> => {
  const copies = await copiesOf(
    d,
    due.map(x => x.event),
  )
  await transact(d.store, async tx => {
    for (const [room, servers] of Object.entries(copies.servers))
      await noteServers(
        tx,
        due.filter(x => x.room === room).map(x => x.event),
        servers,
      )
  })
  for (const { event, room, rule } of due) {
    await transact(d.store, tx => keepCopy(tx, event, copies.events[event]))
    if (rule.kind === 'removed') continue
    const removed = await redact(d, { event, room, rule })
    await transact(d.store, tx => noteRemoved(tx, event, removed))
  }
  await transact(d.store, tx => noteHidden(tx, due))
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

/** Whoever recalled a message hears which other servers were asked to remove it. */
const noteOtherServers = async (d: DeletionDeps, doomed: readonly Doomed[]): Promise<void> => {
  const recalled = doomed.filter(x => x.rule.kind === 'recall')
  if (recalled.length === 0) return
  const { servers } = await copiesOf(
    d,
    recalled.map(x => x.event),
  )
  await transact(d.store, async tx => {
    for (const { event, room } of recalled) await noteServers(tx, [event], servers[room] ?? [])
  })
}

const destroyBatch = async (d: DeletionDeps, doomed: readonly Doomed[]): Promise<void> => {
  await noteOtherServers(d, doomed)
  const redacted = new Set<string>()
  for (const one of doomed) if (await redact(d, one)) redacted.add(one.event)
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
    // A recalled message may have gone by a window that ended in the same moment: whoever asked hears all the same.
    for (const x of doomed) await noteRemoved(tx, x.event, redacted.has(x.event))
    await noteDestroyed(
      tx,
      doomed.map(x => ({ ...x, redacted: redacted.has(x.event), found: found.has(x.event) })),
    )
    for (const run of new Set(doomed.map(x => x.run))) await certify(tx, run)
  })
}

/**
 * One deletion run: first decides and commits what goes (the point of no return), then destroys it, also what an earlier, killed run had decided. Each step may
 * be repeated. Returns how many events are gone. @throws when the homeserver is away; the next run goes on.
 */
export const deletionRun = async (d: DeletionDeps, only: Pick<Only, 'events'> = {}): Promise<number> => {
  let gone = 0
  const run = newId<string>('dr', d.store.random)
  for (;;) {
    const decided = await transact(d.store, tx =>
      passPointOfNoReturn(tx, run, { limit: batch, classes: d.classes, ...only }),
    )
    const hides = decided.filter(x => x.fate === 'hide')
    if (hides.length > 0) await hideBatch(d, hides)
    const doomed = await doomedRecords(d.store, { classes: d.classes, limit: batch })
    if (doomed.length > 0) await destroyBatch(d, doomed)
    gone += doomed.length
    if (doomed.length === 0 && decided.length < batch) break
  }
  await transact(d.store, tellRecalls)
  if (gone > 0) d.log.info({ run, count: gone }, 'messages were destroyed')
  return gone
}
