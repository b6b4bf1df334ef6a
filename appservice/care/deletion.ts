import type { RoomId, UserId } from '../../core/domain/ids.ts'
import { type Homeserver, MatrixRefusal } from '../../core/matrix/homeserver.ts'
import type { DeletionDeps } from '../../core/records/deletion.ts'
import { ghostsOfPatient, patientByRoom } from '../../core/store/patients/patients.ts'
import type { CareDeps } from './deps.ts'

/** A session's key in a ghost's backup: without a living message it is only a risk. */
const forgetIn = async (homeserver: Homeserver, ghost: UserId, room: RoomId, session: string): Promise<void> => {
  const acting = { userId: ghost }
  try {
    const { version } = await homeserver.request<{ version: string }>(
      'GET',
      '/_matrix/client/v3/room_keys/version',
      acting,
    )
    const path = `/_matrix/client/v3/room_keys/keys/${encodeURIComponent(room)}/${encodeURIComponent(session)}`
    await homeserver.request('DELETE', path, { ...acting, query: { version } })
  } catch (e) {
    if (!(e instanceof MatrixRefusal && e.status === 404)) throw e
  }
}

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
      await forgetIn(homeserver, ghost, room, session)
  },
})
