import { setTimeout as pause } from 'node:timers/promises'
import { careRoom, careRoomTopic } from '../../../core/domain/care/care-room.ts'
import { careRoomName } from '../../../core/domain/care/patient.ts'
import { base32, type PatientId, type PersonId, type RoomId, type UserId } from '../../../core/domain/ids.ts'
import { isOutage } from '../../../core/error-facts.ts'
import { createIdentity, createServiceIdentity } from '../../../core/matrix/ghost-identity.ts'
import { MatrixRefusal } from '../../../core/matrix/homeserver.ts'
import type { JobHandler } from '../../../core/queues/outbox-worker.ts'
import { sealK } from '../../../core/seal.ts'
import {
  claimServiceUser,
  cliniciansGranted,
  noteRoom,
  openPatient,
  recordRoom,
  storeGhost,
} from '../../../core/store/patients/care.ts'
import {
  openPatientName,
  type Patient,
  type Person,
  patientById,
  personById,
  personsOf,
} from '../../../core/store/patients/patients.ts'
import { hasUnsaid } from '../../../core/store/queues/outbox.ts'
import { readSettings } from '../../../core/store/staff/settings.ts'
import { transact } from '../../../core/store/tx.ts'
import type { CareDeps } from '../deps.ts'
import { addToSpace, patientReadsAvatar, unitSpace } from './units.ts'

const freshUser = (deps: CareDeps, prefix: 'p' | 'r'): UserId =>
  `@${prefix}_${base32(deps.store.random.bytes(20))}:${deps.ghosts.serverName}` as UserId

/** Makes a person's ghost, unless an earlier try did. A try that died in between leaves an account that is in no room and that nobody uses. */
const ghostOf = async (deps: CareDeps, person: Person): Promise<UserId> => {
  if (person.ghost) return person.ghost
  const ghost = freshUser(deps, 'p')
  const { k, dehydratedDeviceId } = await createIdentity({
    homeserver: deps.homeserver,
    userId: ghost,
    deviceName: 'Patient page',
    random: deps.store.random,
  })
  const sealed = await sealK(deps.keys, ghost, k)
  k.fill(0)
  await transact(deps.store, async tx => {
    await storeGhost(tx, person.id, ghost, sealed, dehydratedDeviceId)
    await tx.audit({
      actor: { kind: 'service', id: 'bridge' },
      action: 'device.create',
      object: { kind: 'person', id: person.id },
      outcome: 'done',
      patient: person.patientId,
      detail: { kind: 'dehydrated' },
    })
  })
  const stored = await personById(deps.store.db, person.id)
  if (!stored?.ghost) throw new Error(`the ghost of ${person.id} was not stored`)
  return stored.ghost
}

/** The room's owner: an identity of its own, without a standing device, in no other room. */
const ownerOf = async (deps: CareDeps, patient: Patient): Promise<UserId> => {
  if (patient.serviceUser) return patient.serviceUser
  const owner = freshUser(deps, 'r')
  const { k } = await createServiceIdentity({
    homeserver: deps.homeserver,
    userId: owner,
    deviceName: 'Wardroom',
    random: deps.store.random,
  })
  const sealed = await deps.store.seal.close('patient.service_secret', Buffer.from(k).toString('base64url'))
  k.fill(0)
  await transact(deps.store, tx => claimServiceUser(tx, patient.id, owner, sealed))
  return owner
}

const makeRoom = async (deps: CareDeps, patient: Patient, owner: UserId): Promise<RoomId> => {
  const [existing] = await deps.ghosts.roomsOf(owner)
  if (existing) return existing
  const settings = await readSettings(deps.store.db)
  const name = careRoomName(settings['room.name_policy'], patient.code, await openPatientName(deps.store.seal, patient))
  const parent = await unitSpace(deps, patient.unit)
  return deps.ghosts.createRoom(
    owner,
    careRoom({
      name,
      topic: careRoomTopic,
      avatar: await patientReadsAvatar(deps, patient.unit),
      invite: [],
      parent,
      via: deps.ghosts.serverName,
    }),
  )
}

/** Invites the staff; those whom a server refuses are returned: one of them must not keep a patient from being enrolled. */
const inviteStaff = async (deps: CareDeps, owner: UserId, room: RoomId): Promise<string[]> => {
  const refused: string[] = []
  for (const user of await cliniciansGranted(deps.store.db))
    try {
      await deps.ghosts.invite(owner, room, user)
    } catch (e) {
      if (!(e instanceof MatrixRefusal) || isOutage(e)) throw e
      deps.log.warn({ errcode: e.errcode }, 'somebody of the staff could not be invited to a care room')
      refused.push(user)
    }
  return refused
}

const actor = { kind: 'service', id: 'bridge' } as const

const longestCourtesyMs = 1500

/** Whoever enrols a patient waits for the bot's answer, and nobody waits for the room yet: making it, the homeserver's longest work, begins when the answer is out. */
const afterTheAnswer = async (deps: CareDeps, patient: PatientId): Promise<void> => {
  const from = performance.now()
  while (performance.now() - from < longestCourtesyMs && (await hasUnsaid(deps.store, patient))) await pause(25)
}

/** Job `patient.enrol`: ghost, owner, room, card. Every step is found done when the job runs again. */
export const enrolPatient =
  (deps: CareDeps): JobHandler =>
  async job => {
    const { patientId } = job.payload as { patientId: PatientId }
    const patient = await patientById(deps.store.db, patientId)
    if (patient?.state !== 'enrolling') return { kind: 'done' }
    await afterTheAnswer(deps, patientId)
    const persons = await personsOf(deps.store.db, patientId)
    const [owner, ...ghosts] = await Promise.all([ownerOf(deps, patient), ...persons.map(p => ghostOf(deps, p))])
    const room = await makeRoom(deps, patient, owner)
    // Known before anybody can write in it: a message that nobody knows a patient for would be lost, and a closing must find the room.
    await transact(deps.store, tx => noteRoom(tx, patientId, room))
    for (const ghost of ghosts) {
      await deps.ghosts.invite(owner, room, ghost)
      await deps.ghosts.join(ghost, room)
    }
    await addToSpace(deps, patient.unit, room)
    const uninvited = await inviteStaff(deps, owner, room)
    const ready = `${patient.code} is ready: https://matrix.to/#/${room}`
    const missing = uninvited.length > 0 ? [`Could not be invited: ${uninvited.join(', ')}.`] : []
    return {
      kind: 'done',
      apply: async tx => {
        if (!(await openPatient(tx, patientId, room))) return
        await recordRoom(tx, { roomId: room, class: 'care', patientId, unit: patient.unit, by: owner })
        await tx.audit({
          actor,
          action: 'patient.ready',
          object: { kind: 'patient', id: patientId },
          outcome: 'done',
          patient: patientId,
          room,
          detail: { uninvited: uninvited.length },
        })
        await tx.enqueue({
          queue: 'bridge',
          kind: 'care.card',
          key: `card:${patientId}:first`,
          lane: room,
          payload: { patientId },
          patient: patientId,
        })
        await tx.enqueue({
          queue: 'bots',
          kind: 'bot.say',
          key: `ready:${patientId}`,
          payload: { to: { user: patient.createdBy }, text: [ready, ...missing].join('\n') },
          patient: patientId,
        })
      },
    }
  }

/** Job `person.enrol`: a caregiver's ghost joins the patient's room. */
export const enrolPerson =
  (deps: CareDeps): JobHandler =>
  async job => {
    const { personId } = job.payload as { personId: PersonId }
    const person = await personById(deps.store.db, personId)
    const patient = person && (await patientById(deps.store.db, person.patientId))
    if (!person || !patient || person.removedAt || patient.state === 'closed' || patient.state === 'failed')
      return { kind: 'done' }
    if (!patient.roomId || !patient.serviceUser)
      return { kind: 'retry', after: 1000, reason: 'the care room is not ready yet' }
    const ghost = await ghostOf(deps, person)
    await deps.ghosts.invite(patient.serviceUser, patient.roomId, ghost)
    await deps.ghosts.join(ghost, patient.roomId)
    const roomId = patient.roomId
    return {
      kind: 'done',
      apply: async tx => {
        await tx.audit({
          actor,
          action: 'room.member',
          object: { kind: 'person', id: personId },
          outcome: 'done',
          patient: patient.id,
          room: roomId,
          detail: { joined: true },
        })
        await tx.enqueue({
          queue: 'bridge',
          kind: 'care.card',
          key: `card:${personId}`,
          lane: roomId,
          payload: { patientId: patient.id },
          patient: patient.id,
        })
      },
    }
  }
