import type { Knex } from 'knex'
import type { Instant } from '../../domain/clock.ts'
import type { EventId, UserId } from '../../domain/ids.ts'
import type { RecordClass } from '../../domain/records/facts.ts'
import type { OtherServer } from '../../domain/records/other-server.ts'
import { removeAgainAt } from '../../domain/records/remove-again.ts'
import type { Db } from '../db.ts'
import { advanceNotices } from '../patients/notices.ts'
import { forgetEvents } from '../queues/inbox.ts'
import type { StoreDeps, Tx } from '../tx.ts'
import type { Due, StoredRecord } from './fates.ts'
import { serversOf } from './other-servers.ts'

type Sql = Db | Knex.Transaction

/** Where the answer to a recall stands: the bot's chat and the command's thread. */
export type RecallChat = { chat: string; thread: string }

/**
 * Asks for an event to be recalled, with its edits: what waits for the patient is withdrawn at once, and the deletion's next look (15 s) takes it away. False
 * when it was asked for before.
 */
export const askRecall = async (
  tx: Tx,
  record: Pick<StoredRecord, 'event' | 'room' | 'patient'>,
  { by, chat, thread }: Partial<RecallChat> & { by: UserId },
): Promise<boolean> => {
  const added = await tx
    .sql('recall')
    .insert({ event_id: record.event, asked_by: by, asked_at: tx.now, chat: chat ?? null, thread: thread ?? null })
    .onConflict('event_id')
    .ignore()
    .returning('event_id')
  if (added.length === 0) return false
  await tx
    .sql('record')
    .where(q => q.where({ event_id: record.event }).orWhere({ edits: record.event }))
    .where({ room_id: record.room })
    .whereNull('recalled_at')
    .update({ recalled_at: tx.now, recalled_by: by })
  await advanceNotices(tx, { event: record.event as EventId }, { kind: 'withdrawn' })
  await tx.audit({
    actor: { kind: 'user', id: by },
    action: 'record.recall',
    object: { kind: 'event', id: record.event },
    outcome: 'done',
    room: record.room,
    patient: record.patient,
  })
  return true
}

/** Who is known to have read up to an event or beyond it, and when: public receipts only, so it is a lower bound. */
export const readersOf = async (
  sql: Sql,
  { event, room, sender }: Pick<StoredRecord, 'event' | 'room' | 'sender'>,
): Promise<{ user: string; at: number }[]> => {
  const { rows } = await sql.raw(
    `select s.user_id as user, min(s.at) as at from receipt_seen s
     join record upto on upto.event_id = s.event_id
     join record gone on gone.event_id = ?
     where s.room_id = ? and s.user_id <> ? and upto.sent_at >= gone.sent_at group by s.user_id order by 2`,
    [event, room, sender],
  )
  return rows
}

/** Keeps an encrypted event sealed; nothing where the homeserver has it no more. */
export const keepCopy = async (tx: Tx, event: string, copy: unknown): Promise<void> => {
  if (copy === undefined) return
  const sealed = await tx.deps.seal.close('record_copy.copy', JSON.stringify(copy))
  await tx.sql('record_copy').insert({ event_id: event, copy: sealed, at: tx.now }).onConflict('event_id').ignore()
}

/** Notes that nobody sees these events any more. */
export const noteHidden = async (tx: Tx, events: readonly Due[]): Promise<void> => {
  const ids = events.map(e => e.event)
  await tx.sql('record').whereIn('event_id', ids).whereNull('hidden_at').update({ hidden_at: tx.now })
  await forgetEvents(tx, ids)
  const kept = new Set(await tx.sql('record_copy').whereIn('event_id', ids).pluck('event_id'))
  await tx.auditAll(
    events.map(e => ({
      actor: { kind: 'service', id: 'records' },
      action: 'record.hide',
      object: { kind: 'event', id: e.event },
      outcome: 'done',
      room: e.room,
      reason: e.rule.kind,
      detail: { copied: kept.has(e.event) },
    })),
  )
}

/** The sealed copy of a hidden event, as the homeserver had it; undefined where there is none. */
export const copyOf = async ({ db, seal }: Pick<StoreDeps, 'db' | 'seal'>, event: string): Promise<unknown> => {
  const row = await db('record_copy').where({ event_id: event }).first('copy')
  return row ? JSON.parse(await seal.open('record_copy.copy', row.copy)) : undefined
}

/** Notes of recalled messages whether they could be removed in their rooms; the others are left out. */
export const noteRemoved = async (tx: Tx, events: readonly { event: string; removed: boolean }[]): Promise<void> => {
  await tx.sql.raw(
    `update recall c set removed = e.removed, again_at = case when e.removed then ?::bigint end
     from unnest(?::text[], ?::boolean[]) as e(event_id, removed) where c.event_id = e.event_id and c.removed is null`,
    [removeAgainAt(tx.now, 0), events.map(e => e.event), events.map(e => e.removed)] as never,
  )
}

/** A recalled message that is to be removed in its room once more: it and its edits. `again`: how often it was, after the first. */
export type RemoveAgain = { recalled: string; events: string[]; room: string; again: number }

/** What is due by `now`, the longest waiting first. */
export const dueAgain = async (
  { db }: Pick<StoreDeps, 'db'>,
  { classes, now, limit }: { classes: readonly RecordClass[]; now: Instant; limit: number },
): Promise<RemoveAgain[]> =>
  (
    await db('recall as c')
      .join('record as r', 'r.event_id', 'c.event_id')
      .where('c.again_at', '<=', now)
      .whereIn('r.class', [...classes])
      .orderBy(['c.again_at', 'c.event_id'])
      .limit(limit)
      .select('c.event_id', 'c.again', 'r.room_id', {
        edits: db.raw(
          'array(select e.event_id from record e where e.edits = r.event_id and e.room_id = r.room_id and e.sender = r.sender)',
        ),
      })
  ).map(r => ({ recalled: r.event_id, events: [r.event_id, ...r.edits], room: r.room_id, again: r.again }))

/** Notes that it was removed once more, and when it is next; once however often it is noted. */
export const noteAgain = async (tx: Tx, { recalled, again }: RemoveAgain): Promise<void> => {
  await tx
    .sql('recall')
    .where({ event_id: recalled, again })
    .update({ again: again + 1, again_at: removeAgainAt(tx.now, again + 1) })
}

/** Who recalled a message, and where they hear of it. */
export type Asker = {
  event: string
  room: string
  by: UserId
  /** Null where it was recalled by a reaction: then the answer goes to whoever asked. */
  chat: string | null
  thread: string | null
}

export type Told = Asker & { removed: boolean; servers: OtherServer[]; became: 'gone' | 'hidden' }

/** Those who recalled these messages and have had their answer already. */
export const toldRecalls = async (sql: Sql, events: readonly string[]): Promise<Asker[]> =>
  (
    await sql('recall as c')
      .join('record as r', 'r.event_id', 'c.event_id')
      .whereIn('c.event_id', [...events])
      .whereNotNull('c.told')
      .select('c.event_id', 'r.room_id', 'c.asked_by', 'c.chat', 'c.thread')
  ).map(r => ({ event: r.event_id, room: r.room_id, by: r.asked_by, chat: r.chat, thread: r.thread }))

/** Recalls whose asker has not heard what became of them; each is given once. */
export const takeUntold = async (tx: Tx): Promise<Told[]> => {
  const rows = await tx
    .sql('recall as c')
    .join('record as r', 'r.event_id', 'c.event_id')
    .where(q =>
      q
        .where(n => n.whereNull('c.told').whereRaw('(r.destroyed_at is not null or r.hidden_at is not null)'))
        .orWhere(n => n.where('c.told', 'hidden').whereNotNull('r.destroyed_at')),
    )
    .forUpdate('c')
    .limit(100)
    .select('c.*', 'r.destroyed_at', 'r.room_id')
  for (const r of rows)
    await tx
      .sql('recall')
      .where({ event_id: r.event_id })
      .update({ told: r.destroyed_at === null ? 'hidden' : 'gone', told_at: tx.now })
  // One after the other: a transaction is one connection.
  const servers: OtherServer[][] = []
  for (const r of rows) servers.push(await serversOf(tx.sql, r.event_id))
  return rows.map((r, n) => ({
    event: r.event_id,
    room: r.room_id,
    by: r.asked_by,
    chat: r.chat,
    thread: r.thread,
    servers: servers[n] ?? [],
    removed: r.removed === true,
    became: r.destroyed_at === null ? 'hidden' : 'gone',
  }))
}
