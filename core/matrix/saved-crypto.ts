import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto'
import { deserialize, serialize } from 'node:v8'
import { gunzipSync, gzipSync } from 'node:zlib'
import { type Dump, dumpDatabase, restoreDatabase } from './journal/fake-idb.ts'
import { databases } from './journal/journal.ts'
import { isOldRoomKey } from './journal/old-room-keys.ts'

/** `note`: what the owner wants to find again beside the keys. */
type Saved = { note: string | null; databases: Record<string, Dump> }

const keyOf = (k: Uint8Array, deviceId: string) =>
  new Uint8Array(hkdfSync('sha256', k, '', `wardroom saved crypto ${deviceId}`, 32))

/**
 * A device's crypto store at one instant, encrypted under the owner's K (A256GCM, a key of its own by HKDF): who holds it can do nothing with it. Room keys
 * that are in the backup already are left out. Layout: 12 bytes nonce, 16 bytes tag, ciphertext.
 */
export const saveCrypto = async (
  prefix: string,
  deviceId: string,
  k: Uint8Array,
  note: string | null,
): Promise<Uint8Array> => {
  const saved: Saved = { note, databases: {} }
  const there = new Set((await indexedDB.databases()).map(d => d.name))
  for (const name of databases.filter(n => there.has(prefix + n))) {
    const { schema, records } = await dumpDatabase(prefix + name)
    saved.databases[name] = { schema, records: records.filter(r => !isOldRoomKey({ ...r, writtenAt: 0 }, 1)) }
  }
  const nonce = randomBytes(12)
  const cipher = createCipheriv('aes-256-gcm', keyOf(k, deviceId), nonce)
  const sealed = Buffer.concat([cipher.update(gzipSync(serialize(saved))), cipher.final()])
  return Buffer.concat([nonce, cipher.getAuthTag(), sealed])
}

/** Puts a saved store into this process's IndexedDB under `prefix`, where there must be none, and gives its note. @throws when it was changed or is another device's. */
export const restoreCrypto = async (
  prefix: string,
  deviceId: string,
  k: Uint8Array,
  sealed: Uint8Array,
): Promise<string | null> => {
  const decipher = createDecipheriv('aes-256-gcm', keyOf(k, deviceId), sealed.subarray(0, 12))
  decipher.setAuthTag(sealed.subarray(12, 28))
  const plain = Buffer.concat([decipher.update(sealed.subarray(28)), decipher.final()])
  const saved = deserialize(gunzipSync(plain)) as Saved
  for (const [name, { schema, records }] of Object.entries(saved.databases))
    await restoreDatabase(prefix + name, schema, records)
  return saved.note
}
