import type { CryptoApi } from 'matrix-js-sdk/lib/crypto-api/index.js'
import { backedUpRoomKeys, dropRoomKeys } from '../journal/drop-room-keys.ts'
import { flushBackup, olmMachineOf } from '../olm-machine.ts'
import type { RoomKey } from './backup-key.ts'

/**
 * Uploads every room key to the key backup, hands all of them to `save` and, when that is done, forgets what is in the backup. Safe to be killed anywhere: a
 * key is uploaded before it is handed over, and handed over before it is forgotten. Returns how many were handed over.
 */
export const drainRoomKeys = async (
  crypto: CryptoApi,
  prefix: string,
  save: (keys: RoomKey[]) => Promise<void>,
): Promise<number> => {
  await flushBackup(crypto)
  // First which ones will go, then what they are: one that comes meanwhile stays for the next time.
  const found = await backedUpRoomKeys(prefix)
  if (found.every(f => f.keys.length === 0)) return 0
  const keys = JSON.parse(await olmMachineOf(crypto).exportRoomKeys(() => true)) as RoomKey[]
  await save(keys)
  await dropRoomKeys(prefix, found)
  return keys.length
}
