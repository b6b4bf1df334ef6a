import type { JWK } from 'jose'
import type { RoomId } from '../../domain/ids.ts'
import type { Log } from '../../log.ts'
import type { RoomKey } from '../../matrix/escrow/backup-key.ts'
import { type FoundKeys, keysOfGhost } from '../../matrix/export/ghost-keys.ts'
import { type Homeserver, MatrixRefusal } from '../../matrix/homeserver.ts'
import { newDeviceId } from '../../matrix/our-users.ts'
import { openK } from '../../seal.ts'
import {
  exportDeviceGone,
  type Ghost,
  ghostsWithKeys,
  noteExportDevice,
  type ToldRoom,
} from '../../store/records/export-rooms.ts'
import { type StoreDeps, transact } from '../../store/tx.ts'
import { openEscrow } from '../escrow.ts'

export type KeyDeps = {
  store: StoreDeps
  /** Acts as patients' ghosts. */
  ghosts: Homeserver
  /** Acts as the bots; holds the escrow. */
  bots: Homeserver
  log: Log
}

/** The keys of one ghost, by a device that is written down before it is made and deleted before anything is decrypted. */
const ofGhost = async (
  d: KeyDeps,
  recovery: JWK,
  { exportId, room, patient }: { exportId: string; room: RoomId; patient: string },
  { ghost, sealedK }: Ghost & { sealedK: string },
): Promise<FoundKeys> => {
  const deviceId = newDeviceId(d.store.random)
  // In the log before K is opened.
  await transact(d.store, tx => noteExportDevice(tx, { deviceId, exportId, userId: ghost, patient, room }))
  const k = await openK(recovery, ghost, sealedK)
  try {
    const found = await keysOfGhost({ homeserver: d.ghosts, userId: ghost, deviceId, k, rooms: [room], log: d.log })
    await transact(d.store, tx => exportDeviceGone(tx, deviceId))
    return found
  } catch (e) {
    // One that the homeserver does not let in any more must not keep the others' keys from being read.
    if (e instanceof MatrixRefusal && e.status < 500) return { keys: [], problems: [`ghost-refused:${e.errcode}`] }
    throw e
  } finally {
    k.fill(0)
  }
}

/**
 * Every room key of one room that the officers can open: of a care room by each ghost's K, of any other room out of the escrow. @throws when the recovery key is
 * another one than K was sealed to, or the homeserver is away.
 */
export const keysOfRoom = async (
  d: KeyDeps,
  recovery: JWK,
  exportId: string,
  { room, class: kind, patient }: Pick<ToldRoom, 'room' | 'class' | 'patient'>,
): Promise<FoundKeys> => {
  if (kind !== 'care' || !patient) {
    const escrow = { store: d.store, homeserver: d.bots }
    const keys = await openEscrow(escrow, recovery, { rooms: [room as RoomId] })
    return { keys, problems: keys.length === 0 ? ['no-key-in-escrow'] : [] }
  }
  const keys: RoomKey[] = []
  const problems: string[] = []
  for (const ghost of await ghostsWithKeys(d.store.db, patient)) {
    const { sealedK } = ghost
    if (sealedK === null) {
      problems.push('ghost-without-key')
      continue
    }
    const found = await ofGhost(d, recovery, { exportId, room: room as RoomId, patient }, { ...ghost, sealedK })
    keys.push(...found.keys)
    problems.push(...found.problems)
  }
  return { keys, problems }
}
