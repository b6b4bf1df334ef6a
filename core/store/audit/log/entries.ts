import type { Knex } from 'knex'
import type { AuditAction, Outcome } from '../../../domain/audit/event.ts'
import { recordOf } from '../../../domain/audit/leaf.ts'
import type { AuditRecord } from '../../../domain/audit/record.ts'
import type { Instant } from '../../../domain/clock.ts'
import type { Db } from '../../db.ts'

type Row = { idx: number; leaf: string }

const asRecord = ({ idx, leaf }: Row): AuditRecord => recordOf(idx, leaf)

/** Entries from index `from` on, in order. */
export const readEntries = async (db: Db, { from, limit }: { from: number; limit: number }): Promise<AuditRecord[]> => {
  const rows: Row[] = await db('audit_entry').where('idx', '>=', from).orderBy('idx').limit(limit).select('idx', 'leaf')
  return rows.map(asRecord)
}

/** The leaves' own texts from index `from` on, in order: what the log's hashes are made of. */
export const readLeaves = (db: Db, { from, limit }: { from: number; limit: number }): Promise<Row[]> =>
  db('audit_entry').where('idx', '>=', from).orderBy('idx').limit(limit).select('idx', 'leaf')

/** What to look for; refs are commitments (`refOf`) or clear identifiers, as a record has them. All given conditions hold together. */
export type EntryFilter = {
  patient?: string
  actor?: string
  room?: string
  object?: string
  actions?: readonly AuditAction[]
  outcome?: Outcome
  /** Inclusive. */
  since?: Instant
  /** Exclusive. */
  until?: Instant
  /** Only entries before this index: the next page begins at the last one's index. */
  before?: number
  limit: number
}

const fits = (q: Knex.QueryBuilder, f: EntryFilter): void => {
  if (f.patient !== undefined) q.where('patient_ref', f.patient)
  if (f.actor !== undefined) q.where('actor_ref', f.actor)
  if (f.room !== undefined) q.where('room_ref', f.room)
  if (f.object !== undefined) q.where('object_ref', f.object)
  if (f.actions !== undefined) q.whereIn('action', [...f.actions])
  if (f.outcome !== undefined) q.where('outcome', f.outcome)
  if (f.since !== undefined) q.where('at', '>=', f.since)
  if (f.until !== undefined) q.where('at', '<', f.until)
  if (f.before !== undefined) q.where('idx', '<', f.before)
}

/** Entries that fit, newest first. */
export const findEntries = async (db: Db, f: EntryFilter): Promise<AuditRecord[]> => {
  // Entries are nearly in the order of their times, but not quite. Walked back from the newest, everything that is younger than `until` would be read: so the
  // index of the times gives all that is in the range, and `+ 0` keeps the database from walking.
  const walked = f.until === undefined || [f.patient, f.actor, f.room, f.object].some(ref => ref !== undefined)
  const rows: Row[] = await db('audit_entry')
    .where(q => {
      if (walked) fits(q, f)
      else
        q.whereIn(
          'idx',
          db('audit_entry')
            .where(r => fits(r, f))
            .orderByRaw('idx + 0 desc')
            .limit(f.limit)
            .select('idx'),
        )
    })
    .orderBy('idx', 'desc')
    .limit(f.limit)
    .select('idx', 'leaf')
  return rows.map(asRecord)
}

/** How many entries the log has had: the index that the next one gets. Pruned ones count. */
export const logSize = async (db: Knex): Promise<number> => {
  const last = await db('audit_checkpoint').max({ size: 'size' }).first()
  return Number(last?.size ?? 0)
}

/** The index of the first entry that is not pruned. */
export const firstIndex = async (db: Knex): Promise<number> => {
  const pruned = await db('audit_pruned').first('before_idx')
  return Number(pruned?.before_idx ?? 0)
}
