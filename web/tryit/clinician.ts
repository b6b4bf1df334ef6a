import wasmUrl from 'crypto.wasm?url'
import { initAsync } from '@matrix-org/matrix-sdk-crypto-wasm'
import type { TryIt } from '../contract.ts'
import { fromBase64 } from '../patient/matrix/base64.ts'
import { type Connection, connect, encryptedRoom, firstSync, ownSignature } from '../patient/matrix/connect.ts'
import { type Live, liveRoom } from '../patient/matrix/live.ts'
import type { Talk } from '../shared/conversation/item.ts'

export type Ready = Extract<TryIt, { state: 'ready' }>

export type Clinician = Live & {
  /** False when the account was set up elsewhere (Element): then this device is not signed, and cannot read what came before. */
  signed: boolean
}

/** Signs in as the demo clinician with a client that keeps nothing, as any Matrix client does it: cross-signing, secret storage, key backup. */
export const signIn = async (given: Ready, onTalk: (talk: Talk) => void): Promise<Clinician> => {
  await initAsync(wasmUrl)
  const { homeserverUrl: baseUrl, userId, deviceId, accessToken, roomId } = given
  const key = fromBase64(given.recoveryKey)
  const connection = await connect(
    { baseUrl, userId, deviceId, accessToken, fetchFn: (url, init) => fetch(url, init) },
    key,
  )
  await connection.client.joinRoom(roomId)
  await firstSync(connection.client, { userId, roomId }, 40_000)
  const signed = await sign(connection, given, key)
  await encryptedRoom(connection, roomId, 20_000)
  const live = await liveRoom(connection, {
    me: userId,
    roomId,
    bearer: accessToken,
    hidden: [],
    reactions: true,
    onTalk,
    onUnreadable: async () => undefined,
  })
  return { ...live, signed }
}

const sign = async (
  { crypto }: Connection,
  { userId, deviceId }: Ready,
  key: Uint8Array<ArrayBuffer>,
): Promise<boolean> => {
  if (await crypto.userHasCrossSigningKeys(userId, true)) {
    try {
      await crypto.bootstrapCrossSigning({})
      await ownSignature(crypto, { userId, deviceId }, 10_000)
      await crypto.loadSessionBackupPrivateKeyFromSecretStorage()
      await crypto.checkKeyBackupAndEnable()
      return true
    } catch (error) {
      console.warn('the account has another recovery key', error)
      return false
    }
  }
  await crypto.bootstrapCrossSigning({ authUploadDeviceSigningKeys: async upload => void (await upload(null)) })
  await crypto.bootstrapSecretStorage({
    createSecretStorageKey: async () => ({ privateKey: key }),
    setupNewSecretStorage: true,
    setupNewKeyBackup: true,
  })
  await ownSignature(crypto, { userId, deviceId }, 10_000)
  return true
}
