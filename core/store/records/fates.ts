import type { Knex } from 'knex'
import type { Instant } from '../../domain/clock.ts'
import { type Decision, decide, removalGrace } from '../../domain/records/decide.ts'
import type { RecordFacts } from '../../domain/records/facts.ts'
import type { Policy } from '../../domain/records/policy.ts'
import type { Db } from '../db.ts'
import { heldCondition, listHolds } from './holds.ts'
import { aboutOf, listPolicies } from './policies.ts'

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
})

export type StoredRecord = RecordFacts & {
  hiddenAt: Instant | null
  doomedAt: Instant | null
  destroyedAt: Instant | null
}

const withRoom = (sql: Sql) =>
  sql('record as r')
    .leftJoin('record_room as rr', 'rr.room_id', 'r.room_id')
    .select('r.*', 'rr.active_at', 'rr.discharged_at')

export const recordById = async (sql: Sql, event: string): Promise<StoredRecord | undefined> => {
  const row = await withRoom(sql).where('r.event_id', event).first()
  return row && { ...toFacts(row), hiddenAt: row.hidden_at, doomedAt: row.doomed_at, destroyedAt: row.destroyed_at }
}

/** What the rules say of one event now (`!retention why`). */
export const fateOf = async (sql: Sql, facts: RecordFacts, now: Instant): Promise<Decision> =>
  decide(facts, { policies: await listPolicies(sql), holds: await listHolds(sql) }, now)

/** Which events are asked about; all without. */
export type Only = { classes?: readonly RecordFacts['class'][]; events?: readonly string[] }

const chosen = ({ classes, events }: Only): string =>
  `${classes ? 'and r.class = any(:classes::text[])' : ''} ${events ? 'and r.event_id = any(:events::text[])' : ''}`

/**
 * The same decision as `decide` for every event that is still there, in one statement (a test compares the two): groups of events that the same policies
 * fit are decided once, so that a million events take a second or two. Columns: event_id, room_id, fate (destroy, hide), rule_kind, rule_id.
 */
const begins = (basis: string) =>
  `case ${basis} when 'sent' then sent_at when 'activity' then active_at when 'discharge' then discharged_at else read_at end`

const fatesSql = (policies: readonly Policy[], only: Only) => ({
  sql: `
  with policy as materialized (
    select * from unnest(:ids::text[], :scopes::text[], :ranks::int[], :abouts::text[], :bases::text[], :keeps::bigint[], :minimums::boolean[])
      as p(id, scope, rank, about, basis, keep_ms, minimum)
  ),
  -- Who, where, labelled how: the policies that fit depend on nothing else.
  grp as materialized (
    select room_id, class, sender, labels from record r where doomed_at is null ${chosen(only)} group by room_id, class, sender, labels
  ),
  fit as materialized (
    select g.*, p.id, p.rank, p.basis, p.keep_ms, p.minimum,
      min(case when p.minimum then null else p.rank end) over (partition by g.room_id, g.class, g.sender, g.labels) as best
    from grp g join policy p on case p.scope
      when 'label' then p.about = any(g.labels) when 'user' then p.about = g.sender when 'room' then p.about = g.room_id
      when 'class' then p.about = g.class else true end
  ),
  -- Windows (w) of the most specific scope, and minimums (m): mostly one or none of each.
  fits as materialized (
    select room_id, class, sender, labels,
      array_agg(id order by id collate "C") filter (where not minimum and rank = best) as w_id,
      array_agg(basis order by id collate "C") filter (where not minimum and rank = best) as w_basis,
      array_agg(keep_ms order by id collate "C") filter (where not minimum and rank = best) as w_keep,
      array_agg(basis order by id collate "C") filter (where minimum) as m_basis,
      array_agg(keep_ms order by id collate "C") filter (where minimum) as m_keep
    from fit group by room_id, class, sender, labels
  ),
  facts as (
    select r.event_id, r.room_id, r.sender, r.patient_id, r.sent_at, r.read_at, r.recalled_at, r.removed_at, r.hidden_at,
      greatest(rr.active_at, r.sent_at) as active_at, rr.discharged_at, f.w_id, f.w_basis, f.w_keep, f.m_basis, f.m_keep
    from record r
    left join fits f on f.room_id = r.room_id and f.class = r.class and f.sender = r.sender and f.labels = r.labels
    left join record_room rr on rr.room_id = r.room_id
    where r.doomed_at is null ${chosen(only)}
  ),
  -- Of several windows the one that ends last; one without an end ends never (null).
  ended as (
    select f.*,
      case when cardinality(w_id) = 1 then ${begins('w_basis[1]')} + w_keep[1]
        when cardinality(w_id) > 1 then (
          select e from (select ${begins('b')} + k as e from unnest(w_basis, w_keep) as x(b, k)) y order by e desc nulls first limit 1
        ) end as w_end,
      case when cardinality(w_id) = 1 then w_id[1]
        when cardinality(w_id) > 1 then (
          select i from (select i, ${begins('b')} + k as e from unnest(w_id, w_basis, w_keep) as x(i, b, k)) y
          order by e desc nulls first, i collate "C" limit 1
        ) end as rule_id
    from facts f
  ),
  leaving as (
    select e.*, case when w_end <= :now then 'window' when recalled_at <= :now then 'recall' when removed_at <= :now then 'removed' end as rule_kind
    from ended e where w_end <= :now or recalled_at <= :now or removed_at <= :now
  ),
  live as materialized (select * from legal_hold where released_at is null),
  bound as (
    select r.*, recalled_at is not null or removed_at is not null as hidden,
      case when cardinality(m_basis) = 1 then coalesce(${begins('m_basis[1]')} + m_keep[1] > :now, true)
        when cardinality(m_basis) > 1 then exists (
          select 1 from unnest(m_basis, m_keep) as x(b, k) where coalesce(${begins('b')} + k > :now, true)
        ) else false end
        or (rule_kind = 'removed' and removed_at + :grace > :now)
        or exists (select 1 from live h where ${heldCondition}) as binds
    from leaving r
  )
  select event_id, room_id, case when binds then 'hide' else 'destroy' end as fate, rule_kind,
    case when rule_kind = 'window' then rule_id end as rule_id, hidden_at
  from bound where not binds or hidden`,
  values: {
    ids: policies.map(p => p.id),
    scopes: policies.map(p => p.scope.kind),
    ranks: policies.map(p => ['label', 'user', 'room', 'class', 'organisation'].indexOf(p.scope.kind)),
    abouts: policies.map(p => aboutOf(p.scope)),
    bases: policies.map(p => p.from),
    keeps: policies.map(p => p.keepMs),
    minimums: policies.map(p => p.minimum),
    grace: removalGrace,
    ...(only.classes ? { classes: [...only.classes] } : {}),
    ...(only.events ? { events: [...only.events] } : {}),
  },
})

export type Due = {
  event: string
  room: string
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
    `select room_id, count(*)::int as messages from (${q.sql}) f where fate = 'destroy' group by room_id order by 2 desc, 1`,
    { ...q.values, now } as never,
  )
  const all = (rows as { room_id: string; messages: number }[]).map(r => ({ room: r.room_id, messages: r.messages }))
  return { messages: all.reduce((n, r) => n + r.messages, 0), rooms: all.slice(0, 20), roomCount: all.length }
}
