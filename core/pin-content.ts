import { fromBase64 } from './tlog/key.ts'

/** The type of the bot's account data in which it leaves its log's newest checkpoint. */
export const pinAccountData = 'org.wardroom.checkpoint'
/** The key in a message's content under which a program finds what the words say. */
export const pinContentKey = 'org.wardroom.checkpoint'

/**
 * A checkpoint as it is posted to a room: the signed note, the key that it was signed with, and the proof that it continues the one over `old` entries, which was
 * posted before it (0: the first).
 */
export type PinContent = { note: string; vkey: string; old: number; proof: Uint8Array[] }

export const pinContent = ({ note, vkey, old, proof }: PinContent): Record<string, unknown> => ({
  note,
  vkey,
  old,
  proof: proof.map(h => Buffer.from(h).toString('base64')),
})

const isText = (v: unknown, most: number): v is string => typeof v === 'string' && v.length <= most

/** Reads what another hospital's bot posted; undefined for anything that is not such a content. Nothing of it is believed yet. */
export const readPinContent = (content: unknown): PinContent | undefined => {
  if (typeof content !== 'object' || content === null) return undefined
  const { note, vkey, old, proof } = content as Record<string, unknown>
  if (!isText(note, 16_384) || !isText(vkey, 400) || !Number.isSafeInteger(old) || (old as number) < 0) return undefined
  if (!Array.isArray(proof) || proof.length > 64) return undefined
  const hashes = proof.map(h => (isText(h, 44) ? fromBase64(h) : undefined))
  if (hashes.some(h => h?.length !== 32)) return undefined
  return { note, vkey, old: old as number, proof: hashes as Uint8Array[] }
}
