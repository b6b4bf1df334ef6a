import { createHash } from 'node:crypto'
import type { EventId, PatientId } from '../../core/domain/ids.ts'
import { speakBriefly } from '../../core/matrix/brief-device.ts'
import { patientById } from '../../core/store/patients/patients.ts'
import type { CareDeps } from './deps.ts'

/** An opaque transaction id that says nothing and is the same whenever the same job speaks again. */
export const jobMark = (jobId: string, step: string): string =>
  createHash('sha256').update(`${jobId}\0${step}`).digest('base64url').slice(0, 22)

export type Said = { patientId: PatientId; jobId: string; body: string; extra?: Record<string, unknown> }

/**
 * Speaks in a care room through the owner's short-lived, signed device, which is deleted at once: it cannot listen (docs/key-flow.md). Said once per
 * job, however often the job runs. Returns null when the patient has no room.
 */
export const speak = async (deps: CareDeps, { patientId, jobId, body, extra }: Said): Promise<EventId | null> => {
  const patient = await patientById(deps.store.db, patientId)
  if (!patient?.roomId || !patient.serviceUser || !patient.serviceSecret) return null
  const k = new Uint8Array(
    Buffer.from(await deps.store.seal.open('patient.service_secret', patient.serviceSecret), 'base64url'),
  )
  const content = { msgtype: 'm.notice', body, ...extra }
  const [eventId] = await speakBriefly({
    homeserver: deps.homeserver,
    userId: patient.serviceUser,
    roomId: patient.roomId,
    contents: [{ type: 'm.room.message', content, txnId: jobMark(jobId, 'speak') }],
    k,
    random: deps.store.random,
    log: deps.log,
  })
  k.fill(0)
  return eventId ?? null
}
