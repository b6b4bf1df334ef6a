import type { Knex } from 'knex'
import type { Instant } from '../../domain/clock.ts'
import { type Decision, decide } from '../../domain/records/decide.ts'
import type { RecordFacts } from '../../domain/records/facts.ts'
import type { Policy } from '../../domain/records/policy.ts'
import type { Db } from '../db.ts'
import { editedCondition, fatesSql, type Only } from './fates-sql.ts'
import { listHolds } from './holds.ts'
import { listPolicies } from './policies.ts'

export type { Only } from './fates-sql.ts'

type Sql = Db | Knex.Transaction

type Row = Record<string, unknown>
const opt = <T>(v: unknown): T | undefined => (v === null ? undefined : (v as T))
const toFacts = (r: Row): RecordFacts => ({
  event: r.event_id as string,
  room: r.room_id as string,
  class: r.class as RecordFacts['class'],
  sender: r.sender as string,
  patient: opt(r.patient_id),
  labels: r.labels as string[],
  sentAt: r.sent_at as Instant,
  roomActiveAt: Math.max((r.active_at as Instant | null) ?? 0, r.sent_at as Instant),
  dischargedAt: opt(r.discharged_at),
  readAt: opt(r.read_at),
  recalledAt: opt(r.recalled_at),
  removedAt: opt(r.removed_at),
  ...(r.t_sent_at === null
    ? {}
    : {
        edited: {
          labels: r.t_labels as string[],
          sentAt: r.t_sent_at as Instant,
          readAt: opt(r.t_read_at),
          recalledAt: opt(r.t_recalled_at),
          removedAt: opt(r.t_removed_at),
        },
      }),
})

export type StoredRecord = RecordFacts & {
  /** The message that this one replaces. */
  edits: string | null
  hiddenAt: Instant | null
  doomedAt: Instant | null
  destroyedAt: Instant | null
}

const withRoom = (sql: Sql) =>
  sql('record as r')
    .leftJoin('record_room as rr', 'rr.room_id', 'r.room_id')
    .joinRaw(`left join record t on ${editedCondition}`)
    .select('r.*', 'rr.active_at', 'rr.discharged_at', {
      t_sent_at: 't.sent_at',
      t_labels: 't.labels',
      t_read_at: 't.read_at',
      t_recalled_at: 't.recalled_at',
      t_removed_at: 't.removed_at',
    })

const toRecord = (row: Row): StoredRecord => ({
  ...toFacts(row),
  edits: row.t_sent_at === null ? null : (row.edits as string | null),
  hiddenAt: row.hidden_at as Instant | null,
  doomedAt: row.doomed_at as Instant | null,
  destroyedAt: row.destroyed_at as Instant | null,
})

export const recordById = async (sql: Sql, event: string): Promise<StoredRecord | undefined> => {
  const row = await withRoom(sql).where('r.event_id', event).first()
  return row && toRecord(row)
}

/** Everything of a room that is not destroyed. */
export const recordsOfRoom = async (sql: Sql, room: string): Promise<StoredRecord[]> =>
  (await withRoom(sql).where('r.room_id', room).whereNull('r.destroyed_at')).map(toRecord)

/** What the rules say of one event now (`!retention why`). */
export const fateOf = async (sql: Sql, facts: RecordFacts, now: Instant): Promise<Decision> =>
  decide(facts, { policies: await listPolicies(sql), holds: await listHolds(sql) }, now)

export type Due = {
  event: string
  room: string
  sender: string
  /** Somebody asked for this very message to go, whatever else is due. */
  recalled: boolean
  fate: 'hide' | 'destroy'
  rule: { kind: 'window' | 'recall' | 'removed'; id: string | null }
}

/** What is to be hidden or destroyed by `now`, at most `limit`; under `policies` instead of those in force, for a preview. */
export const dueRecords = async (
  sql: Sql,
  now: Instant,
  { limit = 1000, policies, ...only }: Only & { limit?: number; policies?: readonly Policy[] } = {},
): Promise<Due[]> => {
  const q = fatesSql(policies ?? (await listPolicies(sql)), only)
  const { rows } = await sql.raw(
    `select * from (${q.sql}) f where fate = 'destroy' or hidden_at is null order by event_id limit :limit`,
    { ...q.values, now, limit } as never,
  )
  return (rows as Row[]).map(r => ({
    event: r.event_id as string,
    room: r.room_id as string,
    sender: r.sender as string,
    recalled: r.recalled as boolean,
    fate: r.fate as Due['fate'],
    rule: { kind: r.rule_kind as Due['rule']['kind'], id: r.rule_id as string | null },
  }))
}

/** How many events would go until `now` by these policies, and from which rooms, those with the most first. */
export const previewFates = async (
  sql: Sql,
  now: Instant,
  policies: readonly Policy[],
): Promise<{ messages: number; rooms: { room: string; messages: number }[]; roomCount: number }> => {
  const q = fatesSql(policies, {})
  const { rows } = await sql.raw(
    `select g.room_id, sum(n)::int as messages
     from (select group_id, count(*) as n from (${q.sql}) f where fate = 'destroy' group by group_id) c join record_group g on g.id = c.group_id
     group by g.room_id order by 2 desc, 1`,
    { ...q.values, now } as never,
  )
  const all = (rows as { room_id: string; messages: number }[]).map(r => ({ room: r.room_id, messages: r.messages }))
  return { messages: all.reduce((n, r) => n + r.messages, 0), rooms: all.slice(0, 20), roomCount: all.length }
}
