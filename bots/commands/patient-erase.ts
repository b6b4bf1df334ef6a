import { days } from '../../core/domain/clock.ts'
import { isRefusal, type Refusal, refuse } from '../../core/domain/refusal.ts'
import {
  ghostsOfPatient,
  type Patient,
  patientById,
  personsByPhone,
  phoneLookup,
} from '../../core/store/patients/patients.ts'
import { exitFate } from '../../core/store/records/exit-facts.ts'
import { readSettings } from '../../core/store/staff/settings.ts'
import type { Tx } from '../../core/store/tx.ts'
import { type Answer, about, type Block, fields } from '../framework/answer.ts'
import { type Arg, patientCode, phone } from '../framework/args.ts'
import { type CommandContext, command } from '../framework/command.ts'
import { proposeForApproval } from './changes.ts'
import { findPatient } from './patient-args.ts'
import { whyNotErased } from './records/erase.ts'

type Named = { code: string } | { number: string }

/** A patient's code, or the number on file. */
const patientOrNumber = (): Arg<Named> => ({
  usage: '<code>|<number>',
  example: 'K7M-4QP',
  take: (tokens, env) => {
    const code = patientCode().take(tokens, env)
    if (!isRefusal(code)) return { value: { code: code.value }, used: code.used }
    const number = phone().take(tokens, env)
    return isRefusal(number) ? code : { value: { number: number.value }, used: number.used }
  },
})

/** The one patient that is meant; a number that several share names none of them. */
const meant = async ({ tx }: Pick<CommandContext, 'tx'>, named: Named): Promise<Patient | Refusal> => {
  if ('code' in named) return findPatient({ tx }, named.code)
  const persons = await personsByPhone(tx.sql, phoneLookup(tx.deps.seal, named.number))
  const ids = [...new Set(persons.filter(p => p.kind === 'patient').map(p => p.patientId))]
  const patients: Patient[] = []
  for (const id of ids) {
    const one = await patientById(tx.sql, id)
    if (one) patients.push(one)
  }
  const [only, second] = patients
  if (!only) return refuse('unknown-patient', 'There is no patient with this number.')
  return second
    ? refuse('several', `Several patients have this number; name one by code: ${patients.map(p => p.code).join(', ')}.`)
    : only
}

const goes = async (tx: Tx, patient: Patient): Promise<Block[]> => {
  const persons = await ghostsOfPatient(tx.sql, patient.id)
  const messages = (await exitFate(tx.sql, patient.id, tx.now, true))?.messages ?? 0
  const backups = (await readSettings(tx.sql))['recall.backup_days']
  return [
    fields(
      ['Destroyed', `${messages} messages that are still there, here and, as asked, at other hospitals' servers`],
      [
        'Then destroyed',
        `the keys of ${persons.length} person${persons.length === 1 ? '' : 's'}: the sealed key, the waiting device, the key backup, secret storage; ` +
          'their accounts, sessions, links, numbers, dates of birth and names',
      ],
      ['The audit log', 'keeps every entry and proof; nobody can tell any more which were about this patient'],
      [
        'Stays elsewhere',
        `backups, until ${new Date(tx.now + days(backups)).toISOString().slice(0, 10)}; what clinicians have on their devices or copied; exports that were made; what audit sinks with identify on were told; the text provider's own records`,
      ],
      ['A copy first', `it cannot be undone: !export request patient ${patient.code} copy …`],
    ),
  ]
}

export const patientErase = command({
  words: ['patient', 'erase'],
  needs: 'compliance',
  args: { patient: patientOrNumber() },
  help: "End a closed patient's record for good: messages, keys and identity are destroyed, with a certificate; a second person approves.",
  detail: 'Refused under a legal hold, before a statutory minimum is over, and while an export waits.',
  phi: true,
  run: async (context, { patient: named }): Promise<Answer | Refusal> => {
    const { tx } = context
    const patient = await meant(context, named)
    if (isRefusal(patient)) return patient
    const refused = await whyNotErased(tx, patient)
    if (refused) return refused
    const change = { kind: 'patient.erase' as const, patient: patient.id, code: patient.code }
    const said = await proposeForApproval(context, change, await goes(tx, patient))
    return isRefusal(said) ? said : about(patient.id, said)
  },
})
