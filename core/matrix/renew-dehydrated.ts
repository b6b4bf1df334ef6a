import type { MatrixClient } from 'matrix-js-sdk'
import type { CryptoApi } from 'matrix-js-sdk/lib/crypto-api/index.js'
import type { DeviceId, UserId } from '../domain/ids.ts'
import type { Log } from '../log.ts'
import { systemClock } from '../system.ts'
import { awaitOwnSignature, takeOverIdentity } from './cross-signing.ts'
import type { Homeserver } from './homeserver.ts'
import { firstSync, quietFilter } from './memory-client.ts'
import { backUpAtOnce, dehydrationOf, flushBackup } from './olm-machine.ts'
import { dehydratedDeviceOf } from './our-users.ts'
import { restoreCrypto, saveCrypto } from './saved-crypto.ts'
import { createSdkClient, stopSdkClient } from './sdk-client.ts'

export type Renewal = {
  homeserver: Homeserver
  userId: UserId
  /** A live device that was made for this renewal; who made it deletes it afterwards. */
  deviceId: DeviceId
  /** The 32-byte key of the user's secret storage. */
  k: Uint8Array
  /** How long clinicians' clients are given to learn of a change of devices (measured: 8 s). */
  settleMs: number
  /** What an earlier, killed run of the same device had saved. */
  saved: Uint8Array | null
  /** Keeps the device's own keys, encrypted under K, where a kill does not reach. */
  save: (sealed: Uint8Array) => Promise<void>
  log?: Log
}

type Gate = { wait: (() => Promise<void>) | null; since: string | null }

/** A sync that says `since` lets the homeserver forget what it delivered before: so it waits until all of that is in the backup. */
const gated = (homeserver: Homeserver, gate: Gate): Homeserver => ({
  ...homeserver,
  fetchAs: acting => {
    const inner = homeserver.fetchAs(acting)
    return async (input, init) => {
      const url = new URL(input instanceof Request ? input.url : String(input))
      const since = url.pathname.endsWith('/sync') ? url.searchParams.get('since') : null
      if (since !== null) {
        await gate.wait?.()
        gate.since = since
      }
      return inner(input, init)
    }
  },
})

const pause = (ms: number) => new Promise<void>(done => setTimeout(done, ms))

/** Waits until the homeserver holds nothing for this device that the running sync has not taken. */
const drained = async (homeserver: Homeserver, userId: UserId, deviceId: DeviceId, gate: Gate): Promise<void> => {
  for (;;) {
    const answer = await homeserver.request<{ to_device?: { events?: unknown[] } }>('GET', '/_matrix/client/v3/sync', {
      userId,
      deviceId,
      query: { timeout: 0, ...(gate.since === null ? {} : { since: gate.since }) },
    })
    if (gate.since !== null && (answer.to_device?.events ?? []).length === 0) return
    await pause(100)
  }
}

const enableBackup = async (crypto: CryptoApi): Promise<void> => {
  await crypto.loadSessionBackupPrivateKeyFromSecretStorage()
  if (!(await crypto.checkKeyBackupAndEnable())) throw new Error('the key backup cannot be used')
}

const join = async (o: Renewal, client: MatrixClient, crypto: CryptoApi): Promise<void> => {
  await firstSync(client, { filter: quietFilter(o.userId, []) })
  await takeOverIdentity(client, crypto, o.userId)
  await awaitOwnSignature(crypto, o.userId, o.deviceId, systemClock)
  await enableBackup(crypto)
}

/**
 * Replaces a ghost's dehydrated device by a fresh one in the one measured order: online for a while → read the old one → backup → read it again → put the
 * new one → online for a while → backup (docs/decisions, "renewing the dehydrated device"). Loads no room. It may be killed at any instant: before the new
 * one is put, the old one is still there; from then on the live device catches what clinicians with a stale device list send, its keys are saved, and the
 * homeserver forgets nothing that is not in the backup. Run again with what was saved, it goes on where it was.
 * @throws when the homeserver refuses or is away.
 */
export const renewDehydratedDevice = async (o: Renewal): Promise<void> => {
  const prefix = `renewal-${o.deviceId}`
  const replaced = o.saved && { id: await restoreCrypto(prefix, o.deviceId, o.k, o.saved) }
  const gate: Gate = { wait: null, since: null }
  const homeserver = gated(o.homeserver, gate)
  const client = createSdkClient({ ...o, homeserver, secretStorageKey: () => o.k })
  try {
    await client.initRustCrypto({ cryptoDatabasePrefix: prefix })
    const crypto = client.getCrypto()
    if (!crypto) throw new Error('the SDK has no encryption')
    backUpAtOnce(crypto)
    await join(o, client, crypto)
    gate.wait = () => flushBackup(crypto)
    const dehydration = dehydrationOf(crypto)
    if (!replaced) await pause(o.settleMs)
    const old = await dehydratedDeviceOf(o.homeserver, o.userId)
    await dehydration.rehydrateDeviceIfAvailable()
    await flushBackup(crypto)
    if (!replaced || replaced.id === old) {
      await dehydration.rehydrateDeviceIfAvailable()
      await o.save(await saveCrypto(prefix, o.deviceId, o.k, old))
      await dehydration.createAndUploadDehydratedDevice()
    }
    await pause(o.settleMs)
    await drained(o.homeserver, o.userId, o.deviceId, gate)
    await flushBackup(crypto)
  } finally {
    stopSdkClient(client)
  }
}
