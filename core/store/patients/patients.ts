import type { Knex } from 'knex'
import { type Preference, patientCode } from '../../domain/care/patient.ts'
import { newId, type PatientId, type PersonId, type RoomId, type UserId } from '../../domain/ids.ts'
import { type Refusal, refuse } from '../../domain/refusal.ts'
import type { Seal } from '../../seal.ts'
import { surnameHashes } from '../alerts/alert-facts.ts'
import type { Db } from '../db.ts'
import type { Tx } from '../tx.ts'

export type Lang = 'en' | 'es'
export type PatientState = 'enrolling' | 'open' | 'closed' | 'failed'

/** What the server needs of a patient; the name stays sealed until `openName`. */
export type Patient = {
  id: PatientId
  code: string
  state: PatientState
  roomId: RoomId | null
  serviceUser: UserId | null
  serviceSecret: string | null
  unit: string
  lang: Lang
  sealedName: string | null
  createdBy: string
  createdAt: number
  readyAt: number | null
}

/** A patient or caregiver: own number, birth date, consent, ghost and K (row 126). Sealed columns open with `openPerson`. */
export type Person = {
  id: PersonId
  patientId: PatientId
  kind: 'patient' | 'caregiver'
  lang: Lang
  ghost: UserId | null
  k: string | null
  phoneLookup: string
  sealedPhone: string
  sealedDob: string
  sealedName: string | null
  pin: string | null
  preference: Preference
  tries: number
  lockedAt: number | null
  removedAt: number | null
}

type Row = Record<string, unknown>
const toPatient = (r: Row): Patient => ({
  id: r.id as PatientId,
  code: r.code as string,
  state: r.state as PatientState,
  roomId: r.room_id as RoomId | null,
  serviceUser: r.service_user as UserId | null,
  serviceSecret: r.service_secret as string | null,
  unit: r.unit as string,
  lang: r.lang as Lang,
  sealedName: r.name as string | null,
  createdBy: r.created_by as string,
  createdAt: r.created_at as number,
  readyAt: r.ready_at as number | null,
})
const toPerson = (r: Row): Person => ({
  id: r.id as PersonId,
  patientId: r.patient_id as PatientId,
  kind: r.kind as Person['kind'],
  lang: r.lang as Lang,
  ghost: r.ghost as UserId | null,
  k: r.k as string | null,
  phoneLookup: r.phone_lookup as string,
  sealedPhone: r.phone as string,
  sealedDob: r.dob as string,
  sealedName: r.name as string | null,
  pin: r.pin as string | null,
  preference: r.preference as Preference,
  tries: r.tries as number,
  lockedAt: r.locked_at as number | null,
  removedAt: r.removed_at as number | null,
})

type Sql = Db | Knex.Transaction
const one = async <T>(q: Knex.QueryBuilder, to: (r: Row) => T): Promise<T | null> => {
  const row = (await q.first()) as Row | undefined
  return row ? to(row) : null
}

export const patientById = (sql: Sql, id: PatientId) => one(sql('patient').where({ id }), toPatient)
export const patientByCode = (sql: Sql, code: string) => one(sql('patient').where({ code }), toPatient)
export const patientByRoom = (sql: Sql, roomId: string) => one(sql('patient').where({ room_id: roomId }), toPatient)
export const personById = (sql: Sql, id: PersonId) => one(sql('person').where({ id }), toPerson)
export const personByGhost = (sql: Sql, ghost: string) => one(sql('person').where({ ghost }), toPerson)
/** Everybody who takes part in a patient's care room by a telephone, the patient first. */
export const personsOf = async (sql: Sql, patientId: PatientId): Promise<Person[]> =>
  (
    await sql('person')
      .where({ patient_id: patientId })
      .whereNull('removed_at')
      .orderByRaw(`kind = 'patient' desc, created_at`)
  ).map(toPerson)
/** The ghosts of everybody who takes part or ever did. */
export const ghostsOfPatient = async (sql: Sql, patientId: PatientId): Promise<UserId[]> =>
  sql('person').where({ patient_id: patientId }).whereNotNull('ghost').pluck('ghost')
/** Everybody with this number, across patients. `lookup` is `seal.lookup('phone', e164)`. */
export const personsByPhone = async (sql: Sql, lookup: string): Promise<Person[]> =>
  (await sql('person').where({ phone_lookup: lookup }).whereNull('removed_at').orderBy('created_at')).map(toPerson)
export const listPatients = async (sql: Sql, where: { unit?: string; state?: PatientState } = {}): Promise<Patient[]> =>
  (await sql('patient').where(where).orderBy('created_at')).map(toPatient)

/** The one lookup hash for telephone numbers (E.164). */
export const phoneLookup = (seal: Seal, e164: string): string => seal.lookup('phone', e164)

export const openPhone = (seal: Seal, p: Person): Promise<string> => seal.open('person.phone', p.sealedPhone)
export const openDob = (seal: Seal, p: Person): Promise<string> => seal.open('person.dob', p.sealedDob)
export const openPersonName = async (seal: Seal, p: Person): Promise<string | null> =>
  p.sealedName ? seal.open('person.name', p.sealedName) : null
export const openPatientName = async (seal: Seal, p: Patient): Promise<string | null> =>
  p.sealedName ? seal.open('patient.name', p.sealedName) : null

export type NewPerson = { phone: string; dob: string; name?: string; lang?: Lang }

const insertPerson = async (tx: Tx, patientId: PatientId, kind: Person['kind'], p: NewPerson): Promise<PersonId> => {
  const { seal, random } = tx.deps
  const id = newId<PersonId>('ps', random)
  await tx.sql('person').insert({
    id,
    patient_id: patientId,
    kind,
    phone: await seal.close('person.phone', p.phone),
    phone_lookup: phoneLookup(seal, p.phone),
    dob: await seal.close('person.dob', p.dob),
    name: p.name ? await seal.close('person.name', p.name) : null,
    surnames: p.name ? surnameHashes(seal, p.name) : null,
    lang: p.lang ?? 'en',
    created_at: tx.now,
  })
  return id
}

/** A patient whose room could not be made may be enrolled anew. */
const isThere = (state: PatientState): boolean => state === 'open' || state === 'enrolling'

/**
 * Records a new patient and hands the enrolment to the bridge (job `patient.enrol`): accepted at once, the room follows.
 * `phone` is E.164, `dob` ISO. Refuses a second open patient with the same number and birth date.
 */
export const addPatient = async (
  tx: Tx,
  p: NewPerson & { unit?: string; by: string },
): Promise<{ id: PatientId; person: PersonId; code: string } | Refusal> => {
  const { seal, random } = tx.deps
  await tx.sql.raw('select pg_advisory_xact_lock(hashtext(?))', [`phone:${phoneLookup(seal, p.phone)}`])
  for (const other of await personsByPhone(tx.sql, phoneLookup(seal, p.phone))) {
    const owner = await patientById(tx.sql, other.patientId)
    if (other.kind === 'patient' && owner && isThere(owner.state) && (await openDob(seal, other)) === p.dob)
      return refuse(
        'already-enrolled',
        `A patient with this number and date of birth is enrolled already: ${owner.code}.`,
      )
  }
  const id = newId<PatientId>('pt', random)
  let code = patientCode(random.bytes(6))
  while (await patientByCode(tx.sql, code)) code = patientCode(random.bytes(6))
  await tx.sql('patient').insert({
    id,
    code,
    state: 'enrolling',
    unit: p.unit ?? 'main',
    lang: p.lang ?? 'en',
    name: p.name ? await seal.close('patient.name', p.name) : null,
    created_at: tx.now,
    created_by: p.by,
  })
  const person = await insertPerson(tx, id, 'patient', p)
  await tx.audit({
    actor: { kind: 'user', id: p.by },
    action: 'patient.enrol',
    object: { kind: 'patient', id },
    outcome: 'done',
    patient: id,
  })
  await tx.enqueue({
    queue: 'bridge',
    kind: 'patient.enrol',
    key: `enrol:${id}`,
    lane: id,
    payload: { patientId: id },
    patient: id,
  })
  return { id, person, code }
}

/** A caregiver or proxy: an own number, birth date, ghost and link to the same room. */
export const addCaregiver = async (
  tx: Tx,
  patientId: PatientId,
  p: NewPerson & { by: string },
): Promise<PersonId | Refusal> => {
  const patient = await patientById(tx.sql, patientId)
  if (!patient || patient.state === 'closed') return refuse('closed', 'This patient is closed.')
  if (patient.state === 'failed')
    return refuse('failed', 'The care room of this patient could not be made; enrol the patient again.')
  for (const other of await personsOf(tx.sql, patientId))
    if (other.phoneLookup === phoneLookup(tx.deps.seal, p.phone) && (await openDob(tx.deps.seal, other)) === p.dob)
      return refuse('already-there', 'This person takes part already.')
  const id = await insertPerson(tx, patientId, 'caregiver', p)
  await tx.audit({
    actor: { kind: 'user', id: p.by },
    action: 'caregiver.add',
    object: { kind: 'person', id },
    outcome: 'done',
    patient: patientId,
  })
  await tx.enqueue({
    queue: 'bridge',
    kind: 'person.enrol',
    key: `enrol:${id}`,
    lane: patientId,
    payload: { personId: id },
    patient: patientId,
  })
  return id
}

/** Lets a person try again after three wrong factors. */
export const unlockPerson = async (tx: Tx, personId: PersonId, by: string): Promise<void> => {
  const person = await personById(tx.sql, personId)
  if (!person) throw new Error(`no person ${personId}`)
  await tx.sql('person').where({ id: personId }).update({ tries: 0, locked_at: null })
  await tx.audit({
    actor: { kind: 'user', id: by },
    action: 'patient.change',
    object: { kind: 'person', id: personId },
    outcome: 'done',
    patient: person.patientId,
    detail: { what: 'unlock' },
  })
}
