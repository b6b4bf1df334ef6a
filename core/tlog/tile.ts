/** Hashes of a full tile, and entries of a full bundle (C2SP tlog-tiles). */
export const tileWidth = 256

/** Which tile: its level from 0 (leaf hashes), its place in the level, and how many hashes it has, 1 to 256. */
export type TileName = { level: number; n: number; width: number }

/** A tile with its hashes, 32 bytes each. */
export type Tile = TileName & { hashes: Uint8Array }

/** Gives a stored tile; one that is wider than asked is welcome, since a narrower one is its beginning. */
export type ReadTile = (tile: TileName) => Promise<Uint8Array>

/** How many whole subtrees of 256^level entries a log of `size` entries has. */
export const nodesAt = (size: number, level: number): number => Math.floor(size / tileWidth ** level)

/** Width of tile `n` of a level in a log of `size` entries; 0 when it has none. */
export const widthOf = (size: number, level: number, n: number): number =>
  Math.max(0, Math.min(tileWidth, nodesAt(size, level) - n * tileWidth))

const indexPath = (n: number): string => {
  const digits = String(n)
  const groups = digits.padStart(Math.ceil(digits.length / 3) * 3, '0').match(/.{3}/g) ?? []
  return groups.map((g, i) => (i < groups.length - 1 ? `x${g}` : g)).join('/')
}

const suffix = (width: number): string => (width === tileWidth ? '' : `.p/${width}`)

/** `tile/<L>/<N>[.p/<W>]`, for example `tile/0/x001/x234/067.p/8`. */
export const tilePath = ({ level, n, width }: TileName): string => `tile/${level}/${indexPath(n)}${suffix(width)}`

/** `tile/entries/<N>[.p/<W>]`: where the bundle of the entries under level-0 tile `n` lies. */
export const entriesPath = (n: number, width: number): string => `tile/entries/${indexPath(n)}${suffix(width)}`

/** Every tile of a log of `size` entries, level by level, in order. */
export function* tilesOf(size: number): Generator<TileName> {
  for (let level = 0; nodesAt(size, level) > 0; level++)
    for (let n = 0; widthOf(size, level, n) > 0; n++) yield { level, n, width: widthOf(size, level, n) }
}

const numberOf = (index: string): number => Number(index.replaceAll(/[x/]/g, ''))

/** Reads a path as `tilePath` (level ≥ 0) and `entriesPath` (level -1) write it; undefined for every other. */
export const parseTilePath = (path: string): TileName | undefined => {
  const [, row = '', index = '', partial] =
    /^tile\/(\d+|entries)\/((?:x\d{3}\/){0,4}\d{3})(?:\.p\/(\d+))?$/.exec(path) ?? []
  const tile = { level: row === 'entries' ? -1 : Number(row), n: numberOf(index), width: Number(partial ?? tileWidth) }
  const again = tile.level < 0 ? entriesPath(tile.n, tile.width) : tilePath(tile)
  return again === path && tile.width >= 1 && tile.width <= tileWidth ? tile : undefined
}
