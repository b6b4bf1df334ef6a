import { isRefusal } from '../../domain/refusal.ts'
import { verifiersOf } from '../../store/audit/log/keys.ts'
import { parseCheckpoint } from '../../tlog/checkpoint.ts'
import { leafHash } from '../../tlog/hash.ts'
import { openNote } from '../../tlog/note.ts'
import { verifyInclusion } from '../../tlog/verify-proof.ts'
import type { Manifest, ProvenEntry } from './manifest.ts'

export type GivenProofs = { checkpoint: string; keys: string; entries: readonly string[] }

type Leaf = { action?: string; outcome?: string; actor?: { id?: string }; object?: { kind?: string; id?: string } }

/**
 * Verifies a package's audit proofs with nothing but the package, or against a key of the log that is known from elsewhere: the checkpoint's signature, each entry's
 * inclusion under it, and that one person asked and another approved this very export. Gives what is wrong.
 */
export const checkProofs = (given: GivenProofs, manifest: Manifest, vkey?: string): string[] => {
  const { id, requested_by, approved_by } = manifest.request
  const keys = (JSON.parse(given.keys) as { vkey: string; handover: string | null }[]).map(k => ({
    ...k,
    fromSize: 0,
    at: 0,
  }))
  const verifiers = verifiersOf(keys, [vkey ?? keys[0]?.vkey ?? ''])
  const note = openNote(given.checkpoint, verifiers)
  if (isRefusal(note)) return [`audit/checkpoint: ${note.sentence}`]
  if (note.signedBy.length === 0) return ['audit/checkpoint: it is not signed by a key of the log that can be trusted.']
  const head = parseCheckpoint(note.text)
  if (isRefusal(head)) return [`audit/checkpoint: ${head.sentence}`]
  const wrong: string[] = []
  const done = new Map<string, string>()
  for (const text of given.entries) {
    const { index, leaf, proof } = JSON.parse(text) as ProvenEntry
    const hashes = proof.map(hash => Buffer.from(hash, 'base64'))
    const entry = JSON.parse(leaf) as Leaf
    if (!verifyInclusion(head, index, leafHash(leaf), hashes))
      wrong.push(`audit/entries.jsonl: entry ${index} is not in the log.`)
    else if (entry.object?.kind !== 'export' || entry.object.id !== id)
      wrong.push(`audit/entries.jsonl: entry ${index} is about something else.`)
    else if (entry.outcome === 'done') done.set(String(entry.action), String(entry.actor?.id))
  }
  if (done.get('export.request') !== requested_by)
    wrong.push('The log does not say that the person in the manifest asked for it.')
  if (done.get('export.approve') !== approved_by)
    wrong.push('The log does not say that the person in the manifest approved it.')
  if (requested_by === approved_by) wrong.push('The same person asked for it and approved it.')
  if (!done.has('export.run')) wrong.push('The log does not say that it was run.')
  return wrong
}
