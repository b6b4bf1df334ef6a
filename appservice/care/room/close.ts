import { careRoomPower } from '../../../core/domain/care/care-room.ts'
import type { PatientId } from '../../../core/domain/ids.ts'
import type { JobHandler } from '../../../core/queues/outbox-worker.ts'
import { archiveRoom } from '../../../core/store/patients/care.ts'
import { advanceNotices } from '../../../core/store/patients/notices.ts'
import { patientById, personsOf } from '../../../core/store/patients/patients.ts'
import { deleteDoomed } from '../../links/devices.ts'
import type { CareDeps } from '../deps.ts'
import { removeFromSpace } from './units.ts'

/** Job `patient.close`: nobody writes any more, the room leaves its unit's Space, what was unread is withdrawn; those who could read still can. */
export const closeRoom =
  (deps: CareDeps): JobHandler =>
  async job => {
    const { patientId } = job.payload as { patientId: PatientId }
    // Whoever has the page open is out now, not at the next sweep.
    await deleteDoomed(deps)
    const patient = await patientById(deps.store.db, patientId)
    if (!patient?.roomId || !patient.serviceUser) return { kind: 'done' }
    const { roomId, serviceUser } = patient
    const persons = await personsOf(deps.store.db, patientId)
    await deps.ghosts.setState(serviceUser, roomId, 'm.room.topic', {
      topic: 'Closed. The patient no longer gets messages from this room.',
    })
    await deps.ghosts.setState(serviceUser, roomId, 'm.room.power_levels', {
      ...careRoomPower,
      events_default: 100,
      users: { [serviceUser]: 100 },
    })
    await removeFromSpace(deps, patient.unit, roomId)
    return {
      kind: 'done',
      apply: async tx => {
        for (const p of persons) await advanceNotices(tx, { person: p.id }, { kind: 'withdrawn' })
        await archiveRoom(tx, roomId)
        await tx.audit({
          actor: { kind: 'service', id: 'bridge' },
          action: 'room.archive',
          object: { kind: 'room', id: roomId },
          outcome: 'done',
          patient: patientId,
          room: roomId,
        })
      },
    }
  }
