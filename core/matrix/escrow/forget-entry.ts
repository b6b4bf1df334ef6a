import type { RoomId, UserId } from '../../domain/ids.ts'
import { type Homeserver, MatrixRefusal } from '../homeserver.ts'

/**
 * Deletes a session's key from the key backup of one of our users: without a living message it is only a risk. `version`: of its backups which one; the
 * current one without. A key or a backup that is not there is fine.
 */
export const forgetEntry = async (
  homeserver: Homeserver,
  userId: UserId,
  room: RoomId,
  session: string,
  version?: string,
): Promise<void> => {
  const acting = { userId }
  try {
    const current =
      version ??
      (await homeserver.request<{ version: string }>('GET', '/_matrix/client/v3/room_keys/version', acting)).version
    const path = `/_matrix/client/v3/room_keys/keys/${encodeURIComponent(room)}/${encodeURIComponent(session)}`
    await homeserver.request('DELETE', path, { ...acting, query: { version: current } })
  } catch (e) {
    if (!(e instanceof MatrixRefusal && e.status === 404)) throw e
  }
}
