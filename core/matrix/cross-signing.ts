import type { MatrixClient } from 'matrix-js-sdk'
import type { CrossSigningStatus, CryptoApi } from 'matrix-js-sdk/lib/crypto-api/index.js'
import type { Clock } from '../domain/clock.ts'
import type { DeviceId, UserId } from '../domain/ids.ts'

const hasOwnKeys = ({ publicKeysOnDevice, privateKeysCachedLocally: cached }: CrossSigningStatus) =>
  publicKeysOnDevice && cached.masterKey && cached.selfSigningKey && cached.userSigningKey

/**
 * New cross-signing keys. When the user had some, an answer to a key query that was on its way still shows the old ones, and the SDK then drops the
 * new private keys: so ask first, and look afterwards.
 */
const newCrossSigning = async (crypto: CryptoApi, userId: UserId): Promise<void> => {
  for (let attempt = 0; attempt < 5; attempt++) {
    await crypto.userHasCrossSigningKeys(userId, true)
    await crypto.bootstrapCrossSigning({
      setupNewCrossSigning: true,
      authUploadDeviceSigningKeys: async upload => {
        await upload(null)
      },
    })
    await crypto.userHasCrossSigningKeys(userId, true)
    if (hasOwnKeys(await crypto.getCrossSigningStatus())) return
  }
  throw new Error(`the cross-signing keys of ${userId} do not stay`)
}

/** A new identity: cross-signing, secret storage under K and, where wanted, key backup; made anew even when an earlier attempt was killed half-way: its K is lost, so nothing of it can be used. */
export const newIdentity = async (
  crypto: CryptoApi,
  userId: UserId,
  k: Uint8Array<ArrayBuffer>,
  withBackup: boolean,
) => {
  await newCrossSigning(crypto, userId)
  await crypto.bootstrapSecretStorage({
    createSecretStorageKey: async () => ({ privateKey: k }),
    setupNewSecretStorage: true,
    setupNewKeyBackup: withBackup,
  })
}

/** Signs this device with the user's own keys out of secret storage; never makes new keys, which would break what clinicians pinned. */
export const takeOverIdentity = async (client: MatrixClient, crypto: CryptoApi, userId: UserId): Promise<void> => {
  const published = await crypto.userHasCrossSigningKeys(userId, true)
  if (!published || !(await client.secretStorage.isStored('m.cross_signing.master')))
    throw new Error(`${userId} has no cross-signing identity to sign a device with`)
  await crypto.bootstrapCrossSigning({})
}

/**
 * The gate before a device's first send: resolves when the homeserver shows our own device signed by its owner. A room key that leaves earlier embeds
 * the unsigned device, and a clinician who was offline could never read it. @throws after `timeoutMs`.
 */
export const awaitOwnSignature = async (
  crypto: CryptoApi,
  userId: UserId,
  deviceId: DeviceId,
  clock: Clock,
  timeoutMs = 15_000,
): Promise<void> => {
  const end = clock.now() + timeoutMs
  for (;;) {
    await crypto.userHasCrossSigningKeys(userId, true)
    if ((await crypto.getDeviceVerificationStatus(userId, deviceId))?.signedByOwner) return
    if (clock.now() >= end) throw new Error(`the device ${deviceId} of ${userId} was never seen signed by its owner`)
    await new Promise(done => setTimeout(done, 20))
  }
}
