import type { Knex } from 'knex'
import { recordOf } from '../../../domain/audit/leaf.ts'
import { checkpointText } from '../../../tlog/checkpoint.ts'
import { leafHashes } from '../../../tlog/hash.ts'
import type { SigningKey } from '../../../tlog/key.ts'
import { signNote } from '../../../tlog/note.ts'
import { appendLeaves, rootOf, type Tree } from '../../../tlog/tree.ts'
import { fenced, type Lease } from '../../bots/leases.ts'
import type { StoreDeps } from '../../tx.ts'
import { leavesOf } from '../commitments.ts'
import { ownersOf, withPatient } from '../patients-of.ts'
import { subjectsShared } from '../subjects.ts'
import { noteKey, signersOf } from './keys.ts'
import { takeQueued } from './queue.ts'
import { storeTiles } from './tiles.ts'

export type SequenceDeps = {
  store: StoreDeps
  /** Whoever leads the log; an old leader's batch is refused. */
  lease: Lease
  origin: string
  /** The log's keys, oldest first; the last one signs. */
  keys: readonly SigningKey[]
}

/** What a batch made: entries `from` (inclusive) to `to` (exclusive), and the tree for the next one. */
export type Sequenced = { from: number; to: number; tree: Tree; note: string }

type Checkpoint = { size: number; root: Buffer; at: number; note: string }

/** Entries and the checkpoint over them, in one statement: a busy machine makes every round trip wait. */
const insertEntries = async (
  sql: Knex,
  from: number,
  ids: readonly number[],
  leaves: readonly string[],
  { size, root, at, note }: Checkpoint,
) => {
  const records = leaves.map((leaf, i) => recordOf(from + i, leaf))
  await sql.raw(
    `with entries as (insert into audit_entry (idx, queue_id, at, action, outcome, actor_kind, actor_ref, object_kind, object_ref, patient_ref, room_ref, leaf)
     select * from unnest(?::bigint[], ?::bigint[], ?::bigint[], ?::text[], ?::text[], ?::text[], ?::text[], ?::text[], ?::text[], ?::text[], ?::text[], ?::text[]))
     insert into audit_checkpoint (size, root, at, note) values (?, ?, ?, ?)`,
    [
      records.map(r => r.idx),
      [...ids],
      records.map(r => r.at),
      records.map(r => r.action),
      records.map(r => r.outcome),
      records.map(r => r.actor.kind),
      records.map(r => r.actor.ref),
      records.map(r => r.object.kind),
      records.map(r => r.object.ref),
      records.map(r => r.patient ?? null),
      records.map(r => r.room ?? null),
      [...leaves],
      ...[size, root, at, note],
    ] as Knex.RawBinding[],
  )
}

/**
 * Moves up to `limit` queued events into the log: entries, commitments, tiles and a signed checkpoint over them commit together, and the events leave the
 * queue with that. `tree` is the log as the batch before left it. Gives null when nothing waits.
 * @throws LeaseLost when another process leads; whatever the database throws, and then nothing has happened.
 */
export const sequence = (d: SequenceDeps, tree: Tree, limit: number): Promise<Sequenced | null> =>
  fenced(d.store.db, d.lease, async sql => {
    await subjectsShared(sql)
    const queued = await takeQueued(sql, limit)
    if (queued.length === 0) return null
    const owners = await ownersOf(sql, queued)
    const events = queued.map(e => withPatient(e, owners))
    const leaves = await leavesOf(sql, d.store, events, owners)
    const from = tree.size
    const appended = appendLeaves(tree, leafHashes(leaves))
    await storeTiles(sql, appended.tiles)
    const size = appended.tree.size
    const root = rootOf(appended.tree)
    const { signers, first } = await signersOf(sql, d.keys)
    const note = signNote(checkpointText({ origin: d.origin, size, root }), ...signers)
    const at = d.store.clock.now()
    if (first) await noteKey(sql, signers, { size, at, note })
    const ids = events.map(e => e.id)
    await insertEntries(sql, from, ids, leaves, { size, root, at, note })
    return { from, to: size, tree: appended.tree, note }
  })
