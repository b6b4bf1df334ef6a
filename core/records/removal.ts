import { createHash } from 'node:crypto'
import { seconds } from '../domain/clock.ts'
import type { RoomId } from '../domain/ids.ts'
import { asksOthers } from '../domain/records/other-server.ts'
import { MatrixRefusal } from '../matrix/homeserver.ts'
import type { Asked } from '../store/records/other-servers.ts'
import type { DeletionDeps } from './deletion.ts'

/** An event whose content goes. `recalled`: by somebody's decision about this very message. */
export type Going = { event: string; room: string; sender: string; recalled: boolean; reason: string }

const txnOf = (event: string, again: number) =>
  `wr_gone${again > 0 ? again : ''}_${createHash('sha256').update(event).digest('base64url').slice(0, 32)}`
const refused = (e: unknown): boolean => e instanceof MatrixRefusal && (e.status === 403 || e.status === 404)
const inRoom = (room: string) => `/_matrix/client/v3/rooms/${encodeURIComponent(room)}`

/**
 * Sends the removal of an event (`m.room.redaction`) into its room: its event id, or null where we may not, or there is nothing. `again`:
 * how often it was sent before, which a repeated removal must differ by.
 */
export const redact = async (
  d: Pick<DeletionDeps, 'homeserver' | 'speaker'>,
  event: string,
  room: string,
  reason: string,
  again = 0,
): Promise<string | null> => {
  const userId = await d.speaker(room as RoomId)
  if (!userId) return null
  const path = `${inRoom(room)}/redact/${encodeURIComponent(event)}/${txnOf(event, again)}`
  try {
    return (await d.homeserver.request<{ event_id: string }>('PUT', path, { userId, body: { reason } })).event_id
  } catch (e) {
    if (refused(e)) return null
    throw e
  }
}

type RoomNow = { servers: string[]; ours: boolean }

/** Takes removed messages off their room's list of pinned ones, where we may. */
const unpin = async (d: DeletionDeps, room: string, removed: ReadonlySet<string>): Promise<void> => {
  const userId = await d.speaker(room as RoomId)
  if (!userId) return
  const path = `${inRoom(room)}/state/m.room.pinned_events`
  try {
    const { pinned } = await d.homeserver.request<{ pinned?: unknown }>('GET', path, { userId })
    if (!Array.isArray(pinned) || !pinned.some(e => removed.has(e))) return
    await d.homeserver.request('PUT', path, { userId, body: { pinned: pinned.filter(e => !removed.has(e)) } })
  } catch (e) {
    if (!refused(e)) throw e
  }
}

type Traces = { events: Record<string, { removed: boolean; reactions: string[] }> }

/** Which of these events the homeserver holds to be removed, and the reactions to each. */
export const tracesOf = async (d: DeletionDeps, events: readonly string[]): Promise<Traces['events']> =>
  (
    await d.homeserver.request<Traces>('POST', '/_synapse/client/wardroom_traces', {
      body: { events },
      timeoutMs: seconds(60),
    })
  ).events

/** A recalled message's reactions are removed as well: they say something about it. */
const removeReactions = async (d: DeletionDeps, recalled: readonly Going[]): Promise<void> => {
  if (recalled.length === 0) return
  const traces = await tracesOf(
    d,
    recalled.map(x => x.event),
  )
  for (const { event, room, reason } of recalled)
    for (const reaction of traces[event]?.reactions ?? []) await redact(d, reaction, room, reason)
}

/**
 * Removes events from their rooms, so that clients and the other homeservers there remove them too; pins go with them, and reactions where it was a recall. Gives
 * for each which other servers were in its room and the removal that was sent, or null where none was. Safe to repeat.
 */
export const removeFromRooms = async (d: DeletionDeps, going: readonly Going[]): Promise<Asked[]> => {
  if (going.length === 0) return []
  const rooms = [...new Set(going.map(x => x.room))]
  const now = await d.homeserver.request<{ server: string; rooms: Record<string, RoomNow> }>(
    'POST',
    '/_synapse/client/wardroom_rooms',
    { body: { rooms }, timeoutMs: seconds(60) },
  )
  const asked: Asked[] = []
  for (const x of going) {
    const { servers = [], ours = true } = now.rooms[x.room] ?? {}
    const redaction = asksOthers(x, { ours }, now.server) ? await redact(d, x.event, x.room, x.reason) : null
    asked.push({ event: x.event, servers, redaction })
  }
  const removed = new Set(asked.flatMap(a => (a.redaction ? [a.event] : [])))
  await removeReactions(
    d,
    going.filter(x => x.recalled && removed.has(x.event)),
  )
  for (const room of rooms) if (going.some(x => x.room === room && removed.has(x.event))) await unpin(d, room, removed)
  return asked
}
