import type { Knex } from 'knex'
import type { Instant } from '../../../domain/clock.ts'

/** A signed statement of the log: `root` is the RFC 6962 tree head over the first `size` entries, `note` the signed note (C2SP tlog-checkpoint). */
export type StoredCheckpoint = { size: number; root: Uint8Array; at: Instant; note: string }

type Row = { size: number; root: Buffer; at: number; note: string }
const asCheckpoint = ({ size, root, at, note }: Row): StoredCheckpoint => ({
  size,
  root: new Uint8Array(root),
  at,
  note,
})

/** The newest checkpoint, or null while the log is empty. */
export const latestCheckpoint = async (db: Knex): Promise<StoredCheckpoint | null> => {
  const row: Row | undefined = await db('audit_checkpoint').orderBy('size', 'desc').first('size', 'root', 'at', 'note')
  return row ? asCheckpoint(row) : null
}

/** The checkpoint over exactly `size` entries, where one was made. */
export const checkpointAt = async (db: Knex, size: number): Promise<StoredCheckpoint | null> => {
  const row: Row | undefined = await db('audit_checkpoint').where({ size }).first('size', 'root', 'at', 'note')
  return row ? asCheckpoint(row) : null
}

/** Checkpoints over more than `after` entries, in order. */
export const checkpointsAfter = async (db: Knex, after: number, limit: number): Promise<StoredCheckpoint[]> => {
  const rows: Row[] = await db('audit_checkpoint')
    .where('size', '>', after)
    .orderBy('size')
    .limit(limit)
    .select('size', 'root', 'at', 'note')
  return rows.map(asCheckpoint)
}
