import type { ConsentScope } from '../../domain/care/consent.ts'
import type { PatientId, PersonId } from '../../domain/ids.ts'
import { type Refusal, refuse } from '../../domain/refusal.ts'
import { withdrawLinks } from '../links/links.ts'
import { endSessionsOf } from '../links/sessions.ts'
import type { Tx } from '../tx.ts'
import { liveConsents, recordConsent, revokeConsent } from './consents.ts'
import { advanceNotices } from './notices.ts'
import { personById, phoneLookup } from './patients.ts'

/** Nothing opens any more: links and the running session end at once, each with its audit event; the session's device goes with the next sweep at the latest. */
const endAccess = async (tx: Tx, person: PersonId, reason: 'closed' | 'number-changed' | 'removed'): Promise<void> => {
  await withdrawLinks(tx, person, reason)
  await endSessionsOf(tx, person, reason)
}

/** Ends a patient: links and sessions of everybody end, the room is archived by the bridge (job `patient.close`). */
export const closePatient = async (tx: Tx, patientId: PatientId, by: string): Promise<Refusal | undefined> => {
  const changed = await tx
    .sql('patient')
    .where({ id: patientId })
    .whereNot({ state: 'closed' })
    .update({ state: 'closed', closed_at: tx.now })
  if (changed === 0) return refuse('closed', 'This patient is closed already.')
  const persons: { id: PersonId }[] = await tx
    .sql('person')
    .where({ patient_id: patientId })
    .orderBy('created_at')
    .select('id')
  for (const { id } of persons) await endAccess(tx, id, 'closed')
  // Windows that run from the discharge begin now.
  await tx.sql.raw(
    `insert into record_room (room_id, active_at, discharged_at) select room_id, ?, ? from patient where id = ? and room_id is not null
     on conflict (room_id) do update set discharged_at = excluded.discharged_at`,
    [tx.now, tx.now, patientId],
  )
  await tx.audit({
    actor: { kind: 'user', id: by },
    action: 'patient.close',
    object: { kind: 'patient', id: patientId },
    outcome: 'done',
    patient: patientId,
  })
  await tx.enqueue({
    queue: 'bridge',
    kind: 'patient.close',
    key: `close:${patientId}`,
    lane: patientId,
    payload: { patientId },
    patient: patientId,
  })
  return undefined
}

/**
 * A new number: old links and sessions end, tries start afresh, a code that went to the old number is void. Consent was given for the old one: it is withdrawn,
 * so that no text goes out before it is recorded anew; or, where the person has just confirmed it, recorded anew here (verbal). Returns the scopes concerned.
 */
export const changeNumber = async (
  tx: Tx,
  personId: PersonId,
  e164: string,
  by: string,
  consent: 'anew' | 'confirmed' = 'anew',
): Promise<ConsentScope[]> => {
  const { seal } = tx.deps
  const person = await personById(tx.sql, personId)
  if (!person) throw new Error(`no person ${personId}`)
  await tx
    .sql('person')
    .where({ id: personId })
    .update({
      phone: await seal.close('person.phone', e164),
      phone_lookup: phoneLookup(seal, e164),
      tries: 0,
      locked_at: null,
    })
  await tx.sql('sms_code').where({ person_id: personId }).delete()
  await endAccess(tx, personId, 'number-changed')
  const actor = { kind: 'user', id: by } as const
  await tx.audit({
    actor,
    action: 'patient.change',
    object: { kind: 'person', id: personId },
    outcome: 'done',
    patient: person.patientId,
    detail: { what: 'number', consent },
  })
  if (person.phoneLookup === phoneLookup(seal, e164)) return []
  const scopes = (await liveConsents(tx.sql, personId)).map(c => c.scope)
  for (const scope of scopes)
    if (consent === 'confirmed') await recordConsent(tx, personId, scope, 'verbal', actor)
    else await revokeConsent(tx, personId, scope, actor)
  return scopes
}

/** A caregiver takes part no more: link, page, key and texts end here, the bridge takes their ghost out of the room (job `person.leave`). */
export const removeCaregiver = async (tx: Tx, personId: PersonId, by: string): Promise<Refusal | undefined> => {
  const person = await personById(tx.sql, personId)
  if (person?.kind !== 'caregiver')
    return refuse('not-caregiver', 'Only a caregiver can be removed; a patient is closed.')
  const changed = await tx.sql('person').where({ id: personId }).whereNull('removed_at').update({ removed_at: tx.now })
  if (changed === 0) return refuse('removed', 'This person takes part no more.')
  await endAccess(tx, personId, 'removed')
  await advanceNotices(tx, { person: personId }, { kind: 'withdrawn' })
  await tx.audit({
    actor: { kind: 'user', id: by },
    action: 'caregiver.remove',
    object: { kind: 'person', id: personId },
    outcome: 'done',
    patient: person.patientId,
  })
  await tx.enqueue({
    queue: 'bridge',
    kind: 'person.leave',
    key: `leave:${personId}`,
    lane: person.patientId,
    payload: { personId },
    patient: person.patientId,
  })
  return undefined
}
