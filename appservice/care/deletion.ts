import { forgetEntry } from '../../core/matrix/escrow/forget-entry.ts'
import type { DeletionDeps } from '../../core/records/deletion.ts'
import { ghostsOfPatient, patientByRoom } from '../../core/store/patients/patients.ts'
import type { CareDeps } from './deps.ts'

/** Deletion in care rooms: their owner removes, and the ghosts' key backups forget. */
export const careDeletion = ({ store, homeserver, log }: CareDeps): DeletionDeps => ({
  store,
  homeserver,
  log,
  classes: ['care'],
  speaker: async room => (await patientByRoom(store.db, room))?.serviceUser ?? null,
  forgetSession: async (room, session) => {
    const patient = await patientByRoom(store.db, room)
    for (const ghost of patient ? await ghostsOfPatient(store.db, patient.id) : [])
      await forgetEntry(homeserver, ghost, room, session)
  },
})
