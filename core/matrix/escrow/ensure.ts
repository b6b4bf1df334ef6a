import type { CryptoApi } from 'matrix-js-sdk/lib/crypto-api/index.js'
import type { UserId } from '../../domain/ids.ts'
import type { Log } from '../../log.ts'
import { type SealingKeys, sealForOfficers } from '../../seal.ts'
import { addEscrow, escrowContext, listEscrows, versionEscrow } from '../../store/records/escrow.ts'
import { type StoreDeps, transact } from '../../store/tx.ts'
import { type Homeserver, MatrixRefusal } from '../homeserver.ts'
import { backUpAtOnce, olmMachineOf } from '../olm-machine.ts'
import { newBackupKey } from './backup-key.ts'

type EnsureDeps = {
  homeserver: Homeserver
  store: StoreDeps
  userId: UserId
  keys: Pick<SealingKeys, 'recovery'>
  log: Log
}
type Version = { version: string; auth_data: { public_key?: string } }

const versionPath = '/_matrix/client/v3/room_keys/version'

const currentVersion = async ({ homeserver, userId }: EnsureDeps): Promise<Version | null> => {
  try {
    return await homeserver.request<Version>('GET', versionPath, { userId })
  } catch (e) {
    if (e instanceof MatrixRefusal && e.status === 404) return null
    throw e
  }
}

/** Does the client upload to the homeserver's current backup, and is that one whose private key the officers have? */
const inUse = async (d: EnsureDeps, crypto: CryptoApi): Promise<boolean> => {
  const there = await currentVersion(d)
  if (!there) return false
  const ours = (await listEscrows(d.store.db)).find(
    e => e.owner === d.userId && e.publicKey === there.auth_data.public_key,
  )
  if (!ours || (ours.version !== null && ours.version !== there.version)) return false
  if (ours.version === null) await transact(d.store, tx => versionEscrow(tx, ours.publicKey, there.version))
  await crypto.checkKeyBackupAndEnable()
  return (await crypto.getActiveSessionBackupVersion()) === there.version
}

const signed = async (crypto: CryptoApi, authData: { public_key: string }, userId: UserId) => {
  // One key: this is canonical JSON already.
  const signatures = await olmMachineOf(crypto).sign(JSON.stringify(authData))
  const mine = (JSON.parse(signatures.asJSON()) as Record<string, Record<string, string>>)[userId]
  return { ...authData, signatures: { [userId]: mine } }
}

/**
 * Sees to it that every room key of this bot goes into a key backup (`m.megolm_backup.v1.curve25519-aes-sha2`) whose private key was made in memory, sealed to
 * the officers' recovery key and forgotten. A backup that is not ours, because somebody or a restored database replaced it, gives way to a new one; older
 * ones stay at the homeserver and can be opened as well. @throws when no backup can be used.
 */
export const ensureEscrow = async (d: EnsureDeps, crypto: CryptoApi): Promise<void> => {
  backUpAtOnce(crypto)
  if (await inUse(d, crypto)) return
  const key = await newBackupKey()
  const { publicKey } = key
  const bytes = new TextEncoder().encode(key.privateKey())
  key.free()
  const sealedPrivate = await sealForOfficers(d.keys, escrowContext(publicKey), bytes)
  bytes.fill(0)
  await transact(d.store, tx => addEscrow(tx, { publicKey, owner: d.userId, sealedPrivate }))
  const body = {
    algorithm: 'm.megolm_backup.v1.curve25519-aes-sha2',
    auth_data: await signed(crypto, { public_key: publicKey }, d.userId),
  }
  await d.homeserver.request('POST', versionPath, { userId: d.userId, body })
  if (!(await inUse(d, crypto))) throw new Error(`the key escrow of ${d.userId} cannot be used`)
  d.log.info({ bot: d.userId }, 'a key escrow was made')
}
