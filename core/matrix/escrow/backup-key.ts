import { BackupDecryptionKey, initAsync } from '@matrix-org/matrix-sdk-crypto-wasm'

/** A room key in the clear, as `importRoomKeys` of any Matrix client takes it (client-server API, "Key exports"). */
export type RoomKey = {
  algorithm: string
  room_id: string
  session_id: string
  session_key: string
  sender_key: string
  sender_claimed_keys: Record<string, string>
  forwarding_curve25519_key_chain: string[]
}

/** What a backup holds of one session (`m.megolm_backup.v1.curve25519-aes-sha2`). */
export type BackedUp = { session_data: { ephemeral: string; ciphertext: string; mac: string } }

/** The private key of a Matrix key backup, in memory; `free` forgets it. */
export type BackupKey = {
  publicKey: string
  /** Base64: for sealing it at once. */
  privateKey(): string
  open(at: { room: string; session: string }, entry: BackedUp): RoomKey
  free(): void
}

const wrap = (key: BackupDecryptionKey): BackupKey => ({
  publicKey: key.megolmV1PublicKey.publicKeyBase64,
  privateKey: () => key.toBase64(),
  open: ({ room, session }, { session_data: { ephemeral, mac, ciphertext } }) => ({
    ...(JSON.parse(key.decryptV1(ephemeral, mac, ciphertext)) as Omit<RoomKey, 'room_id' | 'session_id'>),
    room_id: room,
    session_id: session,
  }),
  free: () => key.free(),
})

export const newBackupKey = async (): Promise<BackupKey> => {
  await initAsync()
  return wrap(BackupDecryptionKey.createRandomKey())
}

/** @throws when it is none. */
export const backupKeyFrom = async (privateKey: string): Promise<BackupKey> => {
  await initAsync()
  return wrap(BackupDecryptionKey.fromBase64(privateKey))
}
