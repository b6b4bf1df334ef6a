import type { PatientId } from '../../../core/domain/ids.ts'
import { type Refusal, refuse } from '../../../core/domain/refusal.ts'
import { type Patient, patientById } from '../../../core/store/patients/patients.ts'
import { exitFate, exitOf } from '../../../core/store/records/exit-facts.ts'
import { requestExit } from '../../../core/store/records/exits.ts'
import { listPolicies } from '../../../core/store/records/policies.ts'
import type { Tx } from '../../../core/store/tx.ts'
import { type Answer, answer } from '../../framework/answer.ts'
import { keysOf } from './keys-of.ts'
import { exitWords } from './rule-words.ts'

const kept = (why: string): Refusal => refuse('kept', `Nothing is destroyed. The record is ${why}.`)

/** Why this patient's record cannot end now. */
export const whyNotErased = async (tx: Tx, patient: Patient): Promise<Refusal | undefined> => {
  const exit = await exitOf(tx.sql, patient.id)
  if (exit)
    return refuse('begun', `That was decided already. The keys of ${patient.code}: ${await keysOf(tx, patient.id)}.`)
  if (patient.state !== 'closed')
    return refuse('not-closed', `${patient.code} is in care. The desk closes first: !patient close ${patient.code}`)
  const decision = (await exitFate(tx.sql, patient.id, tx.now, true))?.decision
  return decision?.do === 'keep' && decision.why !== 'messages'
    ? kept(exitWords(decision, await listPolicies(tx.sql)))
    : undefined
}

/** What two people have decided; looked at once more, since things may have changed between the two. */
export const erasePatientNow = async (
  tx: Tx,
  { patient, code }: { patient: PatientId; code: string },
  people: { by: string; approvedBy: string },
): Promise<Answer | Refusal> => {
  const found = await patientById(tx.sql, patient)
  const refused = found && (await whyNotErased(tx, found))
  if (refused) return refused
  const why = await requestExit(tx, patient, people)
  if (why) return kept(exitWords(why, await listPolicies(tx.sql)))
  return answer(
    `Done: the record of ${code} ends. Its messages go within a minute, then the keys; !patient status ${code} shows the certificate.`,
  )
}
