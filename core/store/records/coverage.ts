import type { Knex } from 'knex'
import type { EventShape } from '../../domain/audit/room-event.ts'
import { type Coverage, type CoverageClass, covers } from '../../domain/records/coverage.ts'
import type { Db } from '../db.ts'
import type { Tx } from '../tx.ts'

type Sql = Db | Knex.Transaction

/** A room of the staff's own making. `unread`: messages whose key never came to the records bot. `reason`: why it could not be added. */
export type CoveredRoom = {
  room: string
  class: CoverageClass
  state: 'seen' | 'invited' | 'covered' | 'left' | 'impossible'
  reason: string | null
  unread: number
}

const toRoom = (r: Record<string, unknown>): CoveredRoom => ({
  room: r.room_id as string,
  class: r.class as CoverageClass,
  state: r.state as CoveredRoom['state'],
  reason: r.reason as string | null,
  unread: r.unread as number,
})

/** Which of these rooms the records bot is in. */
export const coveredAmong = async (sql: Sql, rooms: readonly string[]): Promise<Set<string>> =>
  rooms.length === 0
    ? new Set()
    : new Set(
        await sql('room_coverage')
          .where({ state: 'covered' })
          .whereIn('room_id', [...rooms])
          .pluck('room_id'),
      )

export const isCovered = async (sql: Sql, room: string): Promise<boolean> => (await coveredAmong(sql, [room])).has(room)

/** Rooms in which the bot is although nothing says so any more. */
export const roomsToLeave = async (sql: Sql, coverage: Coverage): Promise<string[]> =>
  (await sql('room_coverage').whereIn('state', ['covered', 'invited']))
    .map(toRoom)
    .filter(r => !covers(coverage, r.class))
    .map(r => r.room)

/** How many rooms there are of each class and state, and those with something to say: impossible ones, and ones with messages that could not be read. */
export const coverageReport = async (
  sql: Sql,
): Promise<{ counts: { class: CoverageClass; state: string; rooms: number }[]; notable: CoveredRoom[] }> => ({
  counts: (
    await sql('room_coverage')
      .groupBy('class', 'state')
      .orderBy(['class', 'state'])
      .select('class', 'state')
      .count('* as rooms')
  ).map(r => ({ class: r.class as CoverageClass, state: String(r.state), rooms: Number(r.rooms) })),
  notable: (
    await sql('room_coverage')
      .where(q => q.where({ state: 'impossible' }).orWhere(c => c.where({ state: 'covered' }).where('unread', '>', 0)))
      .orderBy(['state', 'room_id'])
      .limit(50)
  ).map(toRoom),
})

const put = async (tx: Tx, room: Pick<CoveredRoom, 'room' | 'state'> & Partial<CoveredRoom>): Promise<void> => {
  const row = { state: room.state, reason: room.reason ?? null, changed_at: tx.now }
  await tx
    .sql('room_coverage')
    .insert({ room_id: room.room, class: room.class ?? 'staff', ...row })
    .onConflict('room_id')
    .merge({ ...row, ...(room.class ? { class: room.class } : {}) })
}

/** A look at all rooms said this of one. What the room's own events say goes first: a covered room stays so. */
export const noteLookedAt = async (
  tx: Tx,
  {
    room,
    class: kind,
    state,
    reason,
  }: Pick<CoveredRoom, 'room' | 'class'> & { state: 'covered' | 'impossible'; reason?: string },
): Promise<void> => {
  const before = await tx.sql('room_coverage').where({ room_id: room }).forUpdate().first('state')
  const is = before?.state as CoveredRoom['state'] | undefined
  if (is === 'covered' || is === 'invited') {
    await tx.sql('room_coverage').where({ room_id: room }).update({ class: kind })
    return
  }
  // That the bot has joined comes as an event of the room.
  if (state === 'covered') return put(tx, { room, class: kind, state: 'invited' })
  if (is !== 'impossible' || reason !== undefined) await put(tx, { room, class: kind, state, reason: reason ?? null })
}

/** A look at all rooms did not meet these any more: they are gone, or no policy means them. */
export const clearImpossible = async (tx: Tx, met: readonly string[]): Promise<void> => {
  await tx
    .sql('room_coverage')
    .where({ state: 'impossible' })
    .whereNotIn('room_id', [...met])
    .update({ state: 'left', reason: null, changed_at: tx.now })
}

const serverOf = (user: string): string => user.slice(user.indexOf(':') + 1)

/** The bot goes where somebody of this homeserver asks it to; whom another hospital invites into its own rooms is not for that hospital to say. */
const invited = async (tx: Tx, room: string, e: EventShape, kind: CoverageClass | undefined): Promise<void> => {
  if (await isCovered(tx.sql, room)) return
  await put(tx, { room, state: 'invited', ...(kind ? { class: kind } : {}) })
  if (serverOf(e.sender) !== serverOf(e.state_key ?? '')) return
  await tx.enqueue({
    queue: 'bots',
    kind: 'records.join',
    key: `records-join:${e.event_id}`,
    lane: room,
    payload: { room },
  })
}

/** What is said of one room: whether the bot is in it, and what kind of room it is. */
export const coverageOf = async (sql: Sql, room: string): Promise<CoveredRoom | undefined> => {
  const row = await sql('room_coverage').where({ room_id: room }).first()
  return row && toRoom(row)
}

const joined = async (tx: Tx, room: string): Promise<void> => {
  const before = await tx.sql('room_coverage').where({ room_id: room }).forUpdate().first()
  // A change of its name is a join as well.
  if (before?.state === 'covered') return
  await put(tx, { room, state: 'covered' })
  await tx.audit({
    actor: { kind: 'service', id: 'records' },
    action: 'record.cover',
    object: { kind: 'room', id: room },
    outcome: 'done',
    room,
    detail: { class: before?.class ?? 'staff' },
  })
  await tx.enqueue({
    queue: 'bots',
    kind: 'records.notice',
    key: `records-notice:${room}`,
    lane: room,
    payload: { room },
  })
}

/** The bot is in the room no more. `removedBy`: somebody else's doing. */
const left = async (tx: Tx, room: string, removedBy?: string): Promise<void> => {
  const before = await tx.sql('room_coverage').where({ room_id: room }).forUpdate().first('state')
  await put(tx, { room, state: 'left', reason: removedBy === undefined ? null : 'removed' })
  if (before?.state !== 'covered') return
  await tx.audit({
    actor: removedBy === undefined ? { kind: 'service', id: 'records' } : { kind: 'user', id: removedBy },
    action: 'record.uncover',
    object: { kind: 'room', id: room },
    outcome: 'done',
    room,
  })
}

/** The homeserver let the bot leave, or says that it is not in the room: whether or not the event comes, which is then the second to say so. */
export const noteLeft = (tx: Tx, room: string): Promise<void> => left(tx, room)

const ours = /^@(wardroom[_:]|role_|[pr]_)/

/**
 * Follows the records bot's membership (`bot`), and which rooms of the staff's own making are direct chats, in the transaction that takes the events in. To be
 * called before `noteRecords`, which asks for a room's class.
 */
export const noteCoverage = async (tx: Tx, bot: string, events: readonly EventShape[]): Promise<void> => {
  for (const e of events) {
    if (e.type !== 'm.room.member' || e.state_key === undefined) continue
    const { membership, is_direct: direct } = e.content
    if (e.state_key === bot) {
      if (membership === 'invite') await invited(tx, e.room_id, e, direct === true ? 'direct' : undefined)
      if (membership === 'join') await joined(tx, e.room_id)
      if (membership === 'leave' || membership === 'ban')
        await left(tx, e.room_id, e.sender === bot ? undefined : e.sender)
    } else if (membership === 'invite' && direct === true && !ours.test(e.sender) && !ours.test(e.state_key))
      await tx
        .sql('room_coverage')
        .insert({ room_id: e.room_id, class: 'direct', state: 'seen', changed_at: tx.now })
        .onConflict('room_id')
        .ignore()
  }
}

/** A message of a covered room will never be read by the records bot. */
export const countUnread = async (tx: Tx, room: string): Promise<void> => {
  await tx.sql('room_coverage').where({ room_id: room }).increment('unread', 1)
}
