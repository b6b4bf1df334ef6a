import { hashBytes, rootOfHashes } from './hash.ts'
import { nodesAt, type ReadTile, type Tile, type TileName, tileWidth } from './tile.ts'

/**
 * A log as far as appending needs it: its size and, for every level, the hashes of the last tile that is not full (32 bytes each, perhaps none).
 * A value: `appendLeaves` gives a new one.
 */
export type Tree = { readonly size: number; readonly edge: readonly Uint8Array[] }

export const emptyTree = (): Tree => ({ size: 0, edge: [] })

const none = new Uint8Array(0)
const fullTile = tileWidth * hashBytes

/**
 * Appends entries, given as their leaf hashes one after the other (`leafHashes`). `tiles` are those that became new or wider, each once and with all its hashes,
 * to be stored under (level, n) in place of a narrower one (C2SP tlog-tiles). Costs one hash per entry and one more per 255.
 */
export const appendLeaves = (tree: Tree, hashes: Uint8Array): { tree: Tree; tiles: Tile[] } => {
  if (hashes.length % hashBytes !== 0) throw new Error(`${hashes.length} bytes are no whole number of hashes`)
  const edge = [...tree.edge]
  const tiles: Tile[] = []
  let added = hashes
  for (let level = 0; added.length > 0; level++) {
    const first = nodesAt(tree.size, level + 1)
    const row = Buffer.concat([edge[level] ?? none, added])
    const risen: Buffer[] = []
    for (let at = 0; at < row.length; at += fullTile) {
      const tile = row.subarray(at, at + fullTile)
      tiles.push({ level, n: first + at / fullTile, width: tile.length / hashBytes, hashes: tile })
      if (tile.length === fullTile) risen.push(rootOfHashes(tile))
    }
    edge[level] = row.subarray(row.length - (row.length % fullTile))
    added = risen.length > 0 ? Buffer.concat(risen) : none
  }
  return { tree: { size: tree.size + hashes.length / hashBytes, edge }, tiles }
}

/** The root hash of the whole log (RFC 6962, section 2.1). At most 255 hashes per level. */
export const rootOf = (tree: Tree): Buffer => {
  let below: Buffer | undefined
  for (const row of tree.edge) if (row.length > 0) below = rootOfHashes(below ? Buffer.concat([row, below]) : row)
  return below ?? rootOfHashes(none)
}

/**
 * The tree of the first `size` entries, from its stored tiles: one read per level. Compare `rootOf` it with the checkpoint.
 * @throws when a tile is shorter than a log of this size needs.
 */
export const treeFromTiles = async (size: number, readTile: ReadTile): Promise<Tree> => {
  const edge: Uint8Array[] = []
  for (let level = 0; nodesAt(size, level) > 0; level++) {
    const width = nodesAt(size, level) % tileWidth
    const name = { level, n: nodesAt(size, level + 1), width }
    edge.push(width === 0 ? none : exactTile(await readTile(name), name))
  }
  return { size, edge }
}

/** The first `width` hashes of a stored tile. @throws when it has fewer. */
export const exactTile = (stored: Uint8Array, { level, n, width }: TileName): Uint8Array => {
  if (stored.length < width * hashBytes)
    throw new Error(`tile ${n} of level ${level} has ${stored.length} bytes, not the ${width * hashBytes} of its width`)
  return stored.subarray(0, width * hashBytes)
}
