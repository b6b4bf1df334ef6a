import { isRefusal } from '../../../core/domain/refusal.ts'
import { type HoldCover, type HoldCriteria, placeHold } from '../../../core/store/records/holds.ts'
import { type StoreDeps, transact } from '../../../core/store/tx.ts'

/** A legal hold that stands. */
export const placed = async (
  store: StoreDeps,
  criteria: HoldCriteria,
  matter: string,
): Promise<{ id: string; cover: HoldCover }> => {
  const hold = await transact(store, tx => placeHold(tx, criteria, { matter, by: '@cora:h' }))
  if (isRefusal(hold)) throw new Error(hold.sentence)
  return hold
}
