import { guardWords } from '../../../core/domain/oncall/admission/misdirection.ts'
import { triage } from '../../../core/domain/oncall/triage/triage.ts'
import { defaultTriageRules } from '../../../core/domain/oncall/triage/triage-rules.ts'
import { isRefusal, refuse } from '../../../core/domain/refusal.ts'
import { clinicDuty } from '../../../core/oncall/pages/clinic-duty.ts'
import { localName } from '../../../core/oncall/pages/look-up.ts'
import { type Requested, requestPage } from '../../../core/oncall/pages/request-page.ts'
import { answer } from '../../framework/answer.ts'
import { rest } from '../../framework/args.ts'
import { command } from '../../framework/command.ts'
import { findRole, staff } from '../oncall/args.ts'
import { readUrgency, targetArg } from './page-words.ts'

const outcome = (made: Requested, to: string): string => {
  if (made.guard) {
    const right = made.guard.right.map(r => `!choose ${made.ref} ${r}`)
    const sure = `!choose ${made.ref} ${made.guard.intended.join(' ')}`
    const doubt = guardWords(made.guard.reasons, localName)
    return `${made.ref}: ${doubt} Nobody is called yet. ${[...right, sure].join(' · ')}`
  }
  if (made.joined) return `${made.ref}: this is one more of a page that is under way (${made.count}, ${made.priority}).`
  if (made.startAt !== null) return `${made.ref}: routine, goes with the next digest. To send it now, page as urgent.`
  return `${made.ref}: paging ${to}, ${made.priority}. I tell you what happens.`
}

export const pageCommand = command({
  words: ['page'],
  needs: staff,
  args: { target: targetArg(), text: rest('priority and words', 'urgent please call about bed 4', 2000) },
  help: 'Page whoever is on duty for a role, or a person: stat, urgent (without a word) or routine.',
  detail:
    'The person on duty gets an encrypted card, then a text without content and a call. The same words again with a higher priority raise the page. A priority is never lowered.',
  run: async ({ tx, sender, room, eventId }, { target, text }) => {
    const { priority, words } = readUrgency(text)
    if (words === '')
      return refuse('missing', 'Write what it is about: !page cardiology urgent please call about bed 4')
    if (target.kind === 'role') {
      const role = await findRole(tx, target.role)
      if (isRefusal(role)) return role
    }
    const suggestion = triage({ priority, sender: sender.userId, text: words, values: [] }, defaultTriageRules)
    const because = [...new Set(suggestion.why.map(w => w.because))].join('; ')
    const why = suggestion.raised ? [`The words suggest ${suggestion.priority}: ${because}.`] : []
    const made = await requestPage(tx, clinicDuty, {
      target,
      priority,
      sender: sender.userId,
      actor: { kind: 'user', id: sender.userId, device: sender.deviceId },
      content: { text: words, from: sender.userId, why },
      what: words,
      roomId: room.roomId,
      eventId,
    })
    if (isRefusal(made)) return made
    const to = target.kind === 'role' ? target.role : target.user
    const raise = suggestion.raised
      ? [`${why[0]} To raise it: !page ${to} ${suggestion.priority} and the same words.`]
      : []
    return answer(outcome(made, to), ...raise)
  },
})
