import { fromBase64 } from './base64.ts'

const curve = { name: 'ECDH', namedCurve: 'P-256' } as const
const text = new TextEncoder()

/** A key pair for one delivery of K: the private half cannot leave WebCrypto, the public half goes to the keeper. */
export const newKeyPair = async (): Promise<{ privateKey: CryptoKey; publicKey: JsonWebKey }> => {
  const pair = await crypto.subtle.generateKey(curve, false, ['deriveBits'])
  const { kty, crv, x, y } = await crypto.subtle.exportKey('jwk', pair.publicKey)
  return { privateKey: pair.privateKey, publicKey: { kty, crv, x, y } }
}

type Header = { alg?: string; enc?: string; epk?: JsonWebKey; apu?: string; apv?: string }

/** Opens a compact JWE (ECDH-ES direct, A256GCM; RFC 7516, RFC 7518 §4.6) made for our public key. Throws when it is not for us or was changed. */
export const unwrapKey = async (jwe: string, privateKey: CryptoKey): Promise<Uint8Array<ArrayBuffer>> => {
  const [head, encryptedKey, iv, sealed, tag] = jwe.split('.')
  if (!head || encryptedKey !== '' || !iv || !sealed || !tag)
    throw new Error('not a compact JWE of direct key agreement')
  const header = JSON.parse(new TextDecoder().decode(fromBase64(head))) as Header
  if (header.alg !== 'ECDH-ES' || header.enc !== 'A256GCM' || !header.epk) throw new Error('an unexpected JWE header')
  const peer = await crypto.subtle.importKey('jwk', header.epk, curve, false, [])
  const shared = new Uint8Array(await crypto.subtle.deriveBits({ name: 'ECDH', public: peer }, privateKey, 256))
  const raw = await concatKdf(shared, header)
  const key = await crypto.subtle.importKey('raw', raw, 'AES-GCM', false, ['decrypt'])
  const body = joined([fromBase64(sealed), fromBase64(tag)])
  const algorithm = { name: 'AES-GCM', iv: fromBase64(iv), additionalData: text.encode(head), tagLength: 128 }
  return new Uint8Array(await crypto.subtle.decrypt(algorithm, key, body))
}

/** The single-step key derivation of NIST SP 800-56A with SHA-256: one round gives the 256 bits that A256GCM needs. */
const concatKdf = async (shared: Uint8Array, { enc = '', apu = '', apv = '' }: Header): Promise<ArrayBuffer> =>
  crypto.subtle.digest(
    'SHA-256',
    joined([uint32(1), shared, sized(text.encode(enc)), sized(fromBase64(apu)), sized(fromBase64(apv)), uint32(256)]),
  )

const uint32 = (value: number): Uint8Array => {
  const bytes = new Uint8Array(4)
  new DataView(bytes.buffer).setUint32(0, value)
  return bytes
}

const sized = (bytes: Uint8Array): Uint8Array => joined([uint32(bytes.length), bytes])

const joined = (parts: Uint8Array[]): Uint8Array<ArrayBuffer> => {
  const all = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0))
  let at = 0
  for (const part of parts) {
    all.set(part, at)
    at += part.length
  }
  return all
}
