import { holdOver } from '../../../core/domain/records/hold.ts'
import { mayRecall } from '../../../core/domain/records/recall.ts'
import { type Refusal, refuse } from '../../../core/domain/refusal.ts'
import { tellOfRecall } from '../../../core/records/recall-tell.ts'
import { recordById, type StoredRecord } from '../../../core/store/records/fates.ts'
import { listHolds } from '../../../core/store/records/holds.ts'
import { askRecall, readersOf } from '../../../core/store/records/recall.ts'
import { isPatientUser } from '../../../core/store/records/rooms.ts'
import type { Tx } from '../../../core/store/tx.ts'
import { type Answer, answer, list } from '../../framework/answer.ts'
import { command } from '../../framework/command.ts'
import { messageArg } from './policy-args.ts'

const minute = (at: number) => new Date(at).toISOString().slice(0, 16).replace('T', ' ')

/** What whoever recalled a message hears at once: what happens now, and who is known to have read it. */
export const recallBegins = async (tx: Tx, found: StoredRecord): Promise<Answer> => {
  const readers = await readersOf(tx.sql, found)
  const held = holdOver(await listHolds(tx.sql), found) !== undefined
  const shown = (user: string) => (isPatientUser(user) ? 'the patient or a caregiver' : user)
  return answer(
    held
      ? 'It is being taken from everybody’s eyes. It is under a legal hold, so a sealed copy stays; I say here when it is done.'
      : 'It is being removed; I say here when it is gone, within a minute.',
    readers.length > 0
      ? 'Known to have read it, or something later in the room (times in UTC):'
      : 'Nobody is known to have read it. Receipts can be private, so this is no proof.',
    ...(readers.length > 0
      ? [list(readers.map(r => `${shown(r.user)}, ${minute(r.at)}`)), 'Others may have read it without a receipt.']
      : []),
  )
}

export const recall = command({
  words: ['recall'],
  needs: ['clinician', 'supervisor', 'compliance', 'desk'],
  args: { message: messageArg() },
  help: 'Take a message back: here within a minute, and from the servers of everybody who is in its room.',
  detail: 'The answer says what is gone for certain, who was only asked, and who is known to have read it already.',
  run: async (context, { message }): Promise<Answer | Refusal> => {
    const { tx, sender, settings, room, thread } = context
    const named = await recordById(tx.sql, message.event)
    // An edit is recalled with what it replaces, and with every other edit of it.
    const found = named?.edits ? await recordById(tx.sql, named.edits) : named
    if (!found || (message.room && message.room !== found.room))
      return refuse(
        'unknown-message',
        'This message is not known here: it is older than the records, or of another server.',
      )
    const not = mayRecall(sender, found, { now: tx.now, windowHours: settings['recall.window_hours'] })
    if (not) return not
    if (found.doomedAt !== null || found.destroyedAt !== null) return refuse('gone', 'This message is gone already.')
    const first = await askRecall(tx, found, { by: sender.userId, chat: room.roomId, thread })
    if (!first) return refuse('recalled', 'This message was recalled already; whoever asked hears what became of it.')
    await tellOfRecall(tx, found, sender.userId)
    return recallBegins(tx, found)
  },
})
