import type { CryptoApi } from 'matrix-js-sdk/lib/crypto-api/index.js'
import type { Random } from '../domain/clock.ts'
import type { DeviceId, UserId } from '../domain/ids.ts'
import type { Log } from '../log.ts'
import { newIdentity } from './cross-signing.ts'
import type { Homeserver } from './homeserver.ts'
import { openMemoryClient } from './memory-client.ts'
import {
  dehydratedDeviceOf,
  deleteDevice,
  deleteStrayDevices,
  ensureUser,
  newDeviceId,
  putDevice,
} from './our-users.ts'

export type IdentityOptions = {
  homeserver: Homeserver
  userId: UserId
  deviceName: string
  random: Random
  log?: Log
}

/** `k`: the random 32-byte key of the user's secret storage, from which everything else can be had. It exists nowhere else. */
export type Identity = { k: Uint8Array; dehydratedDeviceId: DeviceId; deviceDeleted: true }

type Setup = (crypto: CryptoApi) => Promise<void>

/** Registers the user, opens a short-lived device in memory, lets `setup` use it and deletes it, whatever happened. */
const withPassingDevice = async (o: IdentityOptions, k: Uint8Array, setup: Setup): Promise<void> => {
  const known = (await ensureUser(o.homeserver, o.userId)) === 'known'
  if (known) await deleteStrayDevices(o.homeserver, o.userId)
  const deviceId = newDeviceId(o.random)
  await putDevice(o.homeserver, o.userId, deviceId, o.deviceName)
  try {
    const live = await openMemoryClient({ ...o, deviceId, rooms: [], secretStorageKey: () => k })
    try {
      await setup(live.crypto)
    } finally {
      live.stop()
    }
  } finally {
    await deleteDevice(o.homeserver, o.userId, deviceId)
  }
}

/**
 * Makes a ghost that can receive while nobody is there: cross-signing, secret storage under a random K, key backup and a signed dehydrated device
 * (MSC3814); the live device is deleted, so nothing of ours can read afterwards without K. About 0.3 s. Safe to run again: a half-made identity is
 * replaced. @throws when the homeserver refuses or is away.
 */
export const createIdentity = async (o: IdentityOptions): Promise<Identity> => {
  const k = new Uint8Array(o.random.bytes(32))
  await withPassingDevice(o, k, async crypto => {
    await newIdentity(crypto, o.userId, k, true)
    await crypto.startDehydration({ rehydrate: false, createNewKey: true })
  })
  const dehydratedDeviceId = await dehydratedDeviceOf(o.homeserver, o.userId)
  if (!dehydratedDeviceId) throw new Error(`the homeserver kept no dehydrated device for ${o.userId}`)
  return { k, dehydratedDeviceId, deviceDeleted: true }
}

/**
 * Makes a service user that speaks now and then (`speakBriefly`) and otherwise has no device: cross-signing and secret storage under a random K.
 * Safe to run again, until the first use of its K.
 */
export const createServiceIdentity = async (o: IdentityOptions): Promise<{ k: Uint8Array; deviceDeleted: true }> => {
  const k = new Uint8Array(o.random.bytes(32))
  await withPassingDevice(o, k, crypto => newIdentity(crypto, o.userId, k, false))
  return { k, deviceDeleted: true }
}
