import { type OlmMachine, DeviceId as WasmDeviceId, UserId as WasmUserId } from '@matrix-org/matrix-sdk-crypto-wasm'
import type { MatrixClient } from 'matrix-js-sdk'
import { CryptoEvent } from 'matrix-js-sdk/lib/crypto-api/index.js'
import { seconds } from '../../domain/clock.ts'

type CrossSigningKey = { keys: Record<string, string> }

/** A user's master key as the crypto library knows it, or null. */
export const masterKeyOf = async (machine: OlmMachine, userId: string): Promise<string | null> => {
  const identity = await machine.getIdentity(new WasmUserId(userId))
  if (!identity) return null
  const { keys } = JSON.parse(identity.masterKey) as CrossSigningKey
  identity.free()
  return Object.values(keys)[0] ?? null
}

/**
 * The master key behind which a sending device stands at this moment, or null: it must be known, signed by its owner and have sent with this Curve25519
 * key, so that a switch of identity in between is noticed.
 */
export type SignerOf = (userId: string, deviceId: string, curveKey: string) => Promise<string | null>

export const signerOf =
  (machine: OlmMachine): SignerOf =>
  async (userId, deviceId, curveKey) => {
    const device = await machine.getDevice(new WasmUserId(userId), new WasmDeviceId(deviceId))
    if (!device) return null
    const stands = device.isCrossSignedByOwner() && device.curve25519Key?.toBase64() === curveKey
    device.free()
    return stands ? masterKeyOf(machine, userId) : null
  }

const limit = 5000

/** Remembers signers, which costs more to find than a message to decrypt, until the user's devices or identity change, and half a minute at most. */
export const rememberedSigners = (client: MatrixClient, find: SignerOf): SignerOf => {
  const known = new Map<string, { key: string; until: number }>()
  let changes = 0
  const forget = (users: readonly string[]) => {
    changes++
    for (const id of known.keys()) if (users.some(u => id.startsWith(`${u}\0`))) known.delete(id)
  }
  client.on(CryptoEvent.DevicesUpdated, users => forget(users))
  client.on(CryptoEvent.UserTrustStatusChanged, user => forget([user]))
  return async (userId, deviceId, curveKey) => {
    const id = [userId, deviceId, curveKey].join('\0')
    const now = performance.now()
    const before = known.get(id)
    if (before && before.until > now) return before.key
    const changesBefore = changes
    const key = await find(userId, deviceId, curveKey)
    if (key === null || changes !== changesBefore) return key
    if (known.size >= limit) known.clear()
    known.set(id, { key, until: now + seconds(30) })
    return key
  }
}
