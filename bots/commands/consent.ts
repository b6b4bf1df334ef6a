import type { ConsentScope } from '../../core/domain/care/consent.ts'
import { isRefusal, refuse } from '../../core/domain/refusal.ts'
import { listConsents, liveConsents, recordConsent, revokeConsent } from '../../core/store/patients/consents.ts'
import { type Person, personsOf } from '../../core/store/patients/patients.ts'
import { queueText } from '../../core/store/texts/texts.ts'
import { about, answer, table } from '../framework/answer.ts'
import { choice, patientCode } from '../framework/args.ts'
import { type CommandContext, command } from '../framework/command.ts'
import { careRoles, findPatient, findPerson, personArg, scopeArg } from './patient-args.ts'

const words = (scope: string) => scope.replace('_', ' ')

/**
 * The text that carriers expect after an opt-in: who texts, that it may cost, HELP and STOP. Once for each time that a person agrees: not when a consent that lives
 * is recorded anew (newer words, a signature that follows), and not for a consent that no text needs. Returns what to add to the answer.
 */
const confirmByText = async (
  { tx, settings }: CommandContext,
  person: Person,
  scope: ConsentScope,
): Promise<string | undefined> => {
  if (scope !== 'care' && !settings['consent.required'].includes(scope)) return undefined
  const template = person.kind === 'caregiver' ? 'caregiver-welcome' : 'consent-confirmed'
  const queued = await queueText(tx, { person: person.id, template, lang: person.lang, vars: {}, class: 'care' })
  if (!isRefusal(queued)) return 'They get a text that confirms it.'
  const start = queued.code === 'stopped' ? ' They can start again by answering START.' : ''
  return `No text can go out yet: ${queued.sentence}${start}`
}

export const consentRecord = command({
  words: ['consent', 'record'],
  needs: careRoles,
  args: { code: patientCode(), scope: scopeArg(), method: choice(['written', 'verbal']), person: personArg() },
  help: 'Record that a person agreed to the consent text in force.',
  detail: 'Read the text to them first: !consent show and the code.',
  run: async (context, { code, scope, method, person: n }) => {
    const { tx, sender } = context
    const found = await findPerson(context, code, n)
    if (isRefusal(found)) return found
    const again = (await liveConsents(tx.sql, found.person.id)).some(c => c.scope === scope)
    await recordConsent(tx, found.person.id, scope, method, {
      kind: 'user',
      id: sender.userId,
      device: sender.deviceId,
    })
    const [consent] = (await liveConsents(tx.sql, found.person.id)).filter(c => c.scope === scope)
    const confirmed = again ? undefined : await confirmByText(context, found.person, scope)
    return about(
      found.patient.id,
      answer(
        `Recorded: ${code} agreed to ${words(scope)}, ${method}, text version ${consent?.version}.`,
        ...(confirmed ? [confirmed] : []),
      ),
    )
  },
})

export const consentRevoke = command({
  words: ['consent', 'revoke'],
  needs: careRoles,
  args: { code: patientCode(), scope: scopeArg(), person: personArg() },
  help: 'Record that a person withdrew a consent; nothing of that kind is sent any more.',
  run: async (context, { code, scope, person: n }) => {
    const { tx, sender } = context
    const found = await findPerson(context, code, n)
    if (isRefusal(found)) return found
    const actor = { kind: 'user' as const, id: sender.userId, device: sender.deviceId }
    if (!(await revokeConsent(tx, found.person.id, scope, actor)))
      return refuse('no-consent', `${code} had no consent to ${words(scope)}.`)
    return about(found.patient.id, answer(`Withdrawn: ${code} no longer agrees to ${words(scope)}.`))
  },
})

export const consentShow = command({
  words: ['consent', 'show'],
  needs: [...careRoles, 'compliance'],
  args: { code: patientCode(), person: personArg() },
  help: 'What a person agreed to, and the words of each consent in their language.',
  run: async (context, { code, person: n = 1 }) => {
    const { tx, sender, room } = context
    const patient = await findPatient(context, code)
    if (isRefusal(patient)) return patient
    const person = (await personsOf(tx.sql, patient.id))[n - 1]
    if (!person) return refuse('unknown-person', `${code} has no person ${n}.`)
    const ledger = await listConsents(tx.sql, person.id)
    await tx.audit({
      actor: { kind: 'user', id: sender.userId, device: sender.deviceId },
      action: 'consent.view',
      object: { kind: 'person', id: person.id },
      outcome: 'done',
      patient: patient.id,
      room: room.roomId,
    })
    return about(
      patient.id,
      answer(
        ...table(
          ['Consent', 'Agreed', 'Version', 'How', 'When'],
          ledger.map(c => [
            words(c.scope),
            c.agreed ? 'yes' : 'no',
            String(c.version),
            c.method ?? '',
            c.at === null ? '' : new Date(c.at).toISOString().slice(0, 10),
          ]),
        ),
        ...ledger.map(c => `${c.title[person.lang]}: ${c.text[person.lang]}`),
      ),
    )
  },
})
