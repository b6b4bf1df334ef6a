import { consentScopes } from '../../core/domain/care/consent.ts'
import { isRefusal, type Refusal, refuse } from '../../core/domain/refusal.ts'
import { type Patient, type Person, patientByCode, personsOf } from '../../core/store/patients/patients.ts'
import { choice, integer, named, optional, phrase } from '../framework/args.ts'
import type { CommandContext } from '../framework/command.ts'

/** Who works with patients. */
export const careRoles = ['desk', 'clinician'] as const

export const langArg = () => optional(named('lang', choice(['en', 'es'])))
export const nameArg = () => optional(named('name', { ...phrase('name', 'Ann Example', 80), usage: '"…"' }))
/** Which of a patient's persons, as `!patient status` numbers them; the patient without it. */
export const personArg = () => optional(named('person', integer(1, 50, '<no.>')))
export const scopeArg = () => choice(consentScopes)

/** The patient of a code. */
export const findPatient = async ({ tx }: Pick<CommandContext, 'tx'>, code: string): Promise<Patient | Refusal> =>
  (await patientByCode(tx.sql, code)) ?? refuse('unknown-patient', `There is no patient ${code}.`)

/** A patient and one of their persons; refused when the patient is closed. */
export const findPerson = async (
  context: Pick<CommandContext, 'tx'>,
  code: string,
  n = 1,
): Promise<{ patient: Patient; person: Person } | Refusal> => {
  const patient = await findPatient(context, code)
  if (isRefusal(patient)) return patient
  if (patient.state === 'closed') return refuse('closed', `${code} is closed.`)
  const person = (await personsOf(context.tx.sql, patient.id))[n - 1]
  return person
    ? { patient, person }
    : refuse('unknown-person', `${code} has no person ${n}; see !patient status ${code}.`)
}
