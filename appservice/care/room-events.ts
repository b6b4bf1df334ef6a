import type { EventId, UserId } from '../../core/domain/ids.ts'
import type { Effects } from '../../core/queues/inbox-worker.ts'
import { wroteBefore } from '../../core/store/patients/care.ts'
import { advanceNotices } from '../../core/store/patients/notices.ts'
import { type Patient, patientByRoom, personByGhost, personsOf } from '../../core/store/patients/patients.ts'
import type { InboxEvent, RawEvent } from '../../core/store/queues/inbox.ts'
import { readSettings } from '../../core/store/staff/settings.ts'
import type { CareDeps } from './deps.ts'
import { noticeFor } from './notices/notify.ts'

const ignore: Effects = { kind: 'ignore' }

/** A clinician's message: nobody here can read it; the patient and each caregiver get one notice. */
const message = async (deps: CareDeps, patient: Patient, event: InboxEvent): Promise<Effects> => {
  const writer = await personByGhost(deps.store.db, event.sender)
  const persons = await personsOf(deps.store.db, patient.id)
  return {
    kind: 'done',
    apply: async tx => {
      if (writer) {
        await advanceNotices(tx, { person: writer.id }, { kind: 'answered' })
        return
      }
      const settings = await readSettings(tx.sql)
      const at = { roomId: event.roomId, eventId: event.eventId, sender: event.sender, sentAt: tx.now }
      for (const person of persons) await noticeFor(tx, person, at, { settings, publicUrl: deps.publicUrl })
    },
  }
}

/** Was this member invited by the room's owner, which holds no keys, after something had been written? Then its devices cannot read that. */
const cameWithoutHistory = async (deps: CareDeps, patient: Patient, event: InboxEvent): Promise<boolean> => {
  const unsigned = event.raw.unsigned ?? {}
  const before = (unsigned.replaces_state ?? event.raw.replaces_state) as EventId | undefined
  if (!before || !patient.serviceUser) return false
  const invite = await deps.homeserver.request<RawEvent>(
    'GET',
    `/_matrix/client/v3/rooms/${encodeURIComponent(event.roomId)}/event/${encodeURIComponent(before)}`,
    { userId: patient.serviceUser },
  )
  if (invite.content.membership !== 'invite' || invite.sender !== patient.serviceUser) return false
  return wroteBefore(deps.store.db, event.roomId, invite.origin_server_ts)
}

/** Somebody of the staff joined: the card again, so that they find it, and the unit's Space. */
const joined = async (deps: CareDeps, patient: Patient, event: InboxEvent): Promise<Effects> => {
  const user = event.stateKey as UserId
  if (user === patient.serviceUser || (await personByGhost(deps.store.db, user))) return ignore
  const again = (event.raw.unsigned?.prev_content as { membership?: string } | undefined)?.membership === 'join'
  if (again) return ignore
  const stranger = (await cameWithoutHistory(deps, patient, event)) ? user : undefined
  return {
    kind: 'done',
    apply: async tx => {
      await tx.audit({
        actor: { kind: 'user', id: user },
        action: 'room.member',
        object: { kind: 'room', id: event.roomId },
        outcome: 'done',
        patient: patient.id,
        room: event.roomId,
        detail: { joined: true, history: stranger === undefined },
      })
      await tx.enqueue({
        queue: 'bridge',
        kind: 'care.card',
        key: `card:${event.eventId}`,
        lane: event.roomId,
        payload: { patientId: patient.id, newcomer: user, stranger },
        patient: patient.id,
      })
    },
  }
}

/** Words in clear come from another homeserver only, or from one without our module: nobody texts the patient about them, so both sides are told. */
const inClear = async (patient: Patient, event: InboxEvent): Promise<Effects> => ({
  kind: 'done',
  apply: async tx => {
    await tx.audit({
      actor: { kind: 'user', id: event.sender },
      action: 'message.failed',
      object: { kind: 'event', id: event.eventId },
      outcome: 'refused',
      reason: 'not-encrypted',
      patient: patient.id,
      room: event.roomId,
    })
    const said = `⚠️ ${patient.code}: a message of ${event.sender} came without encryption, so servers could read it, and the patient was not told of it.`
    await tx.enqueue({
      ...{ queue: 'bots', kind: 'bot.say', key: `in-clear:${event.eventId}`, patient: patient.id },
      payload: {
        to: { user: event.sender },
        text: `${said} Please remove it and send it again from an app that encrypts.`,
      },
    })
    await tx.enqueue({
      ...{ queue: 'bots', kind: 'desk.alert', key: `in-clear-desk:${event.eventId}`, patient: patient.id },
      payload: { what: 'in_clear', unit: patient.unit, text: said },
    })
  },
})

const wordsInClear = new Set(['m.room.message', 'm.sticker', 'm.poll.start', 'org.matrix.msc3381.poll.start'])

const redacted = (event: InboxEvent): EventId | undefined =>
  (event.content.redacts ?? event.raw.redacts) as EventId | undefined

/** What the bridge does with an event of a care room; everything else passes by. */
export const onRoomEvent =
  (deps: CareDeps) =>
  async (event: InboxEvent): Promise<Effects> => {
    const patient = await patientByRoom(deps.store.db, event.roomId)
    if (!patient) return ignore
    const lives = patient.state === 'open' || patient.state === 'enrolling'
    if (event.type === 'm.room.encrypted' && event.sender !== patient.serviceUser && lives)
      return message(deps, patient, event)
    if (wordsInClear.has(event.type) && event.stateKey === undefined) return inClear(patient, event)
    if (event.type === 'm.room.member' && event.content.membership === 'join') return joined(deps, patient, event)
    const gone = event.type === 'm.room.redaction' ? redacted(event) : undefined
    if (gone)
      return {
        kind: 'done',
        apply: async tx => {
          await advanceNotices(tx, { event: gone }, { kind: 'withdrawn' })
        },
      }
    return ignore
  }
