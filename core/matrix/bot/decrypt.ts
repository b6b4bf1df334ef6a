import {
  DecryptionErrorCode,
  DecryptionSettings,
  MegolmDecryptionError,
  type OlmMachine,
  TrustRequirement,
  RoomId as WasmRoomId,
} from '@matrix-org/matrix-sdk-crypto-wasm'
import type { CryptoApi } from 'matrix-js-sdk/lib/crypto-api/index.js'
import type { DeviceId, EventId, RoomId, UserId } from '../../domain/ids.ts'
import { olmMachineOf, queryKeys } from '../olm-machine.ts'
import { type SignerOf, signerOf } from './signers.ts'

/** An event as the homeserver sent it. */
export type RawRoomEvent = {
  event_id: string
  room_id: string
  type: string
  sender: string
  origin_server_ts: number
  content: Record<string, unknown>
}

/** A message that could be read, from a device that its owner has signed. */
export type Read = {
  kind: 'read'
  eventId: EventId
  roomId: RoomId
  sender: UserId
  type: string
  /** With the relation (reply, thread) that stands in clear outside. */
  content: Record<string, unknown>
  deviceId: DeviceId | null
  /** The sender's cross-signing master key (Ed25519, base64), if it signs the sending device as we know it now; null when that device is gone. Compare it with the key that was pinned. */
  masterKey: string | null
}

/** A message whose key came from somebody else than its sender, with an invitation (MSC4268): readable, but the forwarder could have made it up. Never to be obeyed. */
export type Forwarded = Omit<Read, 'kind' | 'deviceId' | 'masterKey'> & { kind: 'forwarded'; forwarder: UserId }

export type Decryption =
  | Read
  | Forwarded
  /** Its room key has not come (yet); `withheld` when the sender said that it will not come. */
  | { kind: 'missing-key'; sessionId: string; withheld: string | null }
  /** It was sent by a device that its owner has not signed, or that nobody knows: to be answered with the help link. */
  | { kind: 'unsigned'; reason: 'unsigned-device' | 'unknown-device' | 'identity-changed' }
  /** Broken or forged: no key will help. */
  | { kind: 'unreadable'; reason: string }
  /** It was not encrypted: never to be obeyed. */
  | { kind: 'plaintext' }

const classify = (error: unknown, raw: RawRoomEvent): Exclude<Decryption, Read | Forwarded> => {
  if (!(error instanceof MegolmDecryptionError)) throw error
  switch (error.code) {
    case DecryptionErrorCode.MissingRoomKey:
    case DecryptionErrorCode.UnknownMessageIndex:
      return {
        kind: 'missing-key',
        sessionId: String(raw.content.session_id ?? ''),
        withheld: error.withheldCode ?? null,
      }
    case DecryptionErrorCode.UnsignedSenderDevice:
      return { kind: 'unsigned', reason: 'unsigned-device' }
    case DecryptionErrorCode.UnknownSenderDevice:
      return { kind: 'unsigned', reason: 'unknown-device' }
    case DecryptionErrorCode.SenderIdentityVerificationViolation:
      return { kind: 'unsigned', reason: 'identity-changed' }
    default:
      return { kind: 'unreadable', reason: DecryptionErrorCode[error.code] ?? 'unknown' }
  }
}

const decryptRaw = async (machine: OlmMachine, raw: RawRoomEvent, trust: TrustRequirement) => {
  const roomId = new WasmRoomId(raw.room_id)
  const result = await machine.decryptRoomEvent(JSON.stringify(raw), roomId, new DecryptionSettings(trust))
  const clear = JSON.parse(result.event) as { type: string; content: Record<string, unknown> }
  const relation = clear.content['m.relates_to'] ?? raw.content['m.relates_to']
  const message = {
    eventId: raw.event_id as EventId,
    roomId: raw.room_id as RoomId,
    sender: raw.sender as UserId,
    type: clear.type,
    content: relation === undefined ? clear.content : { ...clear.content, 'm.relates_to': relation },
  }
  return { result, message }
}

const attempt = async (machine: OlmMachine, signer: SignerOf, raw: RawRoomEvent): Promise<Decryption> => {
  try {
    const { result, message } = await decryptRaw(machine, raw, TrustRequirement.CrossSigned)
    const deviceId = result.senderDevice?.toString()
    const masterKey = deviceId === undefined ? null : await signer(raw.sender, deviceId, result.senderCurve25519Key)
    return { kind: 'read', ...message, deviceId: (deviceId as DeviceId | undefined) ?? null, masterKey }
  } catch (error) {
    const refused = classify(error, raw)
    return refused.kind === 'unsigned' ? ((await forwarded(machine, raw)) ?? refused) : refused
  }
}

const forwarded = async (machine: OlmMachine, raw: RawRoomEvent): Promise<Forwarded | null> => {
  const { result, message } = await decryptRaw(machine, raw, TrustRequirement.Untrusted)
  const forwarder = result.forwarder?.toString() as UserId | undefined
  return forwarder === undefined ? null : { kind: 'forwarded', ...message, forwarder }
}

/**
 * Decrypts an event and says how far its sender can be trusted: only what comes from a cross-signed device is read (MSC4153). Before it calls a device
 * unsigned it asks the homeserver for the sender's keys once more, since people sign a new device moments after its first words. Safe to repeat.
 */
export const decryptEvent = async (crypto: CryptoApi, raw: RawRoomEvent, signer?: SignerOf): Promise<Decryption> => {
  if (raw.type !== 'm.room.encrypted') return { kind: 'plaintext' }
  const machine = olmMachineOf(crypto)
  const first = await attempt(machine, signer ?? signerOf(machine), raw)
  if (first.kind !== 'unsigned' && !(first.kind === 'read' && first.masterKey === null)) return first
  await queryKeys(crypto, [raw.sender])
  return attempt(machine, signerOf(machine), raw)
}
