import { type Refusal, refuse } from '../domain/refusal.ts'

/** The longest entry that a bundle holds, in bytes. */
export const entryLimit = 65_535

/** Entries one after the other, each with its length in front as two bytes, big end first (C2SP tlog-tiles, entry bundle). @throws for an entry over 65,535 bytes. */
export const encodeBundle = (entries: readonly Uint8Array[]): Buffer => {
  const bytes = Buffer.allocUnsafe(entries.reduce((sum, e) => sum + 2 + e.length, 0))
  let at = 0
  for (const entry of entries) {
    if (entry.length > entryLimit) throw new Error(`an entry of ${entry.length} bytes does not fit into a bundle`)
    at = bytes.writeUInt16BE(entry.length, at)
    bytes.set(entry, at)
    at += entry.length
  }
  return bytes
}

/** The entries of a bundle, as views of its bytes. Refuses one that ends in the middle of an entry. */
export const decodeBundle = (bytes: Buffer): Buffer[] | Refusal => {
  const entries: Buffer[] = []
  for (let at = 0; at < bytes.length; ) {
    const end = at + 2 + (at + 2 <= bytes.length ? bytes.readUInt16BE(at) : bytes.length)
    if (end > bytes.length)
      return refuse('broken-bundle', `The bundle ends in the middle of its entry ${entries.length}.`)
    entries.push(bytes.subarray(at + 2, end))
    at = end
  }
  return entries
}
