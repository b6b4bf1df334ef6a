import type { Knex } from 'knex'
import type { Instant } from '../../domain/clock.ts'
import type { RecordClass } from '../../domain/records/facts.ts'
import {
  nextLook,
  type OtherServer,
  type ServerAnswer,
  type ServerState,
  stateAfter,
} from '../../domain/records/other-server.ts'
import type { Db } from '../db.ts'
import type { StoreDeps, Tx } from '../tx.ts'

type Sql = Db | Knex.Transaction

/** One event's request to the other servers of its room; `redaction`: the removal that was sent, or null. */
export type Asked = { event: string; servers: readonly string[]; redaction: string | null }

/** Notes which other servers were in the rooms of events when these went, and what was sent to them. Safe to repeat; one statement. */
export const noteAsked = async (tx: Tx, asked: readonly Asked[]): Promise<void> => {
  const rows = asked.flatMap(a => a.servers.map(server => ({ event: a.event, server, redaction: a.redaction })))
  if (rows.length === 0) return
  await tx.sql.raw(
    `insert into record_server as s (event_id, server, redaction, asked_at, state, since, look_at)
     select e.event_id, e.server, e.redaction, ?, case when e.redaction is null then 'unasked' else 'asked' end, ?, ?
     from unnest(?::text[], ?::text[], ?::text[]) as e(event_id, server, redaction)
     on conflict (event_id, server) do update set redaction = excluded.redaction, asked_at = excluded.asked_at, state = excluded.state,
       since = excluded.since, look_at = excluded.look_at
     where s.state = 'unasked' and excluded.redaction is not null`,
    [tx.now, tx.now, tx.now, rows.map(r => r.event), rows.map(r => r.server), rows.map(r => r.redaction)] as never,
  )
}

/** A request of which it is not known yet whether its server has taken it. */
export type OpenRequest = { event: string; room: string; server: string; redaction: string; askedAt: Instant }

/** Requests that are to be asked about by now, the longest waiting first. */
export const openRequests = async (
  { db }: Pick<StoreDeps, 'db'>,
  { classes, now, limit }: { classes: readonly RecordClass[]; now: Instant; limit: number },
): Promise<OpenRequest[]> =>
  (
    await db('record_server as s')
      .join('record as r', 'r.event_id', 's.event_id')
      .whereIn('s.state', ['asked', 'away'])
      .where('s.look_at', '<=', now)
      .whereIn('r.class', [...classes])
      .orderBy(['s.look_at', 's.event_id', 's.server'])
      .limit(limit)
      .select('s.event_id', 'r.room_id', 's.server', 's.redaction', 's.asked_at')
  ).map(r => ({ event: r.event_id, room: r.room_id, server: r.server, redaction: r.redaction, askedAt: r.asked_at }))

export type Answered = OpenRequest & { answer: ServerAnswer }

/** Notes what servers answered; gives those whose state changed, each of which has its entry in the audit log. */
export const noteAnswers = async (
  tx: Tx,
  answers: readonly Answered[],
): Promise<(OpenRequest & { state: ServerState })[]> => {
  const changed: (OpenRequest & { state: ServerState })[] = []
  for (const a of answers) {
    const state = stateAfter(a.answer)
    const where = { event_id: a.event, server: a.server, redaction: a.redaction }
    await tx
      .sql('record_server')
      .where(where)
      .whereNot('state', 'reached')
      .update({ look_at: nextLook(a.askedAt, tx.now) })
    const updated = await tx
      .sql('record_server')
      .where(where)
      .whereNotIn('state', [state, 'reached'])
      .update({ state, since: tx.now })
    if (updated > 0) changed.push({ ...a, state })
  }
  await tx.auditAll(
    changed.map(c => ({
      actor: { kind: 'service', id: 'records' },
      action: 'record.server',
      object: { kind: 'event', id: c.event },
      outcome: 'done',
      room: c.room,
      detail: { server: c.server, state: c.state },
    })),
  )
  return changed
}

/** The other servers of an event's room and how far each is, by name. */
export const serversOf = async (sql: Sql, event: string): Promise<OtherServer[]> =>
  sql('record_server').where({ event_id: event }).orderBy('server').select('server', 'state', 'since')

/** Removals by somebody of another server than the sender's: whether they may is for our homeserver to say. Only those that nothing was done about. */
export const unsureRemovals = async (
  { db }: Pick<StoreDeps, 'db'>,
  { classes, limit }: { classes: readonly RecordClass[]; limit: number },
): Promise<string[]> =>
  db('record')
    .whereNotNull('removed_at')
    .whereNull('recalled_at')
    .whereNull('hidden_at')
    .whereNull('doomed_at')
    .whereNull('destroyed_at')
    .whereRaw("substr(removed_by, strpos(removed_by, ':')) <> substr(sender, strpos(sender, ':'))")
    .whereIn('class', [...classes])
    .limit(limit)
    .pluck('event_id')

/** Notes that removals had no effect: to our homeserver, and to everybody who looks, the messages are there. */
export const voidRemovals = async (tx: Tx, events: readonly string[]): Promise<void> => {
  for (const event of events) {
    const row = await tx
      .sql('record')
      .where({ event_id: event })
      .whereNull('hidden_at')
      .whereNull('doomed_at')
      .whereNotNull('removed_at')
      .forUpdate()
      .first('room_id', 'removed_by')
    if (!row) continue
    await tx.sql('record').where({ event_id: event }).update({ removed_at: null, removed_by: null })
    await tx.audit({
      actor: { kind: 'user', id: row.removed_by },
      action: 'record.removal',
      object: { kind: 'event', id: event },
      outcome: 'refused',
      room: row.room_id,
    })
  }
}
