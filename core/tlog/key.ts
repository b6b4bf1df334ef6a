import { createHash, createPrivateKey, createPublicKey, type KeyObject, sign, verify } from 'node:crypto'
import type { Random } from '../domain/clock.ts'
import { type Refusal, refuse } from '../domain/refusal.ts'

/** What a key signs: a log's notes (C2SP signed-note) or a witness's timestamped cosignatures (C2SP tlog-cosignature). */
export const signatureTypes = { note: 0x01, cosignature: 0x04 } as const
export type SignatureType = keyof typeof signatureTypes

/** An Ed25519 public key under a name; `id` is the first four bytes of SHA-256(name ‖ 0x0A ‖ type ‖ key), as eight hexadecimal digits. */
export type VerifierKey = { name: string; id: string; type: SignatureType; key: KeyObject; vkey: string }

/** An Ed25519 private key under a name, with its public half. */
export type SigningKey = { verifier: VerifierKey; key: KeyObject }

const pkcs8 = Buffer.from('302e020100300506032b657004220420', 'hex')
const spki = Buffer.from('302a300506032b6570032100', 'hex')
const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64')

/** Standard base64, only as an encoder writes it: no second spelling of the same bytes. */
export const fromBase64 = (text: string): Buffer | undefined => {
  const bytes = Buffer.from(text, 'base64')
  return bytes.toString('base64') === text ? bytes : undefined
}

/** A key's or log's name: no spaces, no plus, no control characters, at most 200 characters. */
export const isKeyName = (name: string): boolean => /^[^\s+\p{C}\p{Z}]{1,200}$/u.test(name)

const verifierKey = (name: string, type: SignatureType, raw: Uint8Array): VerifierKey => {
  if (!isKeyName(name)) throw new Error('a key needs a name without spaces or plus')
  const typed = Buffer.concat([Buffer.from([signatureTypes[type]]), raw])
  const id = createHash('sha256').update(`${name}\n`).update(typed).digest('hex').slice(0, 8)
  const key = createPublicKey({ key: Buffer.concat([spki, raw]), format: 'der', type: 'spki' })
  return { name, id, type, key, vkey: `${name}+${id}+${base64(typed)}` }
}

const signingKey = (name: string, type: SignatureType, seed: Uint8Array): SigningKey => {
  const key = createPrivateKey({ key: Buffer.concat([pkcs8, seed]), format: 'der', type: 'pkcs8' })
  const raw = createPublicKey(key).export({ format: 'der', type: 'spki' }).subarray(spki.length)
  return { verifier: verifierKey(name, type, raw), key }
}

/** A new key pair. @throws for a name that is none (`isKeyName`). */
export const generateSigningKey = (name: string, type: SignatureType, random: Random): SigningKey =>
  signingKey(name, type, random.bytes(32))

const typed = (text: string): { type: SignatureType; raw: Buffer } | undefined => {
  const bytes = fromBase64(text)
  const type = Object.entries(signatureTypes).find(([, byte]) => byte === bytes?.[0])?.[0] as SignatureType | undefined
  return bytes?.length === 33 && type ? { type, raw: bytes.subarray(1) } : undefined
}

/** Reads `name+id+base64(type ‖ key)` (C2SP signed-note, "vkey"). Refuses what no encoder writes, or an id that does not belong to the key. */
export const parseVkey = (vkey: string): VerifierKey | Refusal => {
  const [name = '', , encoded = ''] = vkey.split('+').length > 2 ? splitKey(vkey) : []
  const found = typed(encoded)
  if (!found || !isKeyName(name)) return refuse('not-a-vkey', 'This is no Ed25519 verifier key (name+id+key).')
  const key = verifierKey(name, found.type, found.raw)
  return key.vkey === vkey
    ? key
    : refuse('wrong-key-id', `The id in the verifier key of ${name} is not that of its key.`)
}

// base64 may hold a plus of its own: only the first two of a key separate.
const splitKey = (text: string): [string, string, string] => {
  const a = text.indexOf('+')
  const b = text.indexOf('+', a + 1)
  return [text.slice(0, a), text.slice(a + 1, b), text.slice(b + 1)]
}

const privatePrefix = 'PRIVATE+KEY+'

/** The private key as Go's sumdb/note writes it: `PRIVATE+KEY+name+id+base64(type ‖ seed)`. A secret. */
export const encodeSigningKey = ({ verifier, key }: SigningKey): string => {
  const seed = key.export({ format: 'der', type: 'pkcs8' }).subarray(pkcs8.length)
  const bytes = Buffer.concat([Buffer.from([signatureTypes[verifier.type]]), seed])
  return `${privatePrefix}${verifier.name}+${verifier.id}+${base64(bytes)}`
}

/** Reads what `encodeSigningKey` or Go's `note.GenerateKey` wrote. The refusal never repeats what it read. */
export const parseSigningKey = (text: string): SigningKey | Refusal => {
  const [name, id, encoded] = splitKey(text.slice(privatePrefix.length))
  const found = text.startsWith(privatePrefix) ? typed(encoded) : undefined
  if (!found || !isKeyName(name)) return refuse('not-a-signing-key', 'This is no Ed25519 signing key.')
  const key = signingKey(name, found.type, found.raw)
  return key.verifier.id === id
    ? key
    : refuse('wrong-key-id', `The id in the signing key of ${name} is not that of its key.`)
}

/** The bare Ed25519 signature (RFC 8032), 64 bytes. */
export const signBytes = (key: SigningKey, bytes: Uint8Array): Buffer => sign(null, bytes, key.key)

export const verifyBytes = (key: VerifierKey, bytes: Uint8Array, signature: Uint8Array): boolean =>
  signature.length === 64 && verify(null, bytes, key.key, signature)
