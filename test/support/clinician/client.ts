import {
  ClientEvent,
  createClient,
  EventType,
  type MatrixClient,
  type MatrixError,
  type MatrixEvent,
  MemoryCryptoStore,
  MemoryStore,
  type UIAuthCallback,
} from 'matrix-js-sdk'
import {
  AllDevicesIsolationMode,
  type CryptoApi,
  OnlySignedDevicesIsolationMode,
} from 'matrix-js-sdk/lib/crypto-api/index.js'
import { passOverEmptySyncs } from '../../../core/matrix/empty-syncs.ts'
import { tameTimeouts } from '../../../core/matrix/sdk-client.ts'
import { eventually } from '../eventually.ts'
import { tellOfKeys } from '../key-traffic.ts'
import { sdkLogger } from '../quiet-logger.ts'

/** What stands between this client and the homeserver: `offline` fails every call; `delay` holds a call back (ms). */
export type Network = { offline: boolean; delay: (path: string) => number }

export type Account = { url: string; userId: string; accessToken: string; deviceId: string; password?: string }

export type ClinicianOptions = {
  /** Excludes devices that their owner has not signed, as Element does from 2026 on and `config/element` sets (default true). */
  onlySigned?: boolean
  /** False: never sets up cross-signing, so that its device is unsigned. */
  signed?: boolean
  /** A recovery key of the same account: this device signs itself with the existing identity. */
  recoveryKey?: Uint8Array
  /** Joins whatever it is invited to (default true). */
  autoJoin?: boolean
  displayName?: string
  /** Keeps the timelines from before a gap, as Element does. */
  timelineSupport?: boolean
  /** Told of every call that carries keys. */
  traffic?: (line: string) => void
}

/** A client of the SDK that runs and has synced, its device signed as its options say. */
export type OpenedClient = Account & {
  client: MatrixClient
  crypto: CryptoApi
  network: Network
  /** The secret storage key; empty when it has none. */
  recoveryKey(): Uint8Array
  /** Every event so far, oldest first. */
  log: readonly MatrixEvent[]
  /** Proves with the password that a new identity is wanted. */
  authUploadDeviceSigningKeys: UIAuthCallback<void>
}

/** Waits until the device's own identity has signed it. */
export const signedByOwner = (client: MatrixClient, userId: string, deviceId: string): Promise<true> =>
  eventually(
    async () => {
      const crypto = client.getCrypto()
      await crypto?.userHasCrossSigningKeys(userId, true)
      return (await crypto?.getDeviceVerificationStatus(userId, deviceId))?.signedByOwner === true || undefined
    },
    { what: 'the signature of the own device' },
  ) as Promise<true>

/** Signs in with an existing account and sets its encryption up. */
export const openClient = async (account: Account, options: ClinicianOptions): Promise<OpenedClient> => {
  const { url, userId, deviceId, accessToken } = account
  const { onlySigned = true, signed = true, autoJoin = true } = options
  const network: Network = { offline: false, delay: () => 0 }
  const secrets = { keyId: '', key: options.recoveryKey ?? new Uint8Array() }

  const fetchFn: typeof fetch = async (input, init) => {
    const path = new URL(input instanceof Request ? input.url : String(input)).pathname
    const wait = network.delay(path)
    if (wait > 0) await new Promise(done => setTimeout(done, wait))
    if (network.offline) throw new TypeError('the network is off')
    const response = await fetch(input, init)
    if (options.traffic) await tellOfKeys(options.traffic, input, init, response)
    // A long poll that was under way brings nothing any more either.
    if (network.offline && path.endsWith('/sync')) throw new TypeError('the network is off')
    return response
  }
  const client = createClient({
    baseUrl: url,
    userId,
    deviceId,
    accessToken,
    fetchFn,
    logger: sdkLogger(),
    store: new MemoryStore({}),
    cryptoStore: new MemoryCryptoStore(),
    disableVoip: true,
    timelineSupport: options.timelineSupport,
    cryptoCallbacks: {
      getSecretStorageKey: async ({ keys }) => {
        const keyId = Object.keys(keys).find(k => k === secrets.keyId) ?? Object.keys(keys)[0]
        return keyId && secrets.key.length > 0 ? [keyId, new Uint8Array(secrets.key)] : null
      },
      cacheSecretStorageKey: (keyId, _info, key) => {
        secrets.keyId = keyId
        secrets.key = key
      },
    },
  })
  tameTimeouts(client)

  const log: MatrixEvent[] = []
  /** As a person who taps again when the homeserver did not answer, or not within some seconds; a refusal stands. */
  const tapJoin = async (roomId: string, waitMs = 300): Promise<void> => {
    try {
      const late = new Promise<never>((_, reject) => {
        setTimeout(() => reject(new Error('no answer within 8 s')), 8000).unref()
      })
      await Promise.race([client.joinRoom(roomId), late])
    } catch (e) {
      if (!client.clientRunning) return
      console.log(`      ${userId} could not join ${roomId}: ${(e as Error).message}`)
      if ((e as MatrixError).httpStatus === 403 || waitMs > 10_000) return
      await new Promise(done => setTimeout(done, waitMs))
      await tapJoin(roomId, 2 * waitMs)
    }
  }
  client.on(ClientEvent.Event, ev => {
    log.push(ev)
    const isMyInvite =
      ev.getType() === EventType.RoomMember && ev.getStateKey() === userId && ev.getContent().membership === 'invite'
    if (autoJoin && isMyInvite) void tapJoin(ev.getRoomId() ?? '')
  })

  await client.initRustCrypto({ useIndexedDB: false })
  const crypto = client.getCrypto()
  if (!crypto) throw new Error('the crypto library did not start')
  // It shares its processor with the servers of the test.
  passOverEmptySyncs(crypto)
  // It looks for verification requests, with a timer of five minutes for each event that cannot be read.
  ;(crypto as unknown as { onLiveEventFromSync: () => Promise<void> }).onLiveEventFromSync = async () => undefined
  crypto.setDeviceIsolationMode(onlySigned ? new OnlySignedDevicesIsolationMode() : new AllDevicesIsolationMode(false))
  const synced = new Promise<void>((resolve, reject) => {
    client.on(ClientEvent.Sync, (state, _old, data) => {
      if (state === 'PREPARED') resolve()
      if (state === 'ERROR') reject(data?.error ?? new Error('the first sync failed'))
    })
  })
  // As the bots' client: Synapse can leave a sync asleep until its wait ends.
  await client.startClient({ initialSyncLimit: 100, lazyLoadMembers: false, pollTimeout: 5000 })
  await synced

  // The first upload of an account needs no proof; replacing an identity asks for the password.
  const authUploadDeviceSigningKeys: UIAuthCallback<void> = async make => {
    try {
      return await make(null)
    } catch (e) {
      const session = (e as MatrixError).data?.session
      if (typeof session !== 'string' || !account.password) throw e
      const identifier = { type: 'm.id.user', user: userId }
      return make({ type: 'm.login.password', identifier, password: account.password, session })
    }
  }
  if (signed) {
    if (options.recoveryKey) {
      await crypto.userHasCrossSigningKeys(userId, true)
      await crypto.bootstrapCrossSigning({})
      await signedByOwner(client, userId, deviceId)
      await crypto.loadSessionBackupPrivateKeyFromSecretStorage()
      await crypto.checkKeyBackupAndEnable()
    } else {
      await crypto.bootstrapCrossSigning({ authUploadDeviceSigningKeys })
      await crypto.bootstrapSecretStorage({
        createSecretStorageKey: () => crypto.createRecoveryKeyFromPassphrase(),
        setupNewSecretStorage: true,
        setupNewKeyBackup: true,
      })
      await signedByOwner(client, userId, deviceId)
    }
  }
  if (options.displayName) await client.setDisplayName(options.displayName)

  return {
    ...account,
    client,
    crypto,
    network,
    recoveryKey: () => secrets.key,
    log,
    authUploadDeviceSigningKeys,
  }
}
