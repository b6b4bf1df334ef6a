import { isRefusal } from '../../core/domain/refusal.ts'
import type { AddCheckpoint } from '../../core/tlog/add-checkpoint.ts'
import { parseCheckpoint } from '../../core/tlog/checkpoint.ts'
import { emptyRoot } from '../../core/tlog/hash.ts'
import type { VerifierKey } from '../../core/tlog/key.ts'
import { noteOf, openNote, parseNote } from '../../core/tlog/note.ts'
import { verifyConsistency } from '../../core/tlog/verify-proof.ts'

/** What the witness last cosigned of a log. */
export type Seen = { size: number; root: Uint8Array }
/** A checkpoint as the log signed it, without others' signatures. */
export type Signed = { origin: string; size: number; root: Uint8Array; text: string; note: string }

/**
 * What a submission deserves: a cosignature, or an HTTP status with a sentence; 409 carries the size that the witness has. `evidence`: a checkpoint that the log's
 * own key signed, and that was not shown to continue the one that was cosigned.
 */
export type Judgement =
  | { kind: 'cosign'; signed: Signed }
  | { kind: 'refuse'; status: 400 | 403 | 404 | 422; sentence: string; evidence?: Signed }
  | { kind: 'conflict'; size: number; evidence?: Signed }

/**
 * Judges a submission as C2SP tlog-witness lays down. `trusted` are the keys of the logs that this witness follows, named by their origin; `seenOf` gives what
 * it last cosigned.
 */
export const judge = (
  { old, proof, note }: AddCheckpoint,
  trusted: readonly VerifierKey[],
  seenOf: (origin: string) => Seen | undefined,
): Judgement => {
  const no = (status: 400 | 403 | 404 | 422, sentence: string, evidence?: Signed): Judgement => ({
    kind: 'refuse',
    status,
    sentence,
    evidence,
  })
  const parsed = parseNote(note)
  if (isRefusal(parsed)) return no(400, parsed.sentence)
  const checkpoint = parseCheckpoint(parsed.text)
  if (isRefusal(checkpoint)) return no(400, checkpoint.sentence)
  const { origin, size, root } = checkpoint
  const keys = trusted.filter(k => k.name === origin)
  if (keys.length === 0) return no(404, 'This witness does not follow that log.')
  const opened = openNote(note, keys)
  if (isRefusal(opened)) return no(403, opened.sentence)
  if (opened.signedBy.length === 0) return no(403, 'No key that this witness trusts for the log has signed that.')
  const own = parsed.signatures.filter(s => opened.signedBy.some(k => k.name === s.name && k.id === s.id))
  const signed: Signed = { origin, size, root, text: parsed.text, note: noteOf(parsed.text, own) }

  const seen = seenOf(origin) ?? { size: 0, root: emptyRoot }
  if (old > size) return no(400, 'The old size is larger than the checkpoint.')
  if (old !== seen.size) {
    const forked = size === seen.size && Buffer.compare(root, seen.root) !== 0
    return { kind: 'conflict', size: seen.size, evidence: forked ? signed : undefined }
  }
  return verifyConsistency(seen, signed, proof)
    ? { kind: 'cosign', signed }
    : no(422, 'The proof does not show that this log continues the one that was cosigned.', signed)
}
