import type { MatrixClient } from 'matrix-js-sdk'
import type { CryptoApi } from 'matrix-js-sdk/lib/crypto-api/index.js'
import type { UserId } from '../../domain/ids.ts'
import { type BotDevice, saveBotDevice, wipeBotCrypto } from '../../store/bots/bot-devices.ts'
import type { Lease } from '../../store/bots/leases.ts'
import type { StoreDeps } from '../../store/tx.ts'
import { awaitOwnSignature, newIdentity, takeOverIdentity } from '../cross-signing.ts'
import { type Homeserver, MatrixRefusal } from '../homeserver.ts'
import { olmMachineOf, queryKeys } from '../olm-machine.ts'
import { deleteDevice, devicesOf, newDeviceId } from '../our-users.ts'
import { masterKeyOf } from './signers.ts'

/** What the homeserver or the database says about this bot's keys does not fit. Going on would lose messages or make clinicians' clients warn. */
export class IdentityMismatch extends Error {
  constructor(userId: string, what: string) {
    super(
      `${userId} cannot go on: ${what}. Its keys at the homeserver and in the database belong to different times, as after a restored backup. ` +
        `Stop every process that runs it and run "wardroom crypto-reset ${userId}": it gets a new device, keeps its cross-signing identity where it can, ` +
        `and clinicians' clients go on trusting it.`,
    )
    this.name = 'IdentityMismatch'
  }
}

type Keys = { keys?: Record<string, string> }
type KeyQuery = { device_keys?: Record<string, Record<string, Keys>>; master_keys?: Record<string, Keys> }

/** What the homeserver publishes: the device's Ed25519 key and the user's master key, or null. */
const published = async (homeserver: Homeserver, userId: UserId, deviceId: string) => {
  const answer = await homeserver.request<KeyQuery>('POST', '/_matrix/client/v3/keys/query', {
    userId,
    body: { device_keys: { [userId]: [] } },
  })
  const device = answer.device_keys?.[userId]?.[deviceId]
  return {
    identityKey: device?.keys?.[`ed25519:${deviceId}`] ?? null,
    masterKey: Object.values(answer.master_keys?.[userId]?.keys ?? {})[0] ?? null,
  }
}

export type IdentityDeps = {
  homeserver: Homeserver
  store: StoreDeps
  lease: Lease
  userId: UserId
  /** False: the bot has no key backup of its own (it has an escrow that it cannot open). */
  ownBackup?: boolean
}

const beatType = 'org.wardroom.beat'
const beatPath = (userId: UserId) => `/_matrix/client/v3/user/${encodeURIComponent(userId)}/account_data/${beatType}`

/** How often the bot has been seen to count on, by what the homeserver keeps; 0 for a new one. */
export const beatAtHomeserver = async ({
  homeserver,
  userId,
}: Pick<IdentityDeps, 'homeserver' | 'userId'>): Promise<number> => {
  try {
    const { beat } = await homeserver.request<{ beat?: unknown }>('GET', beatPath(userId), { userId })
    return typeof beat === 'number' ? beat : 0
  } catch (e) {
    if (e instanceof MatrixRefusal && e.status === 404) return 0
    throw e
  }
}

/**
 * Counts on, in the database first and then at the homeserver, so that a database that was restored from a backup shows itself: its room keys' ratchets
 * would be turned a second time. Call it at start and every few minutes.
 */
export const beat = async (d: IdentityDeps, device: BotDevice): Promise<BotDevice> => {
  const next = { ...device, beat: device.beat + 1 }
  await saveBotDevice(d.store, d.lease, d.userId, next)
  await d.homeserver.request('PUT', beatPath(d.userId), { userId: d.userId, body: { beat: next.beat } })
  return next
}

/** Compares our device's key with the database's and the homeserver's, and notes it the first time. @throws IdentityMismatch */
export const checkDevice = async (d: IdentityDeps, crypto: CryptoApi, device: BotDevice): Promise<BotDevice> => {
  const ours = (await crypto.getOwnDeviceKeys()).ed25519
  if (device.identityKey !== null && device.identityKey !== ours)
    throw new IdentityMismatch(d.userId, `the crypto store in the database is not that of device ${device.deviceId}`)
  if ((await beatAtHomeserver(d)) > device.beat)
    throw new IdentityMismatch(d.userId, 'the homeserver has seen later days of it than the database knows')
  const theirs = await published(d.homeserver, d.userId, device.deviceId)
  if (theirs.identityKey !== null && theirs.identityKey !== ours)
    throw new IdentityMismatch(d.userId, `the homeserver has other keys for device ${device.deviceId}`)
  if (device.identityKey !== null && !(await devicesOf(d.homeserver, d.userId)).includes(device.deviceId))
    throw new IdentityMismatch(d.userId, `its device ${device.deviceId} was deleted at the homeserver`)
  if (device.masterKey !== null && theirs.masterKey !== device.masterKey)
    throw new IdentityMismatch(d.userId, 'its cross-signing keys at the homeserver were replaced')
  return beat(d, { ...device, identityKey: ours })
}

/**
 * Makes the bot's cross-signing, secret storage and key backup once, or signs a new device with those it has, and waits until its signature is seen.
 * K is saved before it is used, and the identity counts as made when its master key is saved: a kill in between starts over.
 */
export const ensureSigned = async (
  d: IdentityDeps,
  client: MatrixClient,
  crypto: CryptoApi,
  device: BotDevice,
  k: Uint8Array<ArrayBuffer>,
): Promise<BotDevice> => {
  let ready = device
  if (device.masterKey === null) {
    await newIdentity(crypto, d.userId, k, d.ownBackup ?? true)
    await awaitOwnSignature(crypto, d.userId, device.deviceId, d.store.clock)
    ready = { ...device, masterKey: await masterKeyOf(olmMachineOf(crypto), d.userId) }
    if (ready.masterKey === null) throw new Error(`${d.userId} has no master key after its set-up`)
    await saveBotDevice(d.store, d.lease, d.userId, ready)
    return ready
  }
  await queryKeys(crypto, [d.userId])
  const status = await crypto.getCrossSigningStatus()
  if (!status.privateKeysCachedLocally.selfSigningKey) {
    await takeOverIdentity(client, crypto, d.userId)
    if (d.ownBackup !== false) {
      await crypto.loadSessionBackupPrivateKeyFromSecretStorage()
      await crypto.checkKeyBackupAndEnable()
      await crypto.restoreKeyBackup()
    }
  }
  await awaitOwnSignature(crypto, d.userId, device.deviceId, d.store.clock)
  return ready
}

/**
 * Gives a bot a new device (`wardroom crypto-reset`), as its leader: deletes the old one and its store. The cross-signing identity stays if its secrets
 * are in the database and the homeserver still publishes it; else `startBot` makes a new one, and its pinned users see a change. Audited as `by`.
 * Returns which it was.
 */
export const resetIdentity = async (
  d: IdentityDeps,
  device: BotDevice | null,
  by: string,
): Promise<'identity-kept' | 'identity-new'> => {
  const theirs = await published(d.homeserver, d.userId, '')
  const keep = device?.k != null && device.masterKey !== null && theirs.masterKey === device.masterKey
  if (device) await deleteDevice(d.homeserver, d.userId, device.deviceId)
  const next: BotDevice = {
    deviceId: newDeviceId(d.store.random),
    identityKey: null,
    masterKey: keep ? device.masterKey : null,
    k: keep ? device.k : null,
    createdAt: d.store.clock.now(),
    beat: Math.max(device?.beat ?? 0, await beatAtHomeserver(d)),
  }
  await wipeBotCrypto(d.store, d.lease, d.userId, next, by)
  return keep ? 'identity-kept' : 'identity-new'
}
