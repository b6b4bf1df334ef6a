import type { Knex } from 'knex'
import type { Instant } from '../../domain/clock.ts'
import { newId } from '../../domain/ids.ts'
import { ephemeralLabel, type Life, lifeOf, tooShort } from '../../domain/records/ephemeral.ts'
import type { RecordClass, RecordFacts } from '../../domain/records/facts.ts'
import { type Refusal, refuse } from '../../domain/refusal.ts'
import type { Db } from '../db.ts'
import type { Tx } from '../tx.ts'
import { listHolds } from './holds.ts'
import { changePolicy, listPolicies, policyNow } from './policies.ts'

type Sql = Db | Knex.Transaction

/** What is ephemeral: everything that is written in a room from now on, or one message. */
export type EphemeralTarget = { room: string; event?: string; patient?: string }
export type Ephemeral = EphemeralTarget & { id: string; life: Life; by: string; at: Instant }

/** What the rules see of a room's messages to come: one for each writer so far, and one for somebody new. */
const roomFacts = async (sql: Sql, room: string, now: Instant): Promise<RecordFacts[]> => {
  const of = await sql('room').where({ room_id: room }).first('class', 'patient_id')
  const labels: string[] = (await sql('record_room').where({ room_id: room }).first('labels'))?.labels ?? []
  const senders: string[] = await sql('record').where({ room_id: room }).distinct('sender').pluck('sender')
  const known: readonly string[] = ['care', 'direct', 'role', 'desk']
  const facts = {
    event: '',
    room,
    class: (known.includes(of?.class) ? of.class : 'staff') as RecordClass,
    patient: of?.patient_id ?? undefined,
    labels,
    sentAt: now,
    roomActiveAt: now,
  }
  return ['', ...senders].map(sender => ({ ...facts, sender }))
}

export const liveEphemeral = async (
  sql: Sql,
  { room, event }: EphemeralTarget,
): Promise<{ by: string } | undefined> => {
  const row = await sql('ephemeral')
    .where({ room_id: room, event_id: event ?? null })
    .whereNull('ended_at')
    .first('set_by')
  return row && { by: row.set_by }
}

/** Gives the records of a message and of its edits, or of a room's messages to come, this label instead of another life; null takes it away. */
const relabel = async (tx: Tx, { room, event }: EphemeralTarget, label: string | null): Promise<void> => {
  const set = `labels = (select coalesce(array_agg(l), '{}') from (
    select distinct l collate "C" as l from unnest(labels || ?::text[]) as u(l) where l not like 'ephemeral-%' or l = ? order by 1
  ) x)`
  const values = [label === null ? [] : [label], label ?? ''] as never[]
  if (event)
    await tx.sql.raw(
      `update record set ${set} where room_id = ? and (event_id = ? or edits = ?) and doomed_at is null`,
      [...values, room, event, event] as never,
    )
  else {
    await tx.sql.raw('insert into record_room (room_id, active_at) values (?, ?) on conflict (room_id) do nothing', [
      room,
      tx.now,
    ])
    await tx.sql.raw(`update record_room set ${set} where room_id = ?`, [...values, room] as never)
  }
}

const noted = (tx: Tx, { room, event, patient }: EphemeralTarget, by: string, life: Life | null): Promise<void> =>
  tx.audit({
    actor: { kind: 'user', id: by },
    action: 'ephemeral.change',
    object: event ? { kind: 'event', id: event } : { kind: 'room', id: room },
    outcome: 'done',
    room,
    patient,
    detail: { keep_ms: life?.keepMs ?? null, basis: life?.from ?? null, ended: life === null },
  })

const endLive = (tx: Tx, { room, event }: EphemeralTarget, by: string): Promise<number> =>
  tx
    .sql('ephemeral')
    .where({ room_id: room, event_id: event ?? null })
    .whereNull('ended_at')
    .update({ ended_by: by, ended_at: tx.now })

/**
 * Makes a room (what is written from now on), or one message and its edits, live shortly (row 34): its records carry a label, and a policy of that label decides
 * like every other. Refuses under a legal hold, and what a statutory minimum forbids. `facts`: the message's, when it is about one.
 */
export const makeEphemeral = async (
  tx: Tx,
  target: EphemeralTarget,
  life: Life,
  { by, facts }: { by: string; facts?: RecordFacts },
): Promise<Refusal | undefined> => {
  const about = facts ? [facts] : await roomFacts(tx.sql, target.room, tx.now)
  const refused = tooShort(life, about, { policies: await listPolicies(tx.sql), holds: await listHolds(tx.sql) })
  if (refused) return refused
  const label = ephemeralLabel(life)
  const change = { scope: { kind: 'label' as const, label }, minimum: false, value: life }
  const policy = await policyNow(tx.sql, change)
  if (policy === null) await changePolicy(tx, change, { by })
  else if (policy.from !== life.from || policy.keepMs !== life.keepMs)
    return refuse('other-rule', `A compliance officer has set another rule for the label ${label}; ask them.`)
  await endLive(tx, target, by)
  await relabel(tx, target, label)
  await tx.sql('ephemeral').insert({
    id: newId<string>('ep', tx.deps.random),
    room_id: target.room,
    event_id: target.event ?? null,
    label,
    set_by: by,
    set_at: tx.now,
  })
  await noted(tx, target, by, life)
  return undefined
}

/** From now on other rules decide: of a room, about what is written from now on; of a message, about it. False when it was not ephemeral. */
export const endEphemeral = async (tx: Tx, target: EphemeralTarget, by: string): Promise<boolean> => {
  const ended = await endLive(tx, target, by)
  const of = target.event
    ? await tx.sql('record').where({ event_id: target.event }).first('labels')
    : await tx.sql('record_room').where({ room_id: target.room }).first('labels')
  if (ended === 0 && !lifeOf(of?.labels ?? [])) return false
  await relabel(tx, target, null)
  await noted(tx, target, by, null)
  return true
}

/** What is ephemeral now and was not destroyed yet, the newest first; `by`: only what this person said. */
export const listEphemeral = async (
  sql: Sql,
  { by, limit = 100 }: { by?: string; limit?: number } = {},
): Promise<Ephemeral[]> => {
  const rows: {
    id: string
    room_id: string
    event_id: string | null
    label: string
    set_by: string
    set_at: Instant
  }[] = await sql('ephemeral as e')
    .leftJoin('record as r', 'r.event_id', 'e.event_id')
    .whereNull('e.ended_at')
    .where(q => q.whereNull('e.event_id').orWhereNull('r.destroyed_at'))
    .modify(q => (by ? q.where('e.set_by', by) : q))
    .orderBy('e.set_at', 'desc')
    .limit(limit)
    .select('e.*')
  return rows.flatMap(r => {
    const life = lifeOf([r.label])
    return life ? [{ id: r.id, room: r.room_id, event: r.event_id ?? undefined, life, by: r.set_by, at: r.set_at }] : []
  })
}
