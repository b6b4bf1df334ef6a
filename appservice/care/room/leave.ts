import type { PersonId } from '../../../core/domain/ids.ts'
import type { JobHandler } from '../../../core/queues/outbox-worker.ts'
import { patientById, personById } from '../../../core/store/patients/patients.ts'
import { deleteDoomed } from '../../links/devices.ts'
import type { CareDeps } from '../deps.ts'
import { removeMember } from './follow-role.ts'

/** Job `person.leave`: a removed caregiver's ghost leaves the room, so that clients encrypt nothing more for it; the card is posted without them. */
export const leaveRoom =
  (deps: CareDeps): JobHandler =>
  async job => {
    const { personId } = job.payload as { personId: PersonId }
    await deleteDoomed(deps)
    const person = await personById(deps.store.db, personId)
    const patient = person && (await patientById(deps.store.db, person.patientId))
    if (!person?.ghost || !person.removedAt || !patient?.roomId || !patient.serviceUser) return { kind: 'done' }
    const { roomId } = patient
    await removeMember(deps, patient.serviceUser, roomId, person.ghost)
    return {
      kind: 'done',
      apply: async tx => {
        await tx.audit({
          actor: { kind: 'service', id: 'bridge' },
          action: 'room.member',
          object: { kind: 'person', id: personId },
          outcome: 'done',
          reason: 'removed',
          patient: patient.id,
          room: roomId,
          detail: { removed: true },
        })
        await tx.enqueue({
          queue: 'bridge',
          kind: 'care.card',
          key: `card:${personId}:left`,
          lane: roomId,
          payload: { patientId: patient.id },
          patient: patient.id,
        })
      },
    }
  }
