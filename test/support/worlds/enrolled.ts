import { randomBytes } from 'node:crypto'
import { hours } from '../../../core/domain/clock.ts'
import type { LinkId, PatientId, PersonId, RoomId, UserId } from '../../../core/domain/ids.ts'
import { isRefusal } from '../../../core/domain/refusal.ts'
import { type SealingKeys, sealK } from '../../../core/seal.ts'
import { createLink } from '../../../core/store/links/links.ts'
import { addPatient } from '../../../core/store/patients/patients.ts'
import { type StoreDeps, transact } from '../../../core/store/tx.ts'

export type Enrolled = { patient: PatientId; person: PersonId; ghost: UserId; room: RoomId; k: Uint8Array; dob: string }

let count = 0

/** A patient in the database as enrolment leaves one: open, with ghost, room and sealed K; at no homeserver unless the caller made them. */
export const enrolled = async (
  store: StoreDeps,
  keys: Pick<SealingKeys, 'release' | 'recovery'>,
  given: { ghost?: string; room?: string; dob?: string; phone?: string } = {},
): Promise<Enrolled> => {
  const dob = given.dob ?? '1953-04-09'
  const ghost = (given.ghost ?? `@p_${randomBytes(5).toString('hex')}:clinic.example`) as UserId
  const room = (given.room ?? `!${randomBytes(8).toString('hex')}:clinic.example`) as RoomId
  const phone = given.phone ?? `+1202555${String(1000 + count++).padStart(4, '0')}`
  const added = await transact(store, tx => addPatient(tx, { phone, dob, by: '@ann:clinic.example' }))
  if (isRefusal(added)) throw new Error(added.sentence)
  const k = new Uint8Array(randomBytes(32))
  await store
    .db('patient')
    .where({ id: added.id })
    .update({ state: 'open', room_id: room, ready_at: store.clock.now() })
  await store
    .db('person')
    .where({ id: added.person })
    .update({ ghost, k: await sealK(keys, ghost, k) })
  return { patient: added.id, person: added.person, ghost, room, k, dob }
}

/** A fresh link for somebody, with its token. */
export const linkFor = (
  store: StoreDeps,
  p: Enrolled,
  publicUrl = 'http://localhost:8080',
): Promise<{ id: LinkId; token: string; url: string; expiresAt: number }> =>
  transact(store, tx =>
    createLink(tx, { person: p.person, patient: p.patient, reason: 'message', publicUrl, lifeMs: hours(72) }),
  )

/** A clinician's message that waits for this person. */
export const notice = async (store: StoreDeps, p: Enrolled, eventId = `$${randomBytes(16).toString('hex')}`) => {
  const now = store.clock.now()
  await store.db('notice').insert({
    id: `nt_${randomBytes(8).toString('hex')}`,
    patient_id: p.patient,
    person_id: p.person,
    room_id: p.room,
    event_id: eventId,
    sender: '@ann:clinic.example',
    sent_at: now,
    state: 'texted',
    updated_at: now,
  })
  return eventId
}

/** The states of a person's notices, oldest first. */
export const noticeStates = async (store: StoreDeps, p: Enrolled): Promise<string[]> =>
  (await store.db('notice').where({ person_id: p.person }).orderBy('sent_at')).map((n: { state: string }) => n.state)
