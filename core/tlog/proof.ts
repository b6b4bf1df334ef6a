import { hashBytes, nodeHash, rootOfHashes } from './hash.ts'
import { type ReadTile, type TileName, tileWidth, widthOf } from './tile.ts'
import { exactTile } from './tree.ts'

/** Entries `from` up to, not including, `to`. */
type Range = readonly [from: number, to: number]

/** The largest power of two below `n`, for n ≥ 2: where RFC 6962 splits a tree. */
export const splitOf = (n: number): number => {
  let k = 1
  while (k * 2 < n) k *= 2
  return k
}

const inclusionRanges = (index: number, from: number, to: number): Range[] => {
  if (to - from <= 1) return []
  const middle = from + splitOf(to - from)
  return index < middle
    ? [...inclusionRanges(index, from, middle), [middle, to]]
    : [...inclusionRanges(index, middle, to), [from, middle]]
}

const consistencyRanges = (old: number, from: number, to: number, known: boolean): Range[] => {
  if (old === to) return known ? [] : [[from, to]]
  const middle = from + splitOf(to - from)
  return old <= middle
    ? [...consistencyRanges(old, from, middle, known), [middle, to]]
    : [...consistencyRanges(old, middle, to, false), [from, middle]]
}

/** Where the hashes of a whole subtree are: `count` of them, a power of two, from place `at` of a tile. */
type Piece = { tile: TileName; at: number; count: number }

/** The whole subtrees that a range is made of, from left to right: each lies in one tile. */
const piecesOf = ([from, to]: Range, size: number): Piece[] => {
  const pieces: Piece[] = []
  for (let at = from; at < to; ) {
    let span = 1
    while (at % (span * 2) === 0 && at + span * 2 <= to) span *= 2
    let level = 0
    while (tileWidth ** (level + 1) <= span) level++
    const node = at / tileWidth ** level
    const n = Math.floor(node / tileWidth)
    const tile = { level, n, width: widthOf(size, level, n) }
    pieces.push({ tile, at: node % tileWidth, count: span / tileWidth ** level })
    at += span
  }
  return pieces
}

const keyOf = ({ level, n }: TileName): string => `${level}/${n}`

const hashesOf = async (ranges: Range[], size: number, readTile: ReadTile): Promise<Buffer[]> => {
  const plans = ranges.map(range => piecesOf(range, size))
  const wanted = new Map(plans.flat().map(({ tile }) => [keyOf(tile), tile]))
  const read = await Promise.all(
    [...wanted].map(async ([key, tile]) => [key, exactTile(await readTile(tile), tile)] as const),
  )
  const tiles = new Map(read)
  const subtree = ({ tile, at, count }: Piece): Buffer =>
    rootOfHashes(tiles.get(keyOf(tile))!.subarray(at * hashBytes, (at + count) * hashBytes))
  return plans.map(pieces => pieces.map(subtree).reduceRight((right, left) => nodeHash(left, right)))
}

/**
 * The audit path of entry `index` in the log of the first `size` entries (RFC 6962, section 2.1.1), from its stored tiles: about two reads a level.
 * @throws RangeError when there is no such entry.
 */
export const inclusionProof = async (readTile: ReadTile, index: number, size: number): Promise<Buffer[]> => {
  if (!(index >= 0 && index < size)) throw new RangeError(`a log of ${size} entries has no entry ${index}`)
  return hashesOf(inclusionRanges(index, 0, size), size, readTile)
}

/**
 * The proof that the log of `size` entries begins with that of `old` entries (RFC 6962, section 2.1.2); empty when `old` is 0.
 * @throws RangeError when `old` is the larger.
 */
export const consistencyProof = async (readTile: ReadTile, old: number, size: number): Promise<Buffer[]> => {
  if (!(old >= 0 && old <= size)) throw new RangeError(`a log of ${size} entries never had ${old}`)
  return old === 0 ? [] : hashesOf(consistencyRanges(old, 0, size, true), size, readTile)
}
