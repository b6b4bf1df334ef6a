import type { Knex } from 'knex'
import { recordOf } from '../../../domain/audit/leaf.ts'
import type { AuditRecord } from '../../../domain/audit/record.ts'
import { isRefusal } from '../../../domain/refusal.ts'
import { parseCheckpoint } from '../../../tlog/checkpoint.ts'
import { hashBytes, leafHashes, rootOfHashes } from '../../../tlog/hash.ts'
import type { VerifierKey } from '../../../tlog/key.ts'
import { openNote } from '../../../tlog/note.ts'
import { nodesAt, tilesOf, tileWidth, widthOf } from '../../../tlog/tile.ts'
import { rootOf } from '../../../tlog/tree.ts'
import { latestCheckpoint, type StoredCheckpoint } from './checkpoints.ts'
import { firstIndex } from './entries.ts'
import { storedTree } from './tiles.ts'

/** Something in the stored log that is not as it was signed. `idx`: the entry where it shows. No finding holds an entry's content. */
export type Finding = {
  code: 'signature' | 'root' | 'tiles' | 'gap' | 'entry' | 'columns' | 'rollback' | 'fork'
  sentence: string
  idx?: number
}

/** A checkpoint's own words: signed by one of these keys, and about what its row says. */
const checkNote = (c: StoredCheckpoint, verifiers: readonly VerifierKey[]): Finding[] => {
  const bad = (sentence: string): Finding[] => [{ code: 'signature', sentence }]
  const note = openNote(c.note, verifiers)
  if (isRefusal(note) || note.signedBy.length === 0)
    return bad(`The checkpoint over ${c.size} entries is not signed by a key of this log.`)
  const said = parseCheckpoint(note.text)
  if (isRefusal(said) || said.size !== c.size || !Buffer.from(said.root).equals(c.root))
    return bad(`The row of the checkpoint over ${c.size} entries does not say what its note says.`)
  return []
}

type Tiles = Map<string, Buffer>
const at = (level: number, n: number) => `${level}/${n}`

/** The inner tiles: each of the width that the size asks for, each hash the root of the tile below, the whole giving the checkpoint's root. */
const checkTop = async (sql: Knex, { size, root }: StoredCheckpoint): Promise<Finding[]> => {
  const rows: { level: number; n: number; hashes: Buffer }[] = await sql('audit_tile')
    .where('level', '>', 0)
    .select('level', 'n', 'hashes')
  const stored: Tiles = new Map(rows.map(r => [at(r.level, r.n), r.hashes]))
  const bad = (what: string): Finding => ({ code: 'tiles', sentence: `The log's tiles are not as they were: ${what}.` })
  const found: Finding[] = []
  let expected = 0
  for (const { level, n, width } of tilesOf(size)) {
    if (level === 0) continue
    expected++
    const tile = stored.get(at(level, n))
    if (tile?.length !== width * hashBytes) found.push(bad(`tile ${n} of level ${level} has another width`))
    else if (level > 1)
      for (let i = 0; i < width; i++) {
        const below = stored.get(at(level - 1, n * tileWidth + i))
        if (below && !rootOfHashes(below).equals(tile.subarray(i * hashBytes, (i + 1) * hashBytes)))
          found.push(bad(`tile ${n} of level ${level} does not fit the one below`))
      }
  }
  if (expected !== stored.size) found.push(bad('there is one that the log has no entries for'))
  if (found.length > 0) return found
  const whole = await storedTree(sql, size).then(rootOf, () => undefined)
  return whole?.equals(root) ? [] : [{ code: 'root', sentence: `The tiles do not give the root over ${size} entries.` }]
}

type EntryRow = {
  idx: number
  queue_id: number
  at: number
  action: string
  outcome: string
  actor_kind: string
  actor_ref: string
  object_kind: string
  object_ref: string
  patient_ref: string | null
  room_ref: string | null
  leaf: string
}

const columnsOf = (r: AuditRecord): Omit<EntryRow, 'leaf'> => ({
  idx: r.idx,
  queue_id: r.id,
  at: r.at,
  action: r.action,
  outcome: r.outcome,
  actor_kind: r.actor.kind,
  actor_ref: r.actor.ref,
  object_kind: r.object.kind,
  object_ref: r.object.ref,
  patient_ref: r.patient ?? null,
  room_ref: r.room ?? null,
})

const sameColumns = (row: EntryRow): boolean => {
  try {
    const said = Object.entries(columnsOf(recordOf(row.idx, row.leaf)))
    return said.every(([name, value]) => row[name as keyof EntryRow] === value)
  } catch {
    return false // the leaf itself is none any more
  }
}

/** One tile's entries: all there, each with the hash that the tile has for it, columns as the leaf says, the tile itself as the one above has it. */
const checkTile = (
  n: number,
  width: number,
  rows: readonly EntryRow[],
  tile: Buffer | undefined,
  above: Buffer | undefined,
): Finding[] => {
  const found: Finding[] = []
  const first = n * tileWidth
  if (tile?.length !== width * hashBytes)
    return [
      {
        code: 'tiles',
        idx: first,
        sentence: `The hashes of entries ${first} to ${first + width - 1} are missing or cut.`,
      },
    ]
  if (above && !rootOfHashes(tile).equals(above))
    found.push({
      code: 'tiles',
      idx: first,
      sentence: `The hashes of entries ${first} to ${first + width - 1} are not those that were signed.`,
    })
  const hashes = leafHashes(rows.map(r => r.leaf))
  let i = 0
  for (const [k, row] of rows.entries()) {
    if (row.idx !== first + i) {
      found.push({ code: 'gap', idx: first + i, sentence: `Entry ${first + i} is missing.` })
      i = row.idx - first
    }
    const signed = tile.subarray(i * hashBytes, (i + 1) * hashBytes)
    if (!signed.equals(hashes.subarray(k * hashBytes, (k + 1) * hashBytes)))
      found.push({ code: 'entry', idx: row.idx, sentence: `Entry ${row.idx} is not the one that was signed.` })
    else if (!sameColumns(row))
      found.push({
        code: 'columns',
        idx: row.idx,
        sentence: `The columns of entry ${row.idx} do not say what the entry says.`,
      })
    i++
  }
  if (i < width) found.push({ code: 'gap', idx: first + i, sentence: `Entry ${first + i} is missing.` })
  return found
}

/** Entries of level-0 tiles `from` (inclusive) to `to` (exclusive) against the stored hashes. */
const checkTiles = async (sql: Knex, size: number, from: number, to: number): Promise<Finding[]> => {
  const within = [from * tileWidth, Math.min(size, to * tileWidth) - 1] as const
  const rows: EntryRow[] = await sql('audit_entry').whereBetween('idx', within).orderBy('idx')
  const tiles: { level: number; n: number; hashes: Buffer }[] = await sql('audit_tile')
    .where(q => q.where({ level: 0 }).whereBetween('n', [from, to - 1]))
    .orWhere(q => q.where({ level: 1 }).whereBetween('n', [nodesAt(from, 1), nodesAt(to - 1, 1)]))
    .select('level', 'n', 'hashes')
  const stored: Tiles = new Map(tiles.map(t => [at(t.level, t.n), t.hashes]))
  const of = new Map<number, EntryRow[]>()
  for (const row of rows) {
    const n = nodesAt(row.idx, 1)
    const list = of.get(n)
    if (list) list.push(row)
    else of.set(n, [row])
  }
  const found: Finding[] = []
  for (let n = from; n < to; n++) {
    const width = widthOf(size, 0, n)
    const i = n % tileWidth
    const above =
      width === tileWidth ? stored.get(at(1, nodesAt(n, 1)))?.subarray(i * hashBytes, (i + 1) * hashBytes) : undefined
    found.push(...checkTile(n, width, of.get(n) ?? [], stored.get(at(0, n)), above))
  }
  return found
}

/** A statement about the log that was kept elsewhere: its size and root. */
export type Pinned = { size: number; root: Uint8Array; where?: string }

/** What was pinned outside must be a beginning of this log. The tiles must have been checked. */
export const checkPins = async (sql: Knex, size: number, pins: readonly Pinned[]): Promise<Finding[]> => {
  const found: Finding[] = []
  for (const pin of pins) {
    const where = pin.where ? ` (${pin.where})` : ''
    if (pin.size > size) {
      found.push({
        code: 'rollback',
        sentence: `The log has ${size} entries, but a checkpoint over ${pin.size} was given out${where}.`,
      })
      continue
    }
    const root = await storedTree(sql, pin.size).then(rootOf, () => undefined)
    if (!root?.equals(pin.root))
      found.push({
        code: 'fork',
        sentence: `The first ${pin.size} entries are not those of a checkpoint that was given out${where}.`,
      })
  }
  return found
}

export type CheckOptions = {
  /** The keys that may have signed (`verifiersOf`). */
  verifiers: readonly VerifierKey[]
  /** Checkpoints that were kept outside this database. */
  pins?: readonly Pinned[]
  /** Which level-0 tiles' entries are looked at, from inclusive, to exclusive; all that are not pruned when left out. */
  tiles?: { from: number; to: number }
  /** Whether every stored checkpoint is checked, not only the newest (as when `tiles` is left out). */
  checkpoints?: boolean
}

const tilesAtOnce = 32

/**
 * Checks the stored log against its newest checkpoint, and that against what was pinned outside: every change to an entry, its columns, a tile or a checkpoint shows,
 * as do a missing, added or moved entry, a shorter log and another one. Reads in one snapshot when given a transaction of isolation level repeatable read.
 */
export const checkLog = async (sql: Knex, o: CheckOptions): Promise<Finding[]> => {
  const latest = await latestCheckpoint(sql)
  const size = latest?.size ?? 0
  const first = await firstIndex(sql)
  const last = await sql('audit_entry').max({ idx: 'idx' }).min({ first: 'idx' }).first()
  const found: Finding[] = []
  if (last?.idx !== null && Number(last?.idx) >= size)
    found.push({ code: 'gap', idx: size, sentence: `There are entries beyond the ${size} of the newest checkpoint.` })
  if (last?.first !== null && Number(last?.first) < first)
    found.push({
      code: 'gap',
      idx: Number(last?.first),
      sentence: 'There are entries before the first one that was kept.',
    })
  if (latest) found.push(...checkNote(latest, o.verifiers), ...(await checkTop(sql, latest)))
  const begin = Math.max(nodesAt(first, 1), o.tiles?.from ?? 0)
  const end = Math.min(Math.ceil(size / tileWidth), o.tiles?.to ?? Number.POSITIVE_INFINITY)
  for (let n = begin; n < end; n += tilesAtOnce)
    found.push(...(await checkTiles(sql, size, n, Math.min(end, n + tilesAtOnce))))
  found.push(...(await checkPins(sql, size, o.pins ?? [])))
  if (o.checkpoints ?? !o.tiles) found.push(...(await checkOlder(sql, size, first, o.verifiers)))
  return found
}

/** Every older checkpoint: signed, and a beginning of this log. */
const checkOlder = async (
  sql: Knex,
  size: number,
  first: number,
  verifiers: readonly VerifierKey[],
): Promise<Finding[]> => {
  const found: Finding[] = []
  const limit = 500
  for (let after = 0; ; ) {
    const rows: StoredCheckpoint[] = await sql('audit_checkpoint')
      .where('size', '>', after)
      .where('size', '<', size)
      .orderBy('size')
      .limit(limit)
    for (const c of rows) found.push(...checkNote(c, verifiers))
    found.push(
      ...(await checkPins(
        sql,
        size,
        rows.filter(c => c.size >= first),
      )),
    )
    if (rows.length < limit) return found
    after = rows.at(-1)?.size ?? size
  }
}
