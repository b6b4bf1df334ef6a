import {
  ClientEvent,
  createClient,
  Filter,
  type MatrixClient,
  MemoryCryptoStore,
  MemoryStore,
  SyncState,
} from 'matrix-js-sdk'
import type { CryptoApi } from 'matrix-js-sdk/lib/crypto-api/index.js'
import { passOverEmptySyncs } from '../../../core/matrix/empty-syncs.ts'
import { hush, quiet } from './quiet.ts'

/** js-sdk keeps these private; `rust-crypto` of the pinned version has them, and a test checks that it does. */
export type CryptoInside = CryptoApi & {
  dehydratedDeviceManager: { rehydrateDeviceIfAvailable: () => Promise<boolean> }
  backupManager: {
    backupKeysLoopRunning: boolean
    backupKeysLoop: () => Promise<void>
    constructor: { maxBackupLoopStartDelayMillis: number }
  }
}

export type Connection = { client: MatrixClient; crypto: CryptoInside }

export type Login = { baseUrl: string; userId: string; deviceId: string; accessToken: string; fetchFn: typeof fetch }
type Place = { userId: string; deviceId: string; roomId: string }

/** A Matrix client with nothing on disk, whose secret storage is opened with K. For a patient the bearer is the session's csrf value, and the cookie goes along. */
export const connect = async (login: Login, k: Uint8Array): Promise<Connection> => {
  hush()
  const client = createClient({
    ...login,
    store: new MemoryStore({}),
    cryptoStore: new MemoryCryptoStore(),
    disableVoip: true,
    logger: quiet,
    cryptoCallbacks: {
      getSecretStorageKey: async ({ keys }) => {
        const id = Object.keys(keys)[0]
        return id === undefined ? null : [id, new Uint8Array(k)]
      },
    },
  })
  await client.initRustCrypto({ useIndexedDB: false })
  const crypto = client.getCrypto() as CryptoInside | undefined
  if (!crypto) throw new Error('the SDK has no encryption')
  crypto.backupManager.constructor.maxBackupLoopStartDelayMillis = 0
  passOverEmptySyncs(crypto)
  return { client, crypto }
}

/** The first sync: this room's last events and nothing of any other; without a room, those of all. Rejects when the homeserver does not answer. */
export const firstSync = (
  client: MatrixClient,
  session: { userId: string; roomId?: string },
  timeout: number,
): Promise<void> =>
  new Promise((resolve, reject) => {
    const limit = setTimeout(() => end(new Error('the first sync took too long')), timeout)
    const listen = (state: SyncState) => {
      if (state === SyncState.Prepared || state === SyncState.Syncing) end()
      else if (state === SyncState.Error || state === SyncState.Stopped)
        end(new Error(`the first sync ended in ${state}`))
    }
    const end = (error?: Error) => {
      clearTimeout(limit)
      client.off(ClientEvent.Sync, listen)
      if (error) reject(error)
      else resolve()
    }
    client.on(ClientEvent.Sync, listen)
    const filter = Filter.fromJson(session.userId, '', {
      presence: { types: [] },
      room: {
        ...(session.roomId ? { rooms: [session.roomId] } : {}),
        timeline: { limit: 40 },
        state: { lazy_load_members: false },
      },
    })
    // A homeserver can leave a sync asleep although a room key came for it: ten seconds are the longest that a message then stays closed.
    client
      .startClient({
        filter,
        disablePresence: true,
        lazyLoadMembers: false,
        initialSyncLimit: 40,
        pollTimeout: 10_000,
      })
      .catch(end)
  })

/**
 * The gate before the first send: the homeserver shows our device signed by its owner. Sent earlier, the room key embeds the unsigned device, and a
 * clinician who was offline could never read the message.
 */
export const ownSignature = async (
  crypto: CryptoApi,
  session: Omit<Place, 'roomId'>,
  timeout: number,
): Promise<void> => {
  const end = performance.now() + timeout
  for (;;) {
    await crypto.userHasCrossSigningKeys(session.userId, true)
    const status = await crypto.getDeviceVerificationStatus(session.userId, session.deviceId)
    if (status?.signedByOwner) return
    if (performance.now() > end) throw new Error('the own device was never seen signed')
    await new Promise(resolve => setTimeout(resolve, 25))
  }
}

/** Waits until every room key that this device holds is in the backup, at most `timeout` ms. */
export const flushBackup = async ({ crypto }: Connection, timeout: number): Promise<void> => {
  const { backupManager } = crypto
  const end = performance.now() + timeout
  while (backupManager.backupKeysLoopRunning && performance.now() < end)
    await new Promise(resolve => setTimeout(resolve, 15))
  const late = new Promise<void>(resolve => setTimeout(resolve, Math.max(0, end - performance.now())))
  await Promise.race([backupManager.backupKeysLoop(), late])
}

/** Waits until the room is known and known to be encrypted: before that, a message would leave in clear. */
export const encryptedRoom = async ({ client, crypto }: Connection, roomId: string, timeout: number): Promise<void> => {
  const end = performance.now() + timeout
  while (!client.getRoom(roomId) || !(await crypto.isEncryptionEnabledInRoom(roomId))) {
    if (performance.now() > end) throw new Error('the room is not known or not encrypted')
    await new Promise(resolve => setTimeout(resolve, 25))
  }
}
