import { seconds } from '../../domain/clock.ts'
import type { DeviceId, RoomId, UserId } from '../../domain/ids.ts'
import type { Log } from '../../log.ts'
import { systemClock } from '../../system.ts'
import { awaitOwnSignature, takeOverIdentity } from '../cross-signing.ts'
import type { RoomKey } from '../escrow/backup-key.ts'
import type { Homeserver } from '../homeserver.ts'
import { openMemoryClient } from '../memory-client.ts'
import { dehydrationOf } from '../olm-machine.ts'
import { deleteDevice, putDevice } from '../our-users.ts'

export type GhostKeys = {
  homeserver: Homeserver
  userId: UserId
  /** Written down by the caller before this is called, so that a kill leaves no unknown device. */
  deviceId: DeviceId
  /** The 32-byte key of the ghost's secret storage. */
  k: Uint8Array
  rooms: readonly RoomId[]
  log?: Log
}

/** `problems`: why keys may be missing, as codes; never silent. */
export type FoundKeys = { keys: RoomKey[]; problems: string[] }

/**
 * Every room key of `rooms` that a ghost has: from its dehydrated device (MSC3814), which alone has those of a link that was never opened, and from its key
 * backup, which has those of its visits. Does it with a device of the ghost that everybody in the room sees, signed, and deleted when this returns or throws.
 * Both sources are only read. @throws when the homeserver is away or K is not this ghost's.
 */
export const keysOfGhost = async (o: GhostKeys): Promise<FoundKeys> => {
  await putDevice(o.homeserver, o.userId, o.deviceId, 'Wardroom (export of records)')
  try {
    const live = await openMemoryClient({ ...o, secretStorageKey: () => o.k })
    try {
      const { client, crypto } = live
      await takeOverIdentity(client, crypto, o.userId)
      await awaitOwnSignature(crypto, o.userId, o.deviceId, systemClock, seconds(30))
      const problems: string[] = []
      if (!(await dehydrationOf(crypto).rehydrateDeviceIfAvailable())) problems.push('no-dehydrated-device')
      await crypto.loadSessionBackupPrivateKeyFromSecretStorage()
      if ((await crypto.getKeyBackupInfo()) === null) problems.push('no-key-backup')
      else {
        const { total, imported } = await crypto.restoreKeyBackup()
        if (imported < total) problems.push(`key-backup-damaged:${total - imported}`)
      }
      const wanted = new Set<string>(o.rooms)
      const all = (await crypto.exportRoomKeys()) as unknown as RoomKey[]
      return { keys: all.filter(key => wanted.has(key.room_id)), problems }
    } finally {
      live.stop()
    }
  } finally {
    await deleteDevice(o.homeserver, o.userId, o.deviceId)
  }
}
