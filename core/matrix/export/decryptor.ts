import {
  DecryptionErrorCode,
  DecryptionSettings,
  DeviceId,
  initAsync,
  MegolmDecryptionError,
  OlmMachine,
  TrustRequirement,
  RoomId as WasmRoomId,
  UserId as WasmUserId,
} from '@matrix-org/matrix-sdk-crypto-wasm'
import type { RawRoomEvent } from '../bot/decrypt.ts'
import type { RoomKey } from '../escrow/backup-key.ts'

/** What became of an encrypted event; `why` is a code. */
export type Opened = { type: string; content: Record<string, unknown> } | { why: string }

/** Decrypts a room's events with keys that were handed to it, in memory; at no homeserver. */
export type Decryptor = { open(event: RawRoomEvent): Promise<Opened>; close(): void }

const codes: Partial<Record<DecryptionErrorCode, string>> = {
  [DecryptionErrorCode.MissingRoomKey]: 'no-room-key',
  [DecryptionErrorCode.UnknownMessageIndex]: 'room-key-begins-later',
  [DecryptionErrorCode.MismatchedIdentityKeys]: 'mismatched-identity',
}

/**
 * A machine that holds the given room keys and nothing else. The crypto library checks each message's MAC and the signature of its session, and that no index
 * serves two events; the sender is who the homeserver says, since keys out of a backup vouch for nobody.
 */
export const openDecryptor = async (keys: readonly RoomKey[]): Promise<Decryptor> => {
  await initAsync()
  const machine = await OlmMachine.initialize(new WasmUserId('@export:wardroom.invalid'), new DeviceId('EXPORT'))
  await machine.importExportedRoomKeys(JSON.stringify(keys), () => undefined)
  return {
    open: async event => {
      try {
        const settings = new DecryptionSettings(TrustRequirement.Untrusted)
        const done = await machine.decryptRoomEvent(JSON.stringify(event), new WasmRoomId(event.room_id), settings)
        const clear = JSON.parse(done.event) as { type: string; content: Record<string, unknown> }
        return { type: clear.type, content: clear.content }
      } catch (error) {
        // Any other error is the library's about an event that is no message of Megolm.
        return { why: (error instanceof MegolmDecryptionError ? codes[error.code] : undefined) ?? 'damaged' }
      }
    },
    close: () => machine.close(),
  }
}
