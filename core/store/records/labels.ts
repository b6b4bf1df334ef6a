import type { Knex } from 'knex'
import type { Instant } from '../../domain/clock.ts'
import type { Db } from '../db.ts'
import type { Tx } from '../tx.ts'
import { previewFates } from './fates.ts'
import { listPolicies } from './policies.ts'

type Sql = Db | Knex.Transaction

/** A label on a room (all that was and will be written there), or on one message and its edits. */
export type LabelChange = { room: string; event?: string; label: string; on: boolean }

/** Does the room, or the message, carry the label? */
export const carries = async (sql: Sql, { room, event, label }: Omit<LabelChange, 'on'>): Promise<boolean> => {
  const of: { labels: string[] } | undefined = event
    ? await sql('record').where({ event_id: event }).first('labels')
    : await sql('record_room').where({ room_id: room }).first('labels')
  return of?.labels.includes(label) ?? false
}

const relabel = async (
  sql: Knex.Transaction,
  { room, event, label, on }: LabelChange,
  now: Instant,
): Promise<number> => {
  const set = `labels = (select coalesce(array_agg(l), '{}') from (
    select distinct l collate "C" as l from unnest(labels || ?::text[]) as u(l) where ? or l <> ? order by 1
  ) x)`
  const values = [[label], on, label]
  const { rowCount } = await sql.raw(
    `update record set ${set} where room_id = ? and doomed_at is null ${event ? 'and (event_id = ? or edits = ?)' : ''}`,
    [...values, room, ...(event ? [event, event] : [])] as never,
  )
  if (!event) {
    await sql('record_room').insert({ room_id: room, active_at: now }).onConflict('room_id').ignore()
    await sql.raw(`update record_room set ${set} where room_id = ?`, [...values, room] as never)
  }
  return rowCount
}

/** How many messages go by each of the instants, with the labels as they are and as they would be. Changes nothing. */
export const previewLabel = async (
  tx: Tx,
  change: LabelChange,
  at: readonly Instant[],
): Promise<{ messages: number; before: number[]; after: number[] }> => {
  const policies = await listPolicies(tx.sql)
  const going = async (sql: Knex.Transaction) => {
    const all: number[] = []
    for (const instant of at) all.push((await previewFates(sql, instant, policies)).messages)
    return all
  }
  const before = await going(tx.sql)
  const tried = await tx.sql.transaction()
  try {
    const messages = await relabel(tried, change, tx.now)
    return { messages, before, after: await going(tried) }
  } finally {
    await tried.rollback()
  }
}

/** Puts a label on, or takes it off. Returns how many records carry it otherwise than before, those of edits included. */
export const changeLabel = async (
  tx: Tx,
  change: LabelChange & { patient?: string },
  { by, approvedBy }: { by: string; approvedBy: string },
): Promise<number> => {
  const messages = await relabel(tx.sql, change, tx.now)
  await tx.audit({
    actor: { kind: 'user', id: by },
    action: 'retention.change',
    object: change.event ? { kind: 'event', id: change.event } : { kind: 'room', id: change.room },
    outcome: 'done',
    room: change.room,
    patient: change.patient,
    detail: { about: change.label, labelled: change.on, messages, approved_by: approvedBy },
  })
  return messages
}

/** How many rooms, and how many messages, carry each label that somebody gave; what is ephemeral is not among them. */
export const labelsInUse = async (sql: Sql): Promise<{ label: string; rooms: number; messages: number }[]> => {
  const { rows } = await sql.raw(
    `with used as (
       select l as label, 0::bigint as rooms, n as messages from (
         select g.labels, count(r.event_id) as n from record_group g join record r on r.group_id = g.id and r.destroyed_at is null
         where g.labels <> '{}' group by g.labels
       ) c, unnest(labels) l
       union all select l, count(*), 0 from record_room, unnest(labels) l group by l
     )
     select label, sum(rooms)::int as rooms, sum(messages)::int as messages from used where label not like 'ephemeral-%'
     group by label order by label collate "C" limit 100`,
  )
  return rows
}
