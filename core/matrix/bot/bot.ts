import { hostname } from 'node:os'
import { type CryptoApi, OnlySignedDevicesIsolationMode } from 'matrix-js-sdk/lib/crypto-api/index.js'
import type { Alerts } from '../../alerts.ts'
import { days, minutes, seconds } from '../../domain/clock.ts'
import type { DeviceId, EventId, RoomId, UserId } from '../../domain/ids.ts'
import { errorFacts, isOutage } from '../../error-facts.ts'
import type { Log } from '../../log.ts'
import type { SealingKeys } from '../../seal.ts'
import { type BotDevice, botDevice, saveBotDevice } from '../../store/bots/bot-devices.ts'
import { holdLease, type Lease } from '../../store/bots/leases.ts'
import { type Db, siblingDb } from '../../store/db.ts'
import type { StoreDeps } from '../../store/tx.ts'
import { passOverEmptySyncs } from '../empty-syncs.ts'
import { encryptFor, putEncrypted } from '../encrypt.ts'
import type { RoomKey } from '../escrow/backup-key.ts'
import { drainRoomKeys } from '../escrow/drain.ts'
import { ensureEscrow } from '../escrow/ensure.ts'
import type { Homeserver } from '../homeserver.ts'
import { openJournal } from '../journal/journal.ts'
import { isOldRoomKey } from '../journal/old-room-keys.ts'
import { olmMachineOf, onRoomKeys, queryKeys, takeSyncsWhole } from '../olm-machine.ts'
import { deleteStrayDevices, ensureUser, newDeviceId, putDevice, setDisplayName } from '../our-users.ts'
import { createSdkClient, stopSdkClient } from '../sdk-client.ts'
import { startSync, watchOwnUser } from './bot-client.ts'
import { beat, beatAtHomeserver, checkDevice, ensureSigned, resetIdentity } from './bot-identity.ts'
import * as rooms from './bot-rooms.ts'
import { type Decryption, decryptEvent, type RawRoomEvent } from './decrypt.ts'
import { masterKeyOf, rememberedSigners, signerOf } from './signers.ts'

export type BotDeps = {
  homeserver: Homeserver
  store: StoreDeps
  userId: UserId
  displayName: string
  log: Log
  alert?: Alerts
  /** Ends the process; by default at once, with status 70. It must not return to the bot. */
  die?: (reason: string) => void
  /** Stops waiting for the lease. */
  signal?: AbortSignal
  /** Room keys that were last written earlier than this are dropped from memory and database at start (30 days); the key backup keeps them. */
  keepKeysMs?: number
  leaseTtlMs?: number
  /** Shared by many bots of a process; without it the bot has three connections of its own. */
  pool?: Db
  /** Where the database knows nothing of this user, an earlier identity at the homeserver is replaced instead of refused: there are no ratchets that could be turned twice. */
  startsAfresh?: boolean
  /** Keeps every room key for the officers alone, in a backup that nothing on a server can open, instead of in a backup of its own. */
  escrow?: Pick<SealingKeys, 'recovery'>
}

/** A user of ours that takes part in encrypted rooms, with one device for ever, whatever is killed. One process at a time leads it. */
export type Bot = {
  readonly userId: UserId
  readonly deviceId: DeviceId
  /** The master key of its own cross-signing identity. */
  readonly masterKey: string
  decrypt(raw: RawRoomEvent): Promise<Decryption>
  /** Encrypts and sends; waits until the room can take it. `txnId`: a stable hash of the job; the same one gives the same event, also after a kill. */
  send(roomId: RoomId, type: string, content: Record<string, unknown>, options: { txnId: string }): Promise<EventId>
  /** Null when that reaction stands already. */
  react(roomId: RoomId, eventId: EventId, key: string, options: { txnId: string }): Promise<EventId | null>
  redact(roomId: RoomId, eventId: EventId, options: { txnId: string; reason?: string }): Promise<void>
  createDirect(userId: UserId, topic?: () => Promise<string>): Promise<RoomId>
  findDirect(userId: UserId): RoomId | null
  join(roomId: RoomId): Promise<void>
  invite(roomId: RoomId, userId: UserId): Promise<void>
  markFunctional(roomId: RoomId): Promise<void>
  /** Asked afresh from the homeserver. */
  identityOf(userId: UserId): Promise<{ masterKey: string | null; deviceIds: DeviceId[] }>
  /** Has this person a device, signed by their identity, that could read what the bot sends now? Asked afresh. */
  hasReader(userId: UserId): Promise<boolean>
  /** Calls `listener` for every room key that has come: parked events may be tried again. Returns how to stop it. */
  keyArrived(listener: (roomId: RoomId, sessionId: string) => void): () => void
  /** Hands every room key that has come, once it is in the backup, to `save`, and then forgets it. Returns how many. */
  drainRoomKeys(save: (keys: RoomKey[]) => Promise<void>): Promise<number>
  /** Gives up leadership and lets everything go. */
  stop(): Promise<void>
}

const leaseName = (userId: UserId) => `bot:${userId}`
const holderName = () => `${hostname()}:${process.pid}`

const endProcess = (log: Log, userId: UserId) => (reason: string) => {
  log.fatal({ bot: userId }, reason)
  process.exit(70)
}

/** Waits out a homeserver that is away, for a minute. */
const patiently = async <T>(work: () => Promise<T>, signal?: AbortSignal): Promise<T> => {
  const end = performance.now() + seconds(60)
  for (;;) {
    try {
      return await work()
    } catch (e) {
      if (!isOutage(e) || performance.now() > end) throw e
      signal?.throwIfAborted()
      await new Promise(done => setTimeout(done, 300))
    }
  }
}

const firstDevice = async (d: BotDeps, lease: Lease): Promise<BotDevice> => {
  const known = await botDevice(d.store, d.userId)
  if (known?.k) return known
  const device: BotDevice = {
    deviceId: known?.deviceId ?? newDeviceId(d.store.random),
    identityKey: null,
    masterKey: null,
    k: Buffer.from(d.store.random.bytes(32)).toString('base64'),
    createdAt: d.store.clock.now(),
    beat: d.startsAfresh ? await beatAtHomeserver(d) : 0,
  }
  await saveBotDevice(d.store, lease, d.userId, device)
  return device
}

const keysOf = async (crypto: CryptoApi, userId: UserId) => {
  await queryKeys(crypto, [userId])
  const masterKey = await masterKeyOf(olmMachineOf(crypto), userId)
  const devices = (await crypto.getUserDeviceInfo([userId])).get(userId)
  return { masterKey, deviceIds: [...(devices?.keys() ?? [])] as DeviceId[] }
}

const hasSignedDevice = async (crypto: CryptoApi, userId: UserId): Promise<boolean> => {
  const { deviceIds } = await keysOf(crypto, userId)
  for (const deviceId of deviceIds)
    if ((await crypto.getDeviceVerificationStatus(userId, deviceId))?.signedByOwner) return true
  return false
}

/**
 * Waits until this process leads the bot, then starts it as it last was: its device, identity and room keys come out of PostgreSQL, and every change goes
 * there before it counts. The first start makes device, cross-signing, secret storage and key backup.
 * @throws IdentityMismatch when homeserver and database disagree about its keys; the error says what to do.
 */
export const startBot = async (d: BotDeps): Promise<Bot> => {
  const { homeserver, store, userId, log } = d
  const die = d.die ?? endProcess(log, userId)
  const pool = d.pool ?? siblingDb(store.db, 3)
  const undo: (() => Promise<void> | void)[] = d.pool ? [] : [() => pool.destroy()]
  const unwind = async () => {
    for (const step of undo.splice(0).reverse()) await step()
  }
  try {
    const lease = await holdLease({
      db: pool,
      name: leaseName(userId),
      holder: holderName(),
      log,
      ttlMs: d.leaseTtlMs,
      signal: d.signal,
      onLost: () => die(`another process leads ${userId} now`),
    })
    undo.push(lease.stop)
    const own = { ...store, db: pool }
    const identity = { homeserver, store: own, lease, userId, ownBackup: d.escrow === undefined }
    await patiently(() => ensureUser(homeserver, userId), d.signal)
    let device = await firstDevice({ ...d, store: own }, lease)
    const k = new Uint8Array(Buffer.from(device.k ?? '', 'base64'))
    const fresh = device.identityKey === null
    if (fresh) await putDevice(homeserver, userId, device.deviceId, d.displayName)
    if (fresh && d.startsAfresh) await deleteStrayDevices(homeserver, userId, [device.deviceId])

    const prefix = `${userId}#${lease.epoch}`
    const keepKeysMs = d.keepKeysMs ?? days(30)
    const journal = await openJournal({
      store: own,
      pool,
      bot: userId,
      lease,
      prefix,
      log,
      die: (reason, err) => {
        log.fatal({ err: errorFacts(err), bot: userId }, reason)
        die(reason)
      },
      forget: r => isOldRoomKey(r, store.clock.now() - keepKeysMs),
    })
    undo.push(journal.stop)
    const client = createSdkClient({ homeserver, userId, deviceId: device.deviceId, secretStorageKey: () => k, log })
    undo.push(() => stopSdkClient(client))
    const storageKey = new Uint8Array(Buffer.from(store.seal.lookup('bot.storage_key', userId), 'hex'))
    await client.initRustCrypto({ cryptoDatabasePrefix: prefix, storageKey })
    const crypto = client.getCrypto()
    if (!crypto) throw new Error('the SDK has no encryption')
    takeSyncsWhole(olmMachineOf(crypto), journal.whole)
    passOverEmptySyncs(crypto)
    crypto.setDeviceIsolationMode(new OnlySignedDevicesIsolationMode())
    device = await checkDevice(identity, crypto, device)
    // What changed while nobody synced is not told afterwards: ask for everybody's devices again.
    if (!fresh) await olmMachineOf(crypto).markAllTrackedUsersAsDirty()

    const listeners = new Set<(roomId: RoomId, sessionId: string) => void>()
    onRoomKeys(crypto, (roomId, sessionId) => {
      for (const listener of listeners) listener(roomId as RoomId, sessionId)
    })
    let stopping = false
    // While everything is let go, a sync that is cut short says nothing.
    undo.push(() => {
      stopping = true
    })
    await startSync(d, client, crypto, { deviceId: device.deviceId, epoch: lease.epoch }, reason => {
      if (!stopping) die(reason)
    })
    device = await ensureSigned(identity, client, crypto, device, k)
    const { escrow: keys } = d
    const escrow = keys && (() => ensureEscrow({ homeserver, store: own, userId, keys, log }, crypto))
    await escrow?.()
    const { deviceId } = device
    const masterKey = device.masterKey ?? ''
    if (fresh) await setDisplayName(homeserver, userId, d.displayName)
    undo.push(watchOwnUser({ ...d, store: own }, client, crypto, deviceId, masterKey))

    let beating: Promise<unknown> = Promise.resolve()
    const beats = setInterval(() => {
      beating = beat(identity, device).then(
        next => {
          device = next
        },
        err => log.warn({ err: errorFacts(err), bot: userId }, 'the beat could not be noted'),
      )
    }, minutes(10))
    undo.push(async () => {
      clearInterval(beats)
      await beating
    })
    const signer = rememberedSigners(client, signerOf(olmMachineOf(crypto)))
    const roomDeps = { homeserver, client, crypto, userId, deviceId }
    const inTurn = rooms.roomTurns()
    return {
      userId,
      deviceId,
      masterKey,
      decrypt: raw => decryptEvent(crypto, raw, signer),
      send: async (roomId, type, content, { txnId }) => {
        await rooms.awaitSendable(roomDeps, roomId)
        const wire = await inTurn(roomId, () => encryptFor(client, crypto, roomId, type, content))
        return putEncrypted(homeserver, { userId, deviceId }, roomId, txnId, wire)
      },
      react: (roomId, eventId, key, { txnId }) => rooms.react(roomDeps, roomId, eventId, key, txnId),
      redact: (roomId, eventId, { txnId, reason }) => rooms.redact(roomDeps, roomId, eventId, txnId, reason),
      createDirect: (other, topic) => rooms.createDirect(roomDeps, other, topic),
      findDirect: other => rooms.findDirect(roomDeps, other),
      join: roomId => rooms.join(roomDeps, roomId),
      invite: (roomId, other) => inTurn(roomId, () => rooms.invite(roomDeps, roomId, other)),
      markFunctional: roomId => rooms.markFunctional(roomDeps, roomId),
      identityOf: other => keysOf(crypto, other),
      hasReader: other => hasSignedDevice(crypto, other),
      keyArrived: listener => {
        listeners.add(listener)
        return () => listeners.delete(listener)
      },
      drainRoomKeys: async save => {
        const drain = () => drainRoomKeys(crypto, prefix, save)
        if (!escrow) return drain()
        // Somebody may have replaced the backup meanwhile.
        return drain().catch(() => escrow().then(drain))
      },
      stop: unwind,
    }
  } catch (e) {
    await unwind()
    throw e
  }
}

export type ResetDeps = Pick<BotDeps, 'homeserver' | 'store' | 'userId' | 'log'> & {
  /** The person at the command line, for the audit. */
  by: string
  /** How long a process that leads the bot is waited for (10 s). */
  patienceMs?: number
}

/**
 * `wardroom crypto-reset`: forgets a bot's crypto store and deletes its device; the next `startBot` makes a new one. Its cross-signing identity is kept
 * where it can be. @throws when a process still leads the bot after `patienceMs`.
 */
export const resetCrypto = async (d: ResetDeps): Promise<'identity-kept' | 'identity-new'> => {
  const { homeserver, store, userId, log, by } = d
  const stillLed = new Error(`a process still runs ${userId}; stop it first`)
  const limit = new AbortController()
  const timer = setTimeout(() => limit.abort(stillLed), d.patienceMs ?? seconds(10))
  const lease = await holdLease({
    db: store.db,
    name: leaseName(userId),
    holder: holderName(),
    log,
    signal: limit.signal,
    onLost: () => log.error({ bot: userId }, 'another process took over during crypto-reset'),
  }).finally(() => clearTimeout(timer))
  try {
    return await resetIdentity({ homeserver, store, lease, userId }, await botDevice(store, userId), by)
  } finally {
    await lease.stop()
  }
}
