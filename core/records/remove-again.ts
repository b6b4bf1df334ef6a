import { dueAgain, noteAgain } from '../store/records/recall.ts'
import { transact } from '../store/tx.ts'
import type { DeletionDeps } from './deletion.ts'
import { redact } from './removal.ts'

const batch = 100

/**
 * Removes recalled messages and their edits in their rooms once more, for clients whose window stayed open and that missed the first removal (`removeAgainAt`).
 * Returns how many messages it was about. Safe to repeat. @throws when the homeserver is away; the next time goes on.
 */
export const removeAgain = async (d: DeletionDeps): Promise<number> => {
  const due = await dueAgain(d.store, { classes: d.classes, now: d.store.clock.now(), limit: batch })
  for (const one of due) {
    for (const event of one.events) await redact(d, event, one.room, 'recall', one.again + 1)
    await transact(d.store, tx => noteAgain(tx, one))
  }
  return due.length
}
