import type { MatrixClient } from 'matrix-js-sdk'
import { type Connection, ownSignature } from '../../patient/matrix/connect.ts'

/** Somebody set this account up in another client: what they made is never replaced. */
export class SetUpElsewhere extends Error {}

type Account = { userId: string; deviceId: string; key: Uint8Array<ArrayBuffer> }

const secrets = ['m.cross_signing.master', 'm.cross_signing.self_signing', 'm.cross_signing.user_signing'] as const

/**
 * Signs this device with the account's cross-signing identity; makes that identity first where the account has none. Resolves when the homeserver shows the
 * signature: a room key that leaves earlier could never be read by somebody who was offline. @throws SetUpElsewhere, having changed nothing.
 */
export const signDevice = async ({ client, crypto }: Connection, { userId, deviceId, key }: Account): Promise<void> => {
  const published = await crypto.userHasCrossSigningKeys(userId, true)
  const storage = await storageOf(client, key)
  if (storage === 'other' || (published && storage === 'none')) throw new SetUpElsewhere()
  // The secret storage comes first: the SDK then puts the private keys there before it publishes the identity, so that an end in between loses nothing.
  if (storage === 'none')
    await crypto.bootstrapSecretStorage({
      createSecretStorageKey: async () => ({ privateKey: key }),
      setupNewSecretStorage: true,
    })
  if (!published)
    await crypto.bootstrapCrossSigning({
      setupNewCrossSigning: true,
      authUploadDeviceSigningKeys: async upload => void (await upload(null)),
    })
  else {
    for (const name of secrets) if (!(await client.secretStorage.isStored(name))) throw new SetUpElsewhere()
    await crypto.bootstrapCrossSigning({})
  }
  await ownSignature(crypto, { userId, deviceId }, 15_000)
  if (await crypto.getKeyBackupInfo()) await crypto.loadSessionBackupPrivateKeyFromSecretStorage()
  else await crypto.resetKeyBackup()
  await crypto.checkKeyBackupAndEnable()
}

/** Whose secret storage the account has: tested with the key itself. */
const storageOf = async ({ secretStorage }: MatrixClient, key: Uint8Array<ArrayBuffer>) => {
  const found = await secretStorage.getKey()
  if (!found) return 'none'
  return (await secretStorage.checkKey(key, found[1])) ? 'ours' : 'other'
}
