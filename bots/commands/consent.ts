import { isRefusal, refuse } from '../../core/domain/refusal.ts'
import { listConsents, liveConsents, recordConsent, revokeConsent } from '../../core/store/consents.ts'
import { personsOf } from '../../core/store/patients.ts'
import { about, answer, table } from './answer.ts'
import { choice, patientCode } from './args.ts'
import { command } from './command.ts'
import { careRoles, findPatient, findPerson, personArg, scopeArg } from './patient-args.ts'

const words = (scope: string) => scope.replace('_', ' ')

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
    await recordConsent(tx, found.person.id, scope, method, {
      kind: 'user',
      id: sender.userId,
      device: sender.deviceId,
    })
    const [consent] = (await liveConsents(tx.sql, found.person.id)).filter(c => c.scope === scope)
    return about(
      found.patient.id,
      answer(`Recorded: ${code} agreed to ${words(scope)}, ${method}, text version ${consent?.version}.`),
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
