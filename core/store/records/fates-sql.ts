import { removalGrace } from '../../domain/records/decide.ts'
import type { RecordClass } from '../../domain/records/facts.ts'
import { type Policy, scopeOrder } from '../../domain/records/policy.ts'
import { heldCondition } from './holds.ts'
import { aboutOf } from './policies.ts'

/** Which events are asked about; all without. */
export type Only = { classes?: readonly RecordClass[]; events?: readonly string[] }

const chosen = ({ classes, events }: Only): string =>
  `${classes ? 'and r.class = any(:classes::text[])' : ''} ${events ? 'and r.event_id = any(:events::text[])' : ''}`
const groupChosen = ({ classes, events }: Only): string =>
  `${classes ? 'and g.class = any(:classes::text[])' : ''} ${
    events
      ? `and g.id in (
          select r.group_id from record r
          where r.event_id = any(:events::text[] || array(select e.edits from record e where e.event_id = any(:events::text[]) and e.edits is not null))
        )`
      : ''
  }`

/** `own_` is for an edit its own time, else that of the message which it replaces. */
const begins = (basis: string, own: '' | 'own_' = '') =>
  `case ${basis} when 'sent' then ${own}sent_at when 'activity' then ${own}active_at when 'discharge' then discharged_at else ${own}read_at end`

/** The message (t) that an edit (r) replaces, as clients have it: of the same sender, in the same room, no edit itself. */
export const editedCondition = `t.event_id = r.edits and t.room_id = r.room_id and t.class = r.class and t.sender = r.sender and t.edits is null`
const heldOnItsOwn = heldCondition.replaceAll('r.sent_at', 'r.own_sent_at')

/**
 * The same decision as `decide` for every event that is still there, in one statement with the bindings `values` and `now` (a test compares the two). What
 * depends on an event's group alone is decided once a group, so that a million events take about a second. Columns: event_id, room_id, group_id, fate (destroy,
 * hide), rule_kind, rule_id, hidden_at, sender, recalled.
 */
export const fatesSql = (policies: readonly Policy[], only: Only) => ({
  sql: `
  with policy as materialized (
    select * from unnest(:ids::text[], :scopes::text[], :ranks::int[], :abouts::text[], :bases::text[], :keeps::bigint[], :minimums::boolean[])
      as p(id, scope, rank, about, basis, keep_ms, minimum)
  ),
  live as materialized (select * from legal_hold where released_at is null),
  grp as materialized (
    select g.*, rr.active_at as room_active_at, rr.discharged_at from record_group g left join record_room rr on rr.room_id = g.room_id
    where true ${groupChosen(only)}
  ),
  scoped as (
    select id, 'organisation' as scope, '' as about from grp union all select id, 'class', class from grp
    union all select id, 'room', room_id from grp union all select id, 'user', sender from grp
    union all select id, 'label', l from grp, unnest(labels) l
  ),
  fit as materialized (
    select s.id as group_id, p.*, min(case when p.minimum then null else p.rank end) over (partition by s.id) as best
    from scoped s join policy p on p.scope = s.scope and p.about = s.about
  ),
  -- Windows (w) of the most specific scope, and minimums (m): mostly one or none of each.
  fits as materialized (
    select group_id,
      array_agg(id order by id collate "C") filter (where not minimum and rank = best) as w_id,
      array_agg(basis order by id collate "C") filter (where not minimum and rank = best) as w_basis,
      array_agg(keep_ms order by id collate "C") filter (where not minimum and rank = best) as w_keep,
      array_agg(basis order by id collate "C") filter (where minimum) as m_basis,
      array_agg(keep_ms order by id collate "C") filter (where minimum) as m_keep
    from fit group by group_id
  ),
  ruled as materialized (
    select g.id, g.room_active_at, g.discharged_at, f.w_id, f.w_basis, f.w_keep, f.m_basis, f.m_keep,
      exists (
        select 1 from live h where (h.room_id is null or h.room_id = g.room_id) and (h.user_id is null or h.user_id = g.sender)
      ) as holdable
    from grp g left join fits f on f.group_id = g.id
  ),
  facts as (
    select r.event_id, r.room_id, r.group_id, r.sender, r.patient_id, r.sent_at, r.read_at, r.recalled_at, r.removed_at, r.hidden_at,
      greatest(g.room_active_at, r.sent_at) as active_at, g.discharged_at, g.w_id, g.w_basis, g.w_keep, g.m_basis, g.m_keep, g.holdable,
      r.sent_at as own_sent_at, greatest(g.room_active_at, r.sent_at) as own_active_at, r.read_at as own_read_at
    from record r join ruled g on g.id = r.group_id
    where r.doomed_at is null and r.edits is null ${chosen(only)}
    -- An edit goes with what it replaces.
    union all
    select r.event_id, r.room_id, r.group_id, r.sender, r.patient_id, coalesce(t.sent_at, r.sent_at),
      case when t.event_id is null then r.read_at else t.read_at end, least(r.recalled_at, t.recalled_at), least(r.removed_at, t.removed_at), r.hidden_at,
      greatest(g.room_active_at, r.sent_at, t.sent_at), g.discharged_at, tg.w_id, tg.w_basis, tg.w_keep, g.m_basis, g.m_keep, g.holdable,
      r.sent_at, greatest(g.room_active_at, r.sent_at), r.read_at
    from record r join ruled g on g.id = r.group_id
    left join record t on ${editedCondition}
    left join ruled tg on tg.id = coalesce(t.group_id, r.group_id)
    where r.doomed_at is null and r.edits is not null ${chosen(only)}
  ),
  -- Of several windows the one that ends last; one without an end ends never (null). \`offset 0\`: each end is computed once.
  ended as (
    select f.*,
      case when cardinality(w_id) = 1 then ${begins('w_basis[1]')} + w_keep[1]
        when cardinality(w_id) > 1 then (
          select e from (select ${begins('b')} + k as e from unnest(w_basis, w_keep) as x(b, k)) y order by e desc nulls first limit 1
        ) end as w_end
    from facts f offset 0
  ),
  leaving as (
    select e.*, case when w_end <= :now then 'window' when recalled_at <= :now then 'recall' else 'removed' end as rule_kind
    from ended e where w_end <= :now or recalled_at <= :now or removed_at <= :now
  ),
  bound as (
    select r.*, recalled_at is not null or removed_at is not null as hidden,
      case when cardinality(m_basis) = 1 then coalesce(${begins('m_basis[1]', 'own_')} + m_keep[1] > :now, true)
        when cardinality(m_basis) > 1 then exists (
          select 1 from unnest(m_basis, m_keep) as x(b, k) where coalesce(${begins('b', 'own_')} + k > :now, true)
        ) else false end
        or (rule_kind = 'removed' and removed_at + :grace > :now)
        or (holdable and exists (select 1 from live h where (${heldCondition}) or (${heldOnItsOwn}))) as binds
    from leaving r offset 0
  )
  select event_id, room_id, group_id, sender, recalled_at is not null as recalled, case when binds then 'hide' else 'destroy' end as fate, rule_kind, hidden_at,
    case when rule_kind <> 'window' then null when cardinality(w_id) = 1 then w_id[1] else (
      select i from (select i, ${begins('b')} + k as e from unnest(w_id, w_basis, w_keep) as x(i, b, k)) y
      order by e desc nulls first, i collate "C" limit 1
    ) end as rule_id
  from bound where not binds or hidden`,
  values: {
    ids: policies.map(p => p.id),
    scopes: policies.map(p => p.scope.kind),
    ranks: policies.map(p => scopeOrder.indexOf(p.scope.kind)),
    abouts: policies.map(p => aboutOf(p.scope)),
    bases: policies.map(p => p.from),
    keeps: policies.map(p => p.keepMs),
    minimums: policies.map(p => p.minimum),
    grace: removalGrace,
    ...(only.classes ? { classes: [...only.classes] } : {}),
    ...(only.events ? { events: [...only.events] } : {}),
  },
})
