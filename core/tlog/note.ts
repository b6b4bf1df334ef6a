import type { Clock } from '../domain/clock.ts'
import { type Refusal, refuse } from '../domain/refusal.ts'
import { fromBase64, isKeyName, type SigningKey, signBytes, type VerifierKey, verifyBytes } from './key.ts'

/** One signature line of a note: whose, under which key id (eight hexadecimal digits), and the bytes after the id. */
export type NoteSignature = { name: string; id: string; signature: Uint8Array }

/** A note whose signatures were not looked at: its text, with the final newline, and its signature lines. */
export type Note = { text: string; signatures: NoteSignature[] }

/** Longer notes are refused; one of ours with sixteen witnesses has 3 kB. */
export const noteLimit = 65_536

const lineOf = (name: string, id: string, signature: Uint8Array): string =>
  `— ${name} ${Buffer.concat([Buffer.from(id, 'hex'), signature]).toString('base64')}\n`

/** A note of these signatures, as they were read. */
export const noteOf = (text: string, signatures: readonly NoteSignature[]): string =>
  `${text}\n${signatures.map(s => lineOf(s.name, s.id, s.signature)).join('')}`

const u64 = (n: number): Buffer => {
  const bytes = Buffer.alloc(8)
  bytes.writeBigUInt64BE(BigInt(n))
  return bytes
}

const cosigned = (text: string, at: number): Buffer => Buffer.from(`cosignature/v1\ntime ${at}\n${text}`)

/**
 * The signature line of a note's text (C2SP signed-note), with its newline. A cosigner's key signs the text and the time, in whole seconds
 * (C2SP tlog-cosignature, cosignature/v1).
 */
export const signatureLine = (text: string, key: SigningKey, clock: Clock): string => {
  const { name, id, type } = key.verifier
  if (type === 'note') return lineOf(name, id, signBytes(key, Buffer.from(text)))
  const at = Math.floor(clock.now() / 1000)
  return lineOf(name, id, Buffer.concat([u64(at), signBytes(key, cosigned(text, at))]))
}

/** A log's note: the text, which ends in a newline, and one signature per key. */
export const signNote = (text: string, ...keys: readonly SigningKey[]): string => {
  if (!text.endsWith('\n')) throw new Error('the text of a note ends in a newline')
  return `${text}\n${keys.map(k => lineOf(k.verifier.name, k.verifier.id, signBytes(logKey(k), Buffer.from(text)))).join('')}`
}

const logKey = (key: SigningKey): SigningKey => {
  if (key.verifier.type !== 'note') throw new Error('a cosigner signs with signatureLine')
  return key
}

const parseLine = (line: string): NoteSignature | undefined => {
  const [, name = '', encoded = ''] = /^— (\S+) (\S+)$/u.exec(line) ?? []
  const bytes = fromBase64(encoded)
  if (!isKeyName(name) || !bytes || bytes.length < 5) return undefined
  return { name, id: bytes.subarray(0, 4).toString('hex'), signature: bytes.subarray(4) }
}

/** Takes a note apart without judging its signatures. Refuses what is no note: control characters, no signature, more than `noteLimit` bytes. */
export const parseNote = (note: string): Note | Refusal => {
  const malformed = (why: string): Refusal => refuse('not-a-note', `This is no signed note: ${why}.`)
  if (Buffer.byteLength(note) > noteLimit) return malformed('it is too long')
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what a note must not have
  if (/[\x00-\x09\x0b-\x1f]/.test(note) || !note.isWellFormed()) return malformed('it has control characters')
  const end = note.lastIndexOf('\n\n')
  if (end < 0 || !note.endsWith('\n')) return malformed('its signatures do not follow an empty line')
  const signatures = note
    .slice(end + 2, -1)
    .split('\n')
    .map(parseLine)
  const whole = signatures.filter(s => s !== undefined)
  if (whole.length !== signatures.length) return malformed('a signature line cannot be read')
  return { text: note.slice(0, end + 1), signatures: whole }
}

const isSignedBy = (text: string, key: VerifierKey, { signature }: NoteSignature): boolean => {
  if (key.type === 'note') return verifyBytes(key, Buffer.from(text), signature)
  if (signature.length !== 72) return false
  const at = Buffer.from(signature).readBigUInt64BE()
  return at < 2n ** 53n && verifyBytes(key, cosigned(text, Number(at)), signature.subarray(8))
}

/**
 * Verifies a note's signatures by the given keys; those of unknown keys count for nothing. `signedBy` has each key that signed, once, in the order of `keys`.
 * Refuses a note that is none, and one where a known key's signature is wrong; whether enough keys signed is for the caller to say.
 */
export const openNote = (
  note: string,
  keys: readonly VerifierKey[],
): { text: string; signedBy: VerifierKey[] } | Refusal => {
  const parsed = parseNote(note)
  if ('refused' in parsed) return parsed
  const signedBy = new Set<VerifierKey>()
  for (const s of parsed.signatures) {
    const key = keys.find(k => k.name === s.name && k.id === s.id)
    if (!key) continue
    if (!isSignedBy(parsed.text, key, s))
      return refuse('wrong-signature', `The signature of ${key.name} (${key.id}) does not belong to this text.`)
    signedBy.add(key)
  }
  return { text: parsed.text, signedBy: keys.filter(k => signedBy.has(k)) }
}

/** When a cosigner signed, in milliseconds; undefined when its key has not signed. The signature itself is judged by `openNote`. */
export const cosignedAt = (note: Note, key: VerifierKey): number | undefined => {
  const found = note.signatures.find(s => s.name === key.name && s.id === key.id && s.signature.length === 72)
  return found && key.type === 'cosignature' ? Number(Buffer.from(found.signature).readBigUInt64BE()) * 1000 : undefined
}
