import { setImmediate } from 'node:timers/promises'
import { isRefusal } from '../../core/domain/refusal.ts'
import { hashBytes, leafHashes, rootOfHashes } from '../../core/tlog/hash.ts'
import { parseVkey, type VerifierKey } from '../../core/tlog/key.ts'
import { cosignedAt, parseNote } from '../../core/tlog/note.ts'
import { entriesPath, nodesAt, type Tile, tilePath, tileWidth, widthOf } from '../../core/tlog/tile.ts'
import { appendLeaves, emptyTree, rootOf, type Tree, treeFromTiles } from '../../core/tlog/tree.ts'
import type { CertificateCount } from './certificates.ts'
import { checkKeys, openStatement, type Problem, type Statement, type Tell } from './log-keys.ts'
import { layout, type StoredLog } from './stored-log.ts'

export type VerifyOptions = {
  /** A checkpoint that was kept elsewhere: the log must contain it. */
  against?: string
  /** The log's first verifier key, where the verifier has it from elsewhere. */
  vkey?: string
  /** Cosigners' verifier keys; each must have signed the checkpoint or the one in `cosigned`. */
  witnesses?: readonly string[]
}

/** What a verification found. `holds` when nothing is wrong; `unchecked` says what pruning made impossible to recompute. */
export type Verdict = {
  holds: boolean
  /** The first of them, at most `problemLimit`. */
  problems: Problem[]
  problemCount: number
  unchecked: string[]
  origin: string
  size: number
  /** In hexadecimal digits; of the checkpoint. */
  root: string
  /** The first entry that is there. */
  first: number
  keys: string[]
  cosigned: { name: string; size: number; at: number }[]
  against?: { size: number }
  /** Of a folder: what the log's entries prove of the deletion certificates in it. */
  certificates?: CertificateCount
}

const problemLimit = 50
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')

/** Says which hash of a tile differs, by its place in the tile; undefined when none does. */
const firstDifference = (a: Uint8Array, b: Uint8Array): number | undefined => {
  if (Buffer.compare(a, b) === 0) return undefined
  const at = a.findIndex((byte, i) => byte !== b[i])
  return Math.floor(at / hashBytes)
}

const readAhead = 4
/** After as many bundles, about ten milliseconds, whatever else this process does has its turn. */
const breathe = 16

/** Reads a few bundles ahead: the disk works while the hashes are computed. */
async function* bundlesOf(log: StoredLog, from: number, size: number) {
  const load = (n: number) => {
    const width = widthOf(size, 0, n)
    if (width === 0) return undefined
    const both = Promise.all([log.entries(n, width), log.tile({ level: 0, n, width })])
    both.catch(() => undefined) // thrown when its turn comes
    return both.then(([entries, tile]) => ({ n, width, entries, tile }))
  }
  const start = from / tileWidth
  const ahead = Array.from({ length: readAhead }, (_, i) => load(start + i))
  for (let n = start + readAhead; ahead[0]; n++) {
    ahead.push(load(n))
    yield await ahead[0]
    ahead.shift()
  }
}

/** The tree before the first entry that is left, from the tiles that pruning keeps; tells which of them do not fit their parents. */
const prunedTree = async (log: StoredLog, from: number, size: number, tell: Tell): Promise<Tree | undefined> => {
  const tree = await treeAt(log, from, size)
  if (!tree) tell(layout.first, `The tiles over the pruned entries before ${from} are not all there.`)
  for (let level = 1; nodesAt(from, level) > 0; level++)
    for (let n = 0; (n + 1) * tileWidth <= nodesAt(from, level); n++) {
      const [tile, above] = await Promise.all([
        log.tile({ level, n, width: tileWidth }),
        parentHash(log, level, n, size),
      ])
      const name = tilePath({ level, n, width: tileWidth })
      if (isRefusal(tile)) tell(name, tile.sentence)
      else if (!above || Buffer.compare(rootOfHashes(tile), above) !== 0)
        tell(name, 'Its root is not the hash that the tile above has for it.')
    }
  return tree
}

const parentHash = async (log: StoredLog, level: number, n: number, size: number): Promise<Uint8Array | undefined> => {
  const parent = Math.floor(n / tileWidth)
  const tile = await log.tile({ level: level + 1, n: parent, width: widthOf(size, level + 1, parent) })
  const at = (n % tileWidth) * hashBytes
  return isRefusal(tile) ? undefined : tile.subarray(at, at + hashBytes)
}

/** The tree of an earlier size out of the tiles that the log of `size` entries has; undefined when one of them is not there. */
const treeAt = async (log: StoredLog, at: number, size: number): Promise<Tree | undefined> => {
  let whole = true
  const tree = await treeFromTiles(at, async ({ level, n, width }) => {
    const tile = await log.tile({ level, n, width: widthOf(size, level, n) })
    if (!isRefusal(tile)) return tile
    whole = false
    return new Uint8Array(width * hashBytes)
  })
  return whole ? tree : undefined
}

/** Looks at each tile above the leaves when it has the width that it keeps. */
const checkUpperTile = async (log: StoredLog, made: Tile, size: number, tell: Tell): Promise<void> => {
  if (made.level === 0 || made.width !== widthOf(size, made.level, made.n)) return
  const stored = await log.tile(made)
  if (isRefusal(stored)) return tell(tilePath(made), stored.sentence)
  const differs = firstDifference(made.hashes, stored)
  if (differs === undefined) return
  const span = tileWidth ** made.level
  const from = (made.n * tileWidth + differs) * span
  tell(tilePath(made), `Its hash ${differs} is not the one over the entries ${from} to ${from + span - 1}.`)
}

/**
 * Recomputes a log from its entries and compares everything it says of itself with that: every tile, the root, the signatures, how each key was handed over
 * to the next, and the checkpoints that it must contain. Reads every entry once, keeps one tile a level; `onEntries` sees the entries on their way.
 */
export const verifyLog = async (
  log: StoredLog,
  options: VerifyOptions = {},
  onEntries: (entries: Buffer[], from: number) => void = () => undefined,
  found: Problem[] = [],
): Promise<Verdict> => {
  const unchecked: string[] = []
  const tell: Tell = (where, what) => void found.push({ where, what })
  const { keys, handovers } = checkKeys(log, tell)
  const cosigners = (options.witnesses ?? []).flatMap((vkey): VerifierKey[] => {
    const key = parseVkey(vkey)
    if (!isRefusal(key) && key.type === 'cosignature') return [key]
    tell('witness', isRefusal(key) ? key.sentence : 'This key is a log’s, not a witness’s.')
    return []
  })
  if (options.vkey !== undefined && options.vkey !== log.vkeys[0])
    tell(layout.vkeys, `The first key is not the one that was expected, ${options.vkey}.`)

  const open = (where: string, note: string | undefined) =>
    note === undefined ? undefined : openStatement(where, note, keys, cosigners, tell)
  const head = open(layout.checkpoint, log.note)
  const size = head?.size ?? 0
  const against = open('against', options.against)
  const cosigned = open(layout.cosigned, log.cosigned)
  const signed = [head, cosigned].flatMap(s => (s ? [s] : []))
  for (const key of cosigners)
    if (!signed.some(s => s.signedBy.includes(key))) tell(layout.checkpoint, `${key.name} has not cosigned it.`)

  if (head) {
    const contained = [...handovers, ...(against ? [against] : []), ...(cosigned ? [cosigned] : [])]
    await recompute({ log, head, contained, tell, unchecked, onEntries })
  }

  return {
    ...judged(found),
    unchecked,
    origin: head?.origin ?? '',
    size,
    root: head ? hex(head.root) : '',
    first: firstOf(log),
    keys: keys.map(k => k.key.vkey),
    cosigned: signed.flatMap(s => s.signedBy.filter(k => k.type === 'cosignature').map(k => whenCosigned(s, k, log))),
    ...(against ? { against: { size: against.size } } : {}),
  }
}

/** The verdict's part about what is wrong. */
export const judged = (found: readonly Problem[]): Pick<Verdict, 'holds' | 'problems' | 'problemCount'> => ({
  holds: found.length === 0,
  problems: found.slice(0, problemLimit),
  problemCount: found.length,
})

const firstOf = (log: StoredLog): number => Math.floor(log.first / tileWidth) * tileWidth

const whenCosigned = (s: Statement, key: VerifierKey, log: StoredLog) => {
  const note = parseNote(s.where === layout.cosigned ? (log.cosigned ?? '') : log.note)
  return { name: key.name, size: s.size, at: isRefusal(note) ? 0 : (cosignedAt(note, key) ?? 0) }
}

type Work = {
  log: StoredLog
  head: Statement
  contained: Statement[]
  tell: Tell
  unchecked: string[]
  onEntries: (entries: Buffer[], from: number) => void
}

const recompute = async ({ log, head, contained, tell, unchecked, onEntries }: Work): Promise<void> => {
  const { size } = head
  const from = firstOf(log)
  for (const s of contained)
    if (s.size > size)
      tell(s.where, `It is over ${s.size} entries, but the log has only ${size}: it was cut or rolled back.`)
  if (from > size)
    return tell(layout.first, `Entries before ${from} are said to be pruned, but the log has only ${size}.`)

  const compare = (tree: Tree, s: Statement) => {
    const root = rootOf(tree)
    if (Buffer.compare(root, s.root) === 0) return
    const what = s === head ? 'The root over the entries' : `The root over the first ${s.size} entries`
    tell(s.where, `${what} is ${hex(root)}, not ${hex(s.root)} as it says.`)
  }
  for (const s of contained.filter(c => c.size < from)) {
    const tree = await treeAt(log, s.size, size)
    if (tree) compare(tree, s)
    else unchecked.push(`${s.where}: the entries under its last tile, before ${s.size}, were pruned.`)
  }

  let tree = from === 0 ? emptyTree() : await prunedTree(log, from, size, tell)
  if (!tree) return
  const waiting = [...contained.filter(s => s.size >= from && s.size <= size), head].sort((a, b) => a.size - b.size)
  const reached = (at: Tree) => {
    while (waiting[0]?.size === at.size) compare(at, waiting.shift() as Statement)
  }
  reached(tree)
  for await (const { n, width, entries, tile } of bundlesOf(log, from, size)) {
    const where = entriesPath(n, width)
    if (isRefusal(entries)) {
      tell(where, `${entries.sentence} What comes after entry ${tree.size} was not checked.`)
      return
    }
    if (n % breathe === 0) await setImmediate()
    const hashes = leafHashes(entries)
    if (isRefusal(tile)) tell(tilePath({ level: 0, n, width }), tile.sentence)
    else {
      const differs = firstDifference(hashes, tile)
      if (differs !== undefined)
        tell(
          where,
          `Entry ${n * tileWidth + differs} is not the one whose hash ${tilePath({ level: 0, n, width })} has.`,
        )
    }
    onEntries(entries, n * tileWidth)
    for (let at = tree.size; at < n * tileWidth + width; at = tree.size) {
      const to = Math.min(waiting[0]?.size ?? at + tileWidth, n * tileWidth + width)
      const first = n * tileWidth
      const grown = appendLeaves(tree, hashes.subarray((at - first) * hashBytes, (to - first) * hashBytes))
      tree = grown.tree
      for (const made of grown.tiles) await checkUpperTile(log, made, size, tell)
      reached(tree)
    }
  }
}
