import { createPublicKey, verify } from 'node:crypto'
import type { UserId } from '../../domain/ids.ts'
import type { Homeserver } from '../homeserver.ts'

/** One device of a person; `signed`: its owner's identity vouches for it, so that clients give it room keys. */
export type ListedDevice = { userId: string; deviceId: string; name: string; signed: boolean }

type Json = Record<string, unknown>
type DeviceKeys = Json & {
  signatures?: Record<string, Record<string, string>>
  unsigned?: { device_display_name?: string }
  dehydrated?: boolean
}
type SigningKey = { keys: Record<string, string> }
type Answer = {
  failures?: Record<string, unknown>
  master_keys?: Record<string, SigningKey>
  device_keys?: Record<string, Record<string, DeviceKeys>>
  self_signing_keys?: Record<string, SigningKey>
}

/** Canonical JSON (Matrix appendices): keys sorted, no blanks. Keys' values are all strings, so numbers need no care. */
const canonical = (v: unknown): string => {
  if (Array.isArray(v)) return `[${v.map(canonical).join(',')}]`
  if (typeof v !== 'object' || v === null) return JSON.stringify(v)
  const entries = Object.entries(v).sort(([a], [b]) => (a < b ? -1 : 1))
  return `{${entries.map(([k, x]) => `${JSON.stringify(k)}:${canonical(x)}`).join(',')}}`
}

const base64url = (unpadded: string) => unpadded.replaceAll('+', '-').replaceAll('/', '_')

/** Does this Ed25519 key (unpadded base64) sign the device's keys? */
const signedBy = (key: string, device: DeviceKeys, userId: string): boolean => {
  const signature = device.signatures?.[userId]?.[`ed25519:${key}`]
  if (!signature) return false
  const { signatures: _, unsigned: __, ...rest } = device
  try {
    const publicKey = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x: base64url(key) }, format: 'jwk' })
    return verify(null, Buffer.from(canonical(rest)), publicKey, Buffer.from(signature, 'base64'))
  } catch {
    return false // a key or signature that is none signs nothing
  }
}

/**
 * The devices of people and whether each is signed by its owner (row 27), the signatures checked here. Their names come from the homeserver, which is trusted for
 * nothing else. A dehydrated device is not listed.
 */
export const listDevices = async (
  homeserver: Homeserver,
  acting: UserId,
  users: readonly string[],
): Promise<ListedDevice[]> => {
  if (users.length === 0) return []
  const answer = await homeserver.request<Answer>('POST', '/_matrix/client/v3/keys/query', {
    userId: acting,
    body: { device_keys: Object.fromEntries(users.map(u => [u, []])) },
  })
  return users.flatMap(userId => {
    const key = Object.values(answer.self_signing_keys?.[userId]?.keys ?? {})[0]
    return Object.entries(answer.device_keys?.[userId] ?? {})
      .filter(([, device]) => !device.dehydrated)
      .map(([deviceId, device]) => ({
        userId,
        deviceId,
        name: device.unsigned?.device_display_name ?? '',
        signed: key !== undefined && signedBy(key, device, userId),
      }))
  })
}

/** The public cross-signing master key (unpadded base64) that the homeserver shows for a person now; null without cross-signing. */
export const shownIdentity = async (homeserver: Homeserver, acting: UserId, user: UserId): Promise<string | null> => {
  const answer = await homeserver.request<Answer>('POST', '/_matrix/client/v3/keys/query', {
    userId: acting,
    body: { device_keys: { [user]: [] } },
  })
  return Object.values(answer.master_keys?.[user]?.keys ?? {})[0] ?? null
}

export type DeviceState = { devices: string[]; identity: string | null }

/**
 * The devices of a person that have encryption keys, the dehydrated one among them, and the public cross-signing master key, as the homeserver shows them now.
 * @throws when another server, where the person lives, did not answer.
 */
export const deviceState = async (homeserver: Homeserver, acting: UserId, user: string): Promise<DeviceState> => {
  const answer = await homeserver.request<Answer>('POST', '/_matrix/client/v3/keys/query', {
    userId: acting,
    body: { device_keys: { [user]: [] } },
  })
  if (Object.keys(answer.failures ?? {}).length > 0)
    throw new Error("a person's homeserver did not say what devices they have")
  return {
    devices: Object.keys(answer.device_keys?.[user] ?? {}).sort(),
    identity: Object.values(answer.master_keys?.[user]?.keys ?? {})[0] ?? null,
  }
}
