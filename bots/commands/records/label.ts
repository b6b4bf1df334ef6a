import { days } from '../../../core/domain/clock.ts'
import { isEphemeralLabel } from '../../../core/domain/records/ephemeral.ts'
import { valueWords } from '../../../core/domain/records/policy-words.ts'
import { type Refusal, refuse } from '../../../core/domain/refusal.ts'
import { recordById } from '../../../core/store/records/fates.ts'
import { carries, previewLabel } from '../../../core/store/records/labels.ts'
import { listPolicies } from '../../../core/store/records/policies.ts'
import { isKnownRoom, patientOfRoom } from '../../../core/store/records/rooms.ts'
import { type Answer, fields } from '../../framework/answer.ts'
import { choice, optional, word } from '../../framework/args.ts'
import { command } from '../../framework/command.ts'
import { proposeForApproval } from '../changes.ts'
import { readLabel, targetArg } from './policy-args.ts'

const label = () => word('<label>', 'billing', text => readLabel(text))
const day = (at: number) => new Date(at).toISOString().slice(0, 10)

export const retentionLabel = command({
  words: ['retention', 'label'],
  needs: ['compliance', 'admin'],
  args: { target: targetArg(), label: label(), off: optional(choice(['off'])) },
  help: 'Put a label on a room (all that was and will be written there) or on one message, or take it off, so that the rule of that label counts.',
  detail: 'A rule is made for a label by !retention set label. Shows what would go; a second person approves it.',
  run: async (context, { target, label: name, off }): Promise<Answer | Refusal> => {
    const { tx } = context
    if (isEphemeralLabel(name))
      return refuse('reserved', 'What is ephemeral has its label from !ephemeral; choose another name.')
    const found = target.event ? await recordById(tx.sql, target.event) : undefined
    if (target.event && found?.room !== target.room)
      return refuse(
        'unknown-message',
        'This message is not known here: it is older than the records, or of another server.',
      )
    if (found && (found.doomedAt !== null || found.destroyedAt !== null))
      return refuse('gone', 'This message is gone already, or goes now.')
    if (!(await isKnownRoom(tx.sql, target.room)))
      return refuse('unknown-room', 'No message of this room was ever seen here; is it the right room?')
    const change = { ...target, label: name, on: off === undefined }
    if ((await carries(tx.sql, change)) === change.on)
      return refuse('no-change', change.on ? `It has the label ${name} already.` : `It has no label ${name}.`)
    const soon = [0, 30, 365]
    const { messages, before, after } = await previewLabel(
      tx,
      change,
      soon.map(n => tx.now + days(n)),
    )
    const rules = (await listPolicies(tx.sql)).filter(p => p.scope.kind === 'label' && p.scope.label === name)
    const patient = (await patientOfRoom(tx.sql, target.room)) ?? undefined
    return proposeForApproval(context, { kind: 'retention.label', ...change, patient }, [
      fields(
        ['Messages', String(messages)],
        [
          'Rule of the label',
          rules.map(p => `${p.minimum ? 'at least' : 'at most'} ${valueWords(p)}`).join('; ') ||
            'none yet: !retention set label makes one',
        ],
        ...soon.map(
          (n, i) =>
            [
              `Would go ${n === 0 ? 'at once' : `until ${day(tx.now + days(n))}`}`,
              `${after[i]} messages of all rooms (by the present labels ${before[i]})`,
            ] as const,
        ),
      ),
    ])
  },
})
