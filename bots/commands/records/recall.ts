import { hours } from '../../../core/domain/clock.ts'
import { holdOver } from '../../../core/domain/records/hold.ts'
import { type Refusal, refuse } from '../../../core/domain/refusal.ts'
import { recordById, type StoredRecord } from '../../../core/store/records/fates.ts'
import { listHolds } from '../../../core/store/records/holds.ts'
import { askRecall, readersOf } from '../../../core/store/records/recall.ts'
import { type Answer, answer, list } from '../../framework/answer.ts'
import { type CommandContext, command } from '../../framework/command.ts'
import { messageArg } from './policy-args.ts'

const minute = (at: number) => new Date(at).toISOString().slice(0, 16).replace('T', ' ')

/** May this person recall it, and why not. */
const mayRecall = ({ tx, sender, settings }: CommandContext, r: StoredRecord): Refusal | undefined => {
  if (sender.roles.includes('supervisor') || sender.roles.includes('compliance')) return undefined
  if (r.sender !== sender.userId)
    return refuse('not-yours', 'Only its sender, a supervisor or a compliance officer may recall a message.')
  const window = settings['recall.window_hours']
  return tx.now - r.sentAt <= hours(window)
    ? undefined
    : refuse('too-late', `You can recall a message for ${window} hours after sending it; a supervisor still can.`)
}

export const recall = command({
  words: ['recall'],
  needs: ['clinician', 'supervisor', 'compliance', 'desk'],
  args: { message: messageArg() },
  help: 'Take a message back: here within a minute, and from the servers of everybody who is in its room.',
  detail: 'The answer says what is gone for certain, who was only asked, and who is known to have read it already.',
  run: async (context, { message }): Promise<Answer | Refusal> => {
    const { tx, sender, room, thread } = context
    const found = await recordById(tx.sql, message.event)
    if (!found || (message.room && message.room !== found.room))
      return refuse(
        'unknown-message',
        'This message is not known here: it is older than the records, or of another server.',
      )
    const not = mayRecall(context, found)
    if (not) return not
    if (found.doomedAt !== null || found.destroyedAt !== null) return refuse('gone', 'This message is gone already.')
    const first = await askRecall(tx, found, { by: sender.userId, chat: room.roomId, thread })
    if (!first) return refuse('recalled', 'This message was recalled already; whoever asked hears what became of it.')
    const readers = await readersOf(tx.sql, found)
    const held = holdOver(await listHolds(tx.sql), found) !== undefined
    const shown = (user: string) => (/^@p_/.test(user) ? 'the patient or a caregiver' : user)
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
  },
})
