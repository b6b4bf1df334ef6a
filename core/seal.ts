import { createHmac, createSecretKey } from 'node:crypto'
import {
  CompactEncrypt,
  compactDecrypt,
  GeneralEncrypt,
  type GeneralJWE,
  generalDecrypt,
  importJWK,
  type JWK,
} from 'jose'

/** Keys that are never in the database. Symmetric ones are 32 bytes in base64url; `current` seals, every listed one opens. */
export type SealingKeys = {
  current: string
  columns: Record<string, string>
  /** HMAC key for lookups by telephone number. */
  lookup: string
  /** Public halves (ECDH P-256) to which a ghost's K is sealed: the keeper's and the officers'. */
  release: JWK
  recovery: JWK
}

/** Column encryption (row 4): A256GCM under a key outside the database, bound to its table and column. */
export interface Seal {
  /** `context` names table and column, e.g. `persons.phone`; opening under another context fails. Returns a compact JWE. */
  close(context: string, plaintext: string): Promise<string>
  open(context: string, sealed: string): Promise<string>
  /** Keyed hash for equality lookups, hex, 64 characters. */
  lookup(context: string, value: string): string
}

const utf8 = new TextEncoder()
const text = new TextDecoder()
const raw = (key: string) => new Uint8Array(Buffer.from(key, 'base64url'))

/** Builds the seal from its keys. @throws when the current key is missing or a key is not 32 bytes. */
export const createSeal = (keys: Pick<SealingKeys, 'current' | 'columns' | 'lookup'>): Seal => {
  const columns = new Map(Object.entries(keys.columns).map(([kid, k]) => [kid, raw(k)]))
  for (const [kid, k] of columns) if (k.length !== 32) throw new Error(`sealing key ${kid} is not 32 bytes`)
  const current = columns.get(keys.current)
  if (!current) throw new Error(`the current sealing key ${keys.current} is not in the key file`)
  // A key object: given as bytes, it would be made into one anew for every hash.
  const hmacKey = createSecretKey(raw(keys.lookup))
  return {
    close: (context, plaintext) =>
      new CompactEncrypt(utf8.encode(plaintext))
        .setProtectedHeader({ alg: 'dir', enc: 'A256GCM', kid: keys.current, ctx: context })
        .encrypt(current),
    open: async (context, sealed) => {
      const { plaintext, protectedHeader } = await compactDecrypt(
        sealed,
        header => {
          const key = columns.get(String(header?.kid))
          if (!key) throw new Error(`sealed with a key that the key file does not have: ${String(header?.kid)}`)
          return key
        },
        { keyManagementAlgorithms: ['dir'], contentEncryptionAlgorithms: ['A256GCM'] },
      )
      if (protectedHeader.ctx !== context)
        throw new Error(`sealed for ${String(protectedHeader.ctx)}, opened for ${context}`)
      return text.decode(plaintext)
    },
    lookup: (context, value) => createHmac('sha256', hmacKey).update(`${context}\0${value}`).digest('hex'),
  }
}

const sealTo = async (recipients: readonly JWK[], context: string, bytes: Uint8Array): Promise<string> => {
  const jwe = new GeneralEncrypt(bytes).setProtectedHeader({ enc: 'A256GCM', ctx: context })
  for (const key of recipients)
    jwe
      .addRecipient(await importJWK(key, 'ECDH-ES+A256KW'))
      .setUnprotectedHeader({ alg: 'ECDH-ES+A256KW', kid: key.kid })
  return JSON.stringify(await jwe.encrypt())
}

/** Seals a ghost's 32-byte K to the keeper's release key and the officers' recovery key (RFC 7516 general JSON, ECDH-ES+A256KW, A256GCM). `context` is the ghost's user id. */
export const sealK = (
  keys: Pick<SealingKeys, 'release' | 'recovery'>,
  context: string,
  k: Uint8Array,
): Promise<string> => sealTo([keys.release, keys.recovery], context, k)

/** Seals to the officers' recovery key alone, as `sealK` does: nothing on a server opens it again (`openK` with the joined shares does). */
export const sealForOfficers = (
  keys: Pick<SealingKeys, 'recovery'>,
  context: string,
  bytes: Uint8Array,
): Promise<string> => sealTo([keys.recovery], context, bytes)

/** Opens a sealed K with one private key. @throws when it was sealed for another ghost or another key. */
export const openK = async (privateKey: JWK, context: string, sealed: string): Promise<Uint8Array> => {
  const { plaintext, protectedHeader } = await generalDecrypt(
    JSON.parse(sealed) as GeneralJWE,
    await importJWK(privateKey, 'ECDH-ES+A256KW'),
  )
  if (protectedHeader?.ctx !== context) throw new Error('this key belongs to another ghost')
  return plaintext
}

/** Wraps K to a browser's ephemeral ECDH P-256 public key: a compact JWE, ECDH-ES, A256GCM. */
export const wrapForBrowser = async (k: Uint8Array, publicKey: JWK): Promise<string> =>
  new CompactEncrypt(k)
    .setProtectedHeader({ alg: 'ECDH-ES', enc: 'A256GCM' })
    .encrypt(await importJWK(publicKey, 'ECDH-ES'))
