import { createHash } from 'node:crypto'

type Json = Record<string, unknown>

/** Matrix's canonical JSON (specification, "Canonical JSON"): keys in the order of their code points, no spaces. */
export const canonicalJson = (value: unknown): string => {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  const entries = Object.entries(value).filter(([, v]) => v !== undefined)
  entries.sort(([a], [b]) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
  return `{${entries.map(([k, v]) => `${JSON.stringify(k)}:${canonicalJson(v)}`).join(',')}}`
}

const sha256 = (text: string) => createHash('sha256').update(text)

/** What stands for an event's content in the list of hashes: its ciphertext, or its content where it was sent in clear. In hexadecimal digits. */
export const contentHash = (stored: Json | null): string | null => {
  if (!stored) return null
  const content = (stored.content ?? {}) as Json
  const { ciphertext } = content
  return sha256(typeof ciphertext === 'string' ? ciphertext : canonicalJson(content)).digest('hex')
}

/** Is nothing left of an event's content? */
export const isPruned = (stored: Json): boolean => {
  const content = (stored.content ?? {}) as Json
  if (stored.type === 'm.room.encrypted') return typeof content.ciphertext !== 'string'
  return (stored.type === 'm.room.message' || stored.type === 'm.sticker') && Object.keys(content).length === 0
}

/**
 * Does an event fit the hash that its sender's server signed (server-server API, "Calculating the content hash for an event")? Undefined when it was pruned, which
 * changes its content, or has no hash.
 */
export const fitsOwnHash = (stored: Json): boolean | undefined => {
  const { unsigned, signatures, hashes, ...rest } = stored
  const said = (hashes as { sha256?: unknown } | undefined)?.sha256
  if (typeof said !== 'string' || isPruned(stored)) return undefined
  return sha256(canonicalJson(rest)).digest('base64').replace(/=+$/, '') === said.replace(/=+$/, '')
}
