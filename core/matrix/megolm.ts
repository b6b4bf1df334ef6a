import { createDecipheriv, createHmac, hkdfSync, timingSafeEqual } from 'node:crypto'

/**
 * A Megolm ratchet (Matrix specification, "Megolm group ratchet"): `n`, the message it stands at, and its four parts of 32 bytes. It opens message `n` and
 * every later one of its session; it cannot be turned back.
 */
export type Ratchet = { n: number; parts: Buffer }

/** A ratchet out of an exported room key (`session_key`: version, index, ratchet, signing key). @throws when it is none. */
export const ratchetFrom = (sessionKey: string): Ratchet => {
  const bytes = Buffer.from(sessionKey, 'base64')
  if (bytes[0] !== 1 || bytes.length !== 165) throw new Error('not an exported room key')
  return { n: bytes.readUInt32BE(1), parts: bytes.subarray(5, 133) }
}

const part = (parts: Buffer, i: number) => parts.subarray(i * 32, i * 32 + 32)
const hash = (key: Buffer, i: number) => createHmac('sha256', key).update(Buffer.of(i)).digest()

/** The ratchet at message `to`. @throws for an earlier one. */
export const advance = ({ n, parts }: Ratchet, to: number): Ratchet => {
  if (to < n) throw new Error('a ratchet does not turn back')
  const next = Buffer.from(parts)
  let at = n
  // Part j turns once in 2^(8·(3 − j)) messages, and its last turn refills the parts after it.
  for (let j = 0; j < 4; j++) {
    const round = 2 ** (8 * (3 - j))
    const turns = Math.floor(to / round) - Math.floor(at / round)
    for (let left = turns; left > 0; left--) {
      const from = Buffer.from(part(next, j))
      for (let k = left === 1 ? 3 : j; k >= j; k--) hash(from, k).copy(next, k * 32)
    }
    at = Math.max(at, Math.floor(to / round) * round)
  }
  return { n: to, parts: next }
}

const varint = (bytes: Buffer, at: number): { value: number; next: number } => {
  let value = 0
  for (let i = 0; i < 5; i++) {
    const byte = bytes[at + i]
    if (byte === undefined) break
    value += (byte & 127) * 2 ** (7 * i)
    if (byte < 128) return { value, next: at + i + 1 }
  }
  throw new Error('not a Megolm message')
}

type Message = { n: number; sealed: Buffer; signed: Buffer; mac: Buffer }

/** `m.megolm.v1.aes-sha2`: version, index (08), ciphertext (12), MAC of 8 bytes, signature of 64. @throws when it is none. */
const parse = (ciphertext: string): Message => {
  const bytes = Buffer.from(ciphertext, 'base64')
  if (bytes[0] !== 3 || bytes[1] !== 0x08) throw new Error('not a Megolm message')
  const index = varint(bytes, 2)
  if (bytes[index.next] !== 0x12) throw new Error('not a Megolm message')
  const length = varint(bytes, index.next + 1)
  const end = length.next + length.value
  if (bytes.length !== end + 72) throw new Error('not a Megolm message')
  return {
    n: index.value,
    sealed: bytes.subarray(length.next, end),
    signed: bytes.subarray(0, end),
    mac: bytes.subarray(end, end + 8),
  }
}

/** Which message of its session a ciphertext is, from 0. @throws when it is no Megolm message. */
export const megolmIndex = (ciphertext: string): number => parse(ciphertext).n

/**
 * Decrypts one message: what was encrypted (`{room_id, type, content}`). Its MAC is checked; its signature is not, so it proves nothing about who wrote it.
 * @throws for a message before the ratchet, of another session, or changed on its way.
 */
export const readWith = (ratchet: Ratchet, ciphertext: string): Record<string, unknown> => {
  const message = parse(ciphertext)
  const { parts } = advance(ratchet, message.n)
  const keys = Buffer.from(hkdfSync('sha256', parts, Buffer.alloc(32), 'MEGOLM_KEYS', 80))
  const mac = createHmac('sha256', keys.subarray(32, 64)).update(message.signed).digest().subarray(0, 8)
  if (!timingSafeEqual(mac, message.mac)) throw new Error('the message does not fit this key')
  const decipher = createDecipheriv('aes-256-cbc', keys.subarray(0, 32), keys.subarray(64, 80))
  const plain = Buffer.concat([decipher.update(message.sealed), decipher.final()])
  return JSON.parse(plain.toString('utf8')) as Record<string, unknown>
}

/** Decrypts one message with an exported room key, as an escrow or a key backup holds it. */
export const readMegolm = (sessionKey: string, ciphertext: string): Record<string, unknown> =>
  readWith(ratchetFrom(sessionKey), ciphertext)
