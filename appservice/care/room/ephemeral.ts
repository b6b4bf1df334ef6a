import type { EventId, PatientId } from '../../../core/domain/ids.ts'
import { ephemeralMark, ephemeralNotice, type Life } from '../../../core/domain/records/ephemeral.ts'
import type { JobHandler } from '../../../core/queues/outbox-worker.ts'
import { patientById } from '../../../core/store/patients/patients.ts'
import type { CareDeps } from '../deps.ts'
import { react } from '../notices/marks.ts'
import { jobMark, speak } from '../speak.ts'

/** The payload of `care.ephemeral`: `event` is one message, which gets a sign; without it the room is told, in words that the patient reads too. */
export type EphemeralJob = { patientId: PatientId; event?: EventId; life: Life | null }

/** Job `care.ephemeral`. */
export const tellEphemeral =
  (deps: CareDeps): JobHandler =>
  async job => {
    const { patientId, event, life } = job.payload as EphemeralJob
    const patient = await patientById(deps.store.db, patientId)
    if (!patient?.roomId || !patient.serviceUser) return { kind: 'done' }
    const { roomId, serviceUser } = patient
    const said = event
      ? await react(deps.homeserver, serviceUser, roomId, event, ephemeralMark, jobMark(job.id, 'react'))
      : await speak(deps, { patientId, jobId: job.id, body: ephemeralNotice(life) })
    return {
      kind: 'done',
      apply: tx =>
        tx.audit({
          actor: { kind: 'service', id: 'bridge' },
          action: 'room.speak',
          object: { kind: 'event', id: said ?? '-' },
          outcome: 'done',
          patient: patientId,
          room: roomId,
          detail: { what: 'ephemeral' },
        }),
    }
  }
