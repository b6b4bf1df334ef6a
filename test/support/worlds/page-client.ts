import { ClientEvent, createClient, EventType, type MatrixClient, MemoryCryptoStore, MemoryStore } from 'matrix-js-sdk'
import { tameTimeouts } from '../../../core/matrix/sdk-client.ts'
import type { Session } from '../../../web/contract.ts'
import { eventually } from '../eventually.ts'
import { sdkLogger } from '../quiet-logger.ts'
import { fetchK } from './patient-page.ts'
import type { Browser } from './public-http.ts'

type Inside = {
  dehydratedDeviceManager: { rehydrateDeviceIfAvailable(): Promise<boolean> }
  backupManager: {
    backupKeysLoopRunning: boolean
    backupKeysLoop(): Promise<void>
    constructor: { maxBackupLoopStartDelayMillis: number }
  }
}

/** What the page does from K to open messages, in Node: the same calls through the same proxy. */
export const openPage = async (url: string, browser: Browser, session: Session): Promise<MatrixClient> => {
  const k = await fetchK(browser, session)
  const cookie = () => [...browser.cookies].map(([name, value]) => `${name}=${value}`).join('; ')
  const client = createClient({
    baseUrl: url,
    userId: session.userId,
    deviceId: session.deviceId,
    accessToken: session.csrf,
    fetchFn: (input, init) => {
      const headers = new Headers(init?.headers)
      headers.set('cookie', cookie())
      return fetch(input, { ...init, headers })
    },
    store: new MemoryStore({}),
    cryptoStore: new MemoryCryptoStore(),
    disableVoip: true,
    logger: sdkLogger(),
    cryptoCallbacks: {
      getSecretStorageKey: async ({ keys }) => [Object.keys(keys)[0] ?? '', new Uint8Array(k)],
    },
  })
  tameTimeouts(client)
  await client.initRustCrypto({ useIndexedDB: false })
  const crypto = client.getCrypto()
  if (!crypto) throw new Error('no crypto')
  const inside = crypto as unknown as Inside
  inside.backupManager.constructor.maxBackupLoopStartDelayMillis = 0
  const synced = new Promise<void>(done => client.on(ClientEvent.Sync, s => s === 'PREPARED' && done()))
  await client.startClient({ initialSyncLimit: 40, pollTimeout: 10_000 })
  await synced
  await crypto.userHasCrossSigningKeys(session.userId, true)
  await crypto.bootstrapCrossSigning({})
  await eventually(async () => {
    await crypto.userHasCrossSigningKeys(session.userId, true)
    return (await crypto.getDeviceVerificationStatus(session.userId, session.deviceId))?.signedByOwner === true
  })
  await crypto.loadSessionBackupPrivateKeyFromSecretStorage()
  await crypto.checkKeyBackupAndEnable()
  await inside.dehydratedDeviceManager.rehydrateDeviceIfAvailable()
  await eventually(() => !inside.backupManager.backupKeysLoopRunning)
  await inside.backupManager.backupKeysLoop()
  return client
}

/** The messages of a room that this client can read. */
export const readable = (client: MatrixClient, room: string): string[] =>
  (client.getRoom(room)?.getLiveTimeline().getEvents() ?? [])
    .filter(ev => ev.getType() === EventType.RoomMessage && !ev.isDecryptionFailure())
    .map(ev => String(ev.getContent().body))
