import type { EventShape, Receipt } from '../../domain/audit/room-event.ts'
import { days } from '../../domain/clock.ts'
import type { Tx } from '../tx.ts'

const withContent = new Set(['m.room.encrypted', 'm.room.message', 'm.sticker'])
const object = (v: unknown): Record<string, unknown> =>
  typeof v === 'object' && v !== null ? (v as Record<string, unknown>) : {}
const text = (v: unknown): string | null => (typeof v === 'string' && v !== '' && v.length <= 255 ? v : null)

/** Rooms that we did not make are staff rooms, or direct chats where they were made as such. A closed patient's room goes on under the rules of its class. In one order, for the groups that two transactions may add at once. */
const insertRecords = `
  insert into record (event_id, room_id, class, sender, patient_id, sent_at, labels, edits, session_id, recalled_at, recalled_by)
  select e.event_id, e.room_id,
    case when r.class in ('care','direct','role','desk') then r.class else coalesce(rc.class, 'staff') end,
    e.sender, r.patient_id, e.sent_at, coalesce(rr.labels, '{}'), e.edits, e.session_id, t.recalled_at, t.recalled_by
  from unnest(?::text[], ?::text[], ?::text[], ?::bigint[], ?::text[], ?::text[])
    as e(event_id, room_id, sender, sent_at, edits, session_id)
  left join room r on r.room_id = e.room_id and r.class not in ('space','alert')
  left join record_room rr on rr.room_id = e.room_id
  left join room_coverage rc on rc.room_id = e.room_id
  -- An edit that comes after the recall of its message is recalled with it.
  left join record t on t.event_id = e.edits and t.room_id = e.room_id and t.sender = e.sender
  order by e.room_id, e.sender
  on conflict (event_id) do nothing`

const touchRooms = `
  insert into record_room as r (room_id, active_at)
  select room_id, max(sent_at) from unnest(?::text[], ?::bigint[]) as e(room_id, sent_at) group by room_id order by room_id
  on conflict (room_id) do update set active_at = greatest(r.active_at, excluded.active_at)
    where excluded.active_at > r.active_at`

/** How long before it reached us an event may have been sent: servers are away for days, not for months. */
const longestWay = days(30)

const noteSent = async (tx: Tx, events: readonly EventShape[]): Promise<void> => {
  const sent = events.filter(e => withContent.has(e.type) && e.state_key === undefined)
  if (sent.length === 0) return
  // Another server may say of the time what it likes: a message that claims to be from 1970 would be due at once, and outside every dated hold.
  const at = sent.map(e => Math.max(tx.now - longestWay, Math.min(e.origin_server_ts, tx.now)))
  const rooms = sent.map(e => e.room_id)
  await tx.sql.raw(insertRecords, [
    sent.map(e => e.event_id),
    rooms,
    sent.map(e => e.sender),
    at,
    sent.map(e => {
      const relation = object(e.content['m.relates_to'])
      return relation.rel_type === 'm.replace' ? text(relation.event_id) : null
    }),
    sent.map(e => text(e.content.session_id)),
  ] as never)
  await tx.sql.raw(touchRooms, [rooms, at])
}

/** A member's own client removed something: it stays sealed for a hold that may come, and goes after seven days. */
const noteRemoved = async (tx: Tx, events: readonly EventShape[]): Promise<void> => {
  const removals = events.filter(e => e.type === 'm.room.redaction')
  if (removals.length === 0) return
  await tx.sql.raw(
    `update record r set removed_at = e.at, removed_by = e.sender
     from unnest(?::text[], ?::text[], ?::text[], ?::bigint[]) as e(event_id, room_id, sender, at)
     where (r.event_id = e.event_id or r.edits = e.event_id) and r.room_id = e.room_id and r.removed_at is null`,
    [
      removals.map(e => text(e.content.redacts) ?? text(e.redacts) ?? ''),
      removals.map(e => e.room_id),
      removals.map(e => e.sender),
      removals.map(() => tx.now),
    ],
  )
}

/** The first receipt by somebody else than the sender: from then on a window that runs from reading counts. */
const noteRead = async (tx: Tx, receipts: readonly Receipt[]): Promise<void> => {
  if (receipts.length === 0) return
  await tx.sql.raw(
    `update record r set read_at = e.at
     from (
       select t.room_id, t.user_id, upto.sent_at, min(t.at) as at
       from unnest(?::text[], ?::text[], ?::text[], ?::bigint[]) as t(room_id, user_id, event_id, at)
       join record upto on upto.event_id = t.event_id and upto.room_id = t.room_id
       group by t.room_id, t.user_id, upto.sent_at
     ) e
     where r.room_id = e.room_id and r.sent_at <= e.sent_at and r.read_at is null and r.destroyed_at is null and r.sender <> e.user_id`,
    [
      receipts.map(r => r.room),
      receipts.map(r => r.user),
      receipts.map(r => r.event),
      receipts.map(r => Math.min(r.at, tx.now)),
    ],
  )
}

/**
 * Notes events with content, removals and first receipts for retention, in the transaction that takes them in: who, where, when; never what. Safe to repeat;
 * a handful of statements, however many there are.
 */
export const noteRecords = async (
  tx: Tx,
  news: { events: readonly EventShape[]; receipts: readonly Receipt[] },
): Promise<void> => {
  await noteSent(tx, news.events)
  await noteRemoved(tx, news.events)
  await noteRead(tx, news.receipts)
}
