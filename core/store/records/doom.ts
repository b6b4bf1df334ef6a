import type { Tx } from '../tx.ts'
import { type Due, dueRecords } from './fates.ts'
import { holdLock } from './holds.ts'

/**
 * Decides once more, in this transaction, what of `due` is still to go, and commits the point of no return for it: from then on no hold and no policy brings it
 * back, and it must be destroyed. No hold can be placed between the decision and its commit. What is only to be hidden is noted as hidden. Returns what was
 * decided; the rest stays.
 */
export const passPointOfNoReturn = async (tx: Tx, run: string, limit: number): Promise<Due[]> => {
  await tx.sql.raw('select pg_advisory_xact_lock(?)', [holdLock])
  const due = await dueRecords(tx.sql, tx.now, { limit })
  const goes = due.filter(d => d.fate === 'destroy')
  const hides = due.filter(d => d.fate === 'hide')
  if (goes.length > 0)
    await tx.sql.raw(
      `update record r set doomed_at = ?, run_id = ?, rule = e.rule::jsonb
       from unnest(?::text[], ?::text[]) as e(event_id, rule) where r.event_id = e.event_id and r.doomed_at is null`,
      [tx.now, run, goes.map(d => d.event), goes.map(d => JSON.stringify(d.rule))] as never,
    )
  if (hides.length > 0)
    await tx
      .sql('record')
      .whereIn(
        'event_id',
        hides.map(d => d.event),
      )
      .whereNull('hidden_at')
      .update({ hidden_at: tx.now })
  return due
}
