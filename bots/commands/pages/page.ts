import { triageRulesOf } from '../../../core/domain/oncall/triage/own-rules.ts'
import { triage } from '../../../core/domain/oncall/triage/triage.ts'
import { isRefusal, refuse } from '../../../core/domain/refusal.ts'
import { clinicDuty } from '../../../core/oncall/pages/clinic-duty.ts'
import { requestPage } from '../../../core/oncall/pages/request-page.ts'
import { answer } from '../../framework/answer.ts'
import { rest } from '../../framework/args.ts'
import { command } from '../../framework/command.ts'
import { findRole, notStaff, staff } from '../oncall/args.ts'
import { outcomeWords, patientIn, readUrgency, targetArg } from './page-words.ts'

export const pageCommand = command({
  words: ['page'],
  needs: staff,
  args: { target: targetArg(), text: rest('priority and words', 'urgent please call about bed 4', 2000) },
  help: 'Page whoever is on duty for a role, or a person: stat, urgent (without a word) or routine.',
  detail:
    'With a patient’s code or a link to their care room in the words, somebody who is not on that care team is asked about first. The person on duty gets an encrypted card, then a text without content and a call. The same words again with a higher priority raise the page. A priority is never lowered.',
  run: async ({ tx, sender, room, eventId, settings }, { target, text }) => {
    const { priority, words } = readUrgency(text)
    if (words === '')
      return refuse('missing', 'Write what it is about: !page cardiology urgent please call about bed 4')
    if (target.kind === 'role') {
      const role = await findRole(tx, target.role)
      if (isRefusal(role)) return role
    } else {
      const stranger = await notStaff(tx, [target.user])
      if (stranger) return stranger
    }
    const about = await patientIn(tx, words)
    const suggestion = triage({ priority, sender: sender.userId, text: words, values: [] }, triageRulesOf(settings))
    const because = [...new Set(suggestion.why.map(w => w.because))].join('; ')
    const why = suggestion.raised ? [`The words suggest ${suggestion.priority}: ${because}.`] : []
    const made = await requestPage(tx, clinicDuty, {
      target,
      priority,
      sender: sender.userId,
      actor: { kind: 'user', id: sender.userId, device: sender.deviceId },
      content: { text: words, from: sender.userId, why },
      what: words,
      ...about,
      roomId: room.roomId,
      eventId,
    })
    if (isRefusal(made)) return made
    const to = target.kind === 'role' ? target.role : target.user
    const raise = suggestion.raised
      ? [`${why[0]} To raise it: !page ${to} ${suggestion.priority} and the same words.`]
      : []
    return answer(outcomeWords(made, to), ...raise)
  },
})
