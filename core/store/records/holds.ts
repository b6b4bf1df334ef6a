import type { Knex } from 'knex'
import type { Instant } from '../../domain/clock.ts'
import { newId } from '../../domain/ids.ts'
import { type Hold, overlaps, sameMatter } from '../../domain/records/hold.ts'
import { type Refusal, refuse } from '../../domain/refusal.ts'
import type { Db } from '../db.ts'
import type { StoreDeps, Tx } from '../tx.ts'

type Sql = Db | Knex.Transaction

/** A hold with who placed and released it. */
export type StoredHold = Hold & { placedBy: string; releasedBy: string | null; approvedBy: string | null }

const sealContext = 'legal_hold.matter'
// Placing a hold and passing a point of no return exclude each other (core/store/records/doom.ts).
export const holdLock = 7_351_904

type Row = Record<string, unknown>
const opt = <T>(v: unknown): T | undefined => (v === null ? undefined : (v as T))
const toHold = (r: Row): StoredHold => ({
  id: r.id as string,
  room: opt(r.room_id),
  user: opt(r.user_id),
  patient: opt(r.patient_id),
  since: opt(r.since),
  until: opt(r.until),
  placedAt: r.placed_at as Instant,
  releasedAt: opt(r.released_at),
  placedBy: r.placed_by as string,
  releasedBy: r.released_by as string | null,
  approvedBy: r.approved_by as string | null,
})

export type HoldCriteria = Pick<Hold, 'room' | 'user' | 'patient' | 'since' | 'until'>

/** The condition under which a row of `record` (alias r) is under a hold (alias h); the same words as `holds` in core/domain/records/hold.ts. */
export const heldCondition = `
  (h.room_id is null or h.room_id = r.room_id) and (h.user_id is null or h.user_id = r.sender)
  and (h.patient_id is null or h.patient_id = r.patient_id)
  and (h.since is null or r.sent_at >= h.since) and (h.until is null or r.sent_at < h.until)`

/** What a hold covers at this moment: how much is there, how much people cannot see any more, and what was past saving when it was placed. */
export type HoldCover = { there: number; hidden: number; passed: number; rooms: number }

export const holdCover = async (sql: Sql, id: string): Promise<HoldCover> => {
  const { rows } = await sql.raw(
    `select count(*) filter (where r.doomed_at is null)::int as there,
      count(*) filter (where r.doomed_at is null and (r.hidden_at is not null or r.removed_at is not null))::int as hidden,
      count(*) filter (where r.doomed_at is not null)::int as passed, count(distinct r.room_id)::int as rooms
     from legal_hold h join record r on ${heldCondition} where h.id = ?`,
    [id],
  )
  return rows[0]
}

/** A hold in force for the same matter that covers some of the same already; two matters are two claims, and each holds by itself. */
const heldAlready = async (tx: Tx, criteria: HoldCriteria, matter: string): Promise<StoredHold | undefined> => {
  for (const h of await listHolds(tx.sql))
    if (overlaps(h, criteria) && sameMatter(await matterOf({ db: tx.sql, seal: tx.deps.seal }, h.id), matter)) return h
  return undefined
}

/**
 * Places a hold at once: nothing that it covers passes the point of no return from this commit on, whatever was queued. `matter`: why, kept sealed. Refuses one
 * that overlaps with another of the same matter.
 */
export const placeHold = async (
  tx: Tx,
  criteria: HoldCriteria,
  { matter, by }: { matter: string; by: string },
): Promise<{ id: string; cover: HoldCover } | Refusal> => {
  await tx.sql.raw('select pg_advisory_xact_lock(?)', [holdLock])
  const already = await heldAlready(tx, criteria, matter)
  if (already)
    return refuse(
      'overlapping-hold',
      `Nothing new is held: legal hold ${already.id} of the same matter covers some of it already (!hold report ${already.id}). ` +
        'Hold only what it leaves out, or give this one a reason of its own, such as the same with "part 2": then each holds by itself until it is released.',
    )
  const id = newId<string>('lh', tx.deps.random)
  await tx.sql('legal_hold').insert({
    id,
    room_id: criteria.room ?? null,
    user_id: criteria.user ?? null,
    patient_id: criteria.patient ?? null,
    since: criteria.since ?? null,
    until: criteria.until ?? null,
    matter: await tx.deps.seal.close(sealContext, matter),
    placed_at: tx.now,
    placed_by: by,
  })
  const cover = await holdCover(tx.sql, id)
  await tx.audit({
    actor: { kind: 'user', id: by },
    action: 'hold.place',
    object: { kind: 'hold', id },
    outcome: 'done',
    patient: criteria.patient,
    room: criteria.room,
    detail: { ...cover, ...(criteria.user ? { user: criteria.user } : {}) },
  })
  return { id, cover }
}

/** Releases a hold, which two people decided. False when it is not in force. */
export const releaseHold = async (
  tx: Tx,
  id: string,
  { by, approvedBy }: { by: string; approvedBy: string },
): Promise<boolean> => {
  const hold = await holdById(tx.sql, id)
  const cover = await holdCover(tx.sql, id)
  const changed = await tx
    .sql('legal_hold')
    .where({ id })
    .whereNull('released_at')
    .update({ released_at: tx.now, released_by: by, approved_by: approvedBy })
  if (changed === 0 || !hold) return false
  await tx.audit({
    actor: { kind: 'user', id: by },
    action: 'hold.release',
    object: { kind: 'hold', id },
    outcome: 'done',
    patient: hold.patient,
    room: hold.room,
    detail: { ...cover, approved_by: approvedBy },
  })
  return true
}

export const holdById = async (sql: Sql, id: string): Promise<StoredHold | undefined> => {
  const row = await sql('legal_hold').where({ id }).first()
  return row && toHold(row)
}

/** Holds in force, oldest first; with `all` the released ones as well. */
export const listHolds = async (sql: Sql, all = false): Promise<StoredHold[]> =>
  (
    await sql('legal_hold')
      .modify(q => (all ? q : q.whereNull('released_at')))
      .orderBy('placed_at')
  ).map(toHold)

/** Why a hold was placed. */
export const matterOf = async ({ db, seal }: Pick<StoreDeps, 'db' | 'seal'>, id: string): Promise<string> => {
  const row = await db('legal_hold').where({ id }).first('matter')
  return row ? seal.open(sealContext, row.matter) : ''
}
