import type { Knex } from 'knex'
import { recordOf } from '../../../domain/audit/leaf.ts'
import type { Instant } from '../../../domain/clock.ts'
import { days } from '../../../domain/clock.ts'
import { nodesAt, tileWidth } from '../../../tlog/tile.ts'
import { type StoreDeps, transact } from '../../tx.ts'
import { passing, subjectsAlone } from '../subjects.ts'
import { firstIndex, logSize } from './entries.ts'

const entriesAtOnce = 16 * tileWidth

/** The index before which every entry is older than `before`, in whole tiles of 256. */
const prunableTo = async (sql: Knex, before: Instant): Promise<number> => {
  const row = await sql('audit_entry').where('at', '>=', before).min({ idx: 'idx' }).first()
  const kept = row?.idx === null || row?.idx === undefined ? await logSize(sql) : Number(row.idx)
  return nodesAt(kept, 1) * tileWidth
}

/** Commitments that entries name, of the kinds that a later entry may name again. */
const refsOf = (leaves: readonly { idx: number; leaf: string }[]): string[] => {
  const refs = new Set<string | undefined>()
  for (const { idx, leaf } of leaves) {
    const r = recordOf(idx, leaf)
    for (const ref of [r.actor.ref, r.object.ref, r.patient, r.room]) refs.add(ref)
  }
  return [...refs].filter(ref => ref !== undefined)
}

/** Forgets what no entry names any more: found by the entries' columns, or, for what is only ever named within its month, by age. */
const dropSubjects = async (sql: Knex.Transaction, refs: readonly string[]): Promise<number> => {
  const { rowCount } = await sql.raw(
    `delete from audit_subject s where s.ref = any(?::text[]) and s.kind <> all(?::text[])
       and not exists (select 1 from audit_entry where actor_ref = s.ref) and not exists (select 1 from audit_entry where object_ref = s.ref)
       and not exists (select 1 from audit_entry where patient_ref = s.ref) and not exists (select 1 from audit_entry where room_ref = s.ref)`,
    [[...refs], [...passing]],
  )
  const oldest = await sql('audit_entry').min({ at: 'at' }).first()
  const month = days(32)
  const aged: number =
    oldest?.at === null || oldest?.at === undefined
      ? 0
      : await sql('audit_subject')
          .whereIn('kind', [...passing])
          .where('created_at', '<', Number(oldest.at) - month)
          .delete()
  return (rowCount as number) + aged
}

/** The leaf hashes under whole tiles go, except where a checkpoint that somebody else keeps ends inside one: its consistency could not be proved any more. */
const dropHashes = async (sql: Knex.Transaction, from: number, to: number): Promise<void> => {
  await sql.raw(
    `delete from audit_tile t where t.level = 0 and t.n >= ? and t.n < ?
       and not exists (select 1 from audit_pin p where p.size > t.n * ${tileWidth} and p.size < (t.n + 1) * ${tileWidth})
       and not exists (select 1 from audit_cosignature c where c.size > t.n * ${tileWidth} and c.size < (t.n + 1) * ${tileWidth})`,
    [from / tileWidth, to / tileWidth],
  )
  await sql.raw(
    `delete from audit_checkpoint k where k.size < ? and k.size % ${tileWidth} <> 0
       and not exists (select 1 from audit_tile t where t.level = 0 and t.n = k.size / ${tileWidth})`,
    [to],
  )
}

/**
 * Deletes entries older than `before`, in whole tiles from the log's beginning, with their leaf hashes and the commitments that no entry names any more.
 * The tiles above stay, so that every entry that is left, and every checkpoint that was pinned or cosigned, can still be proved. Returns how many entries went.
 */
export const pruneLog = async (store: StoreDeps, before: Instant): Promise<number> => {
  const end = await prunableTo(store.db, before)
  const first = await firstIndex(store.db)
  for (let from = first; from < end; from = Math.min(end, from + entriesAtOnce)) {
    const to = Math.min(end, from + entriesAtOnce)
    await transact(store, async tx => {
      await subjectsAlone(tx.sql)
      const gone: { idx: number; leaf: string }[] = await tx
        .sql('audit_entry')
        .where('idx', '<', to)
        .delete()
        .returning(['idx', 'leaf'])
      await dropHashes(tx.sql, from, to)
      const commitments = await dropSubjects(tx.sql, refsOf(gone))
      await tx.sql('audit_pruned').insert({ one: true, before_idx: to, at: tx.now }).onConflict('one').merge()
      await tx.audit({
        actor: { kind: 'service', id: 'audit' },
        action: 'audit.prune',
        object: { kind: 'audit', id: 'log' },
        outcome: 'done',
        detail: { before: to, entries: gone.length, commitments },
      })
    })
  }
  return Math.max(0, end - first)
}
