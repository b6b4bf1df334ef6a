import { failureText } from '../../../core/domain/care/card.ts'
import { type Failure, isOvertaken } from '../../../core/domain/care/notice.ts'
import type { EventId, PersonId, RoomId, UserId } from '../../../core/domain/ids.ts'
import { type Homeserver, MatrixRefusal } from '../../../core/matrix/homeserver.ts'
import type { JobHandler } from '../../../core/queues/outbox-worker.ts'
import { noticeById, recordMark } from '../../../core/store/patients/care.ts'
import { patientById, personById } from '../../../core/store/patients/patients.ts'
import type { CareDeps } from '../deps.ts'
import { jobMark } from '../speak.ts'

/** Reacts as the room's owner. Reactions are not encrypted, so the key is one sign without words; the same sign twice is no error. */
export const react = async (
  homeserver: Homeserver,
  owner: UserId,
  room: RoomId,
  event: EventId,
  key: string,
  txn: string,
): Promise<EventId | null> => {
  try {
    const { event_id } = await homeserver.request<{ event_id: EventId }>(
      'PUT',
      `/_matrix/client/v3/rooms/${encodeURIComponent(room)}/send/m.reaction/${txn}`,
      {
        userId: owner,
        body: { 'm.relates_to': { rel_type: 'm.annotation', event_id: event, key } },
      },
    )
    return event_id
  } catch (e) {
    if (e instanceof MatrixRefusal && e.errcode === 'M_DUPLICATE_ANNOTATION') return null
    throw e
  }
}

/** Job `care.mark`: how far the message has come, as a reaction in the room; none when it has come further meanwhile. */
export const mark =
  (deps: CareDeps): JobHandler =>
  async job => {
    const { noticeId, mark: key } = job.payload as { noticeId: string; mark: string }
    const notice = await noticeById(deps.store.db, noticeId)
    const patient = notice && (await patientById(deps.store.db, notice.patientId))
    if (!notice || !patient?.serviceUser || isOvertaken(key, notice.state)) return { kind: 'done' }
    const event = await react(
      deps.homeserver,
      patient.serviceUser,
      notice.roomId,
      notice.eventId,
      key,
      jobMark(job.id, 'react'),
    )
    return { kind: 'done', apply: tx => recordMark(tx, noticeId, key, event) }
  }

/** Job `care.failed`: the person who wrote is told, in an encrypted direct chat, what happened and what to do next. */
export const failed =
  (deps: CareDeps): JobHandler =>
  async job => {
    const { noticeId, failure } = job.payload as { noticeId: string; failure: Failure }
    const notice = await noticeById(deps.store.db, noticeId)
    const patient = notice && (await patientById(deps.store.db, notice.patientId))
    if (!notice || !patient) return { kind: 'done' }
    return {
      kind: 'done',
      apply: async tx => {
        await tx.audit({
          actor: { kind: 'service', id: 'bridge' },
          action: 'message.failed',
          object: { kind: 'event', id: notice.eventId },
          outcome: 'failed',
          patient: patient.id,
          room: notice.roomId,
          detail: { failure },
        })
        await tx.enqueue({
          queue: 'bots',
          kind: 'bot.say',
          key: `told:${noticeId}:${failure}`,
          payload: {
            to: { user: notice.sender },
            text: `${failureText(failure, patient.code)}\nhttps://matrix.to/#/${notice.roomId}/${notice.eventId}`,
          },
          patient: patient.id,
        })
      },
    }
  }

/** Job `care.resend`: the patient's page could not open a message; a sign on it, and its sender is asked to send it again. */
export const resend =
  (deps: CareDeps): JobHandler =>
  async job => {
    const { personId, eventId } = job.payload as { personId: PersonId; eventId: EventId }
    const person = await personById(deps.store.db, personId)
    const patient = person && (await patientById(deps.store.db, person.patientId))
    if (!patient?.roomId || !patient.serviceUser) return { kind: 'done' }
    await react(deps.homeserver, patient.serviceUser, patient.roomId, eventId, '🔁', jobMark(job.id, 'react'))
    return { kind: 'done' }
  }
