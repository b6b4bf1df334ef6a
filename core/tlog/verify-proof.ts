import { emptyRoot, hashBytes, nodeHash } from './hash.ts'
import { splitOf } from './proof.ts'

type Head = { size: number; root: Uint8Array }
/** A proof is used up hash by hash; one that is too short or too long proves nothing. */
type Rest = { proof: readonly Uint8Array[]; used: number }

const next = (rest: Rest): Uint8Array | undefined => rest.proof[rest.used++]

const same = (a: Uint8Array | undefined, b: Uint8Array): boolean =>
  a !== undefined && a.length === b.length && Buffer.compare(a, b) === 0

const usable = (proof: readonly Uint8Array[], ...others: Uint8Array[]): boolean =>
  proof.length <= 64 && [...proof, ...others].every(h => h.length === hashBytes)

const joined = (left: Uint8Array | undefined, right: Uint8Array | undefined): Uint8Array | undefined =>
  left && right && nodeHash(left, right)

const rootAbove = (leaf: Uint8Array, index: number, size: number, rest: Rest): Uint8Array | undefined => {
  if (size === 1) return leaf
  const left = splitOf(size)
  if (index < left) return joined(rootAbove(leaf, index, left, rest), next(rest))
  const below = rootAbove(leaf, index - left, size - left, rest)
  return joined(next(rest), below)
}

/** Whether the entry with this leaf hash is entry `index` of the log with this head (RFC 6962, section 2.1.1). */
export const verifyInclusion = (
  { size, root }: Head,
  index: number,
  leaf: Uint8Array,
  proof: readonly Uint8Array[],
): boolean => {
  if (!Number.isSafeInteger(index) || !(index >= 0 && index < size) || !usable(proof, leaf)) return false
  const rest = { proof, used: 0 }
  return same(rootAbove(leaf, index, size, rest), root) && rest.used === proof.length
}

type Both = { before: Uint8Array | undefined; after: Uint8Array | undefined }

const bothRoots = (old: Head, size: number, known: boolean, rest: Rest): Both => {
  if (old.size === size) {
    const root = known ? old.root : next(rest)
    return { before: root, after: root }
  }
  const left = splitOf(size)
  if (old.size <= left) {
    const { before, after } = bothRoots(old, left, known, rest)
    return { before, after: joined(after, next(rest)) }
  }
  const { before, after } = bothRoots({ ...old, size: old.size - left }, size - left, false, rest)
  const shared = next(rest)
  return { before: joined(shared, before), after: joined(shared, after) }
}

/** Whether the log with head `now` begins with the log with head `old` (RFC 6962, section 2.1.2). Every log begins with the empty one, without a proof. */
export const verifyConsistency = (old: Head, now: Head, proof: readonly Uint8Array[]): boolean => {
  if (!(old.size >= 0 && old.size <= now.size) || !usable(proof, old.root, now.root)) return false
  if (old.size === 0)
    return proof.length === 0 && same(old.root, emptyRoot) && (now.size > 0 || same(now.root, emptyRoot))
  const rest = { proof, used: 0 }
  const { before, after } = bothRoots(old, now.size, true, rest)
  return same(before, old.root) && same(after, now.root) && rest.used === proof.length
}
