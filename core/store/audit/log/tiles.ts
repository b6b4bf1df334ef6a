import type { Knex } from 'knex'
import type { ReadTile, Tile } from '../../../tlog/tile.ts'
import { type Tree, treeFromTiles } from '../../../tlog/tree.ts'

/** Reads stored tiles (C2SP tlog-tiles); a missing one, which pruning has removed or nobody wrote, is thrown. */
export const tileReader =
  (sql: Knex): ReadTile =>
  async ({ level, n }) => {
    const row: { hashes: Buffer } | undefined = await sql('audit_tile').where({ level, n }).first('hashes')
    if (!row) throw new Error(`the log has no tile ${n} of level ${level}`)
    return row.hashes
  }

/** The tree over the first `size` entries, as the stored tiles have it. */
export const storedTree = (sql: Knex, size: number): Promise<Tree> => treeFromTiles(size, tileReader(sql))

/** Stores tiles, each in place of a narrower one. */
export const storeTiles = async (sql: Knex, tiles: readonly Tile[]): Promise<void> => {
  await sql.raw(
    `insert into audit_tile (level, n, hashes) select * from unnest(?::int[], ?::bigint[], ?::bytea[])
     on conflict (level, n) do update set hashes = excluded.hashes`,
    [tiles.map(t => t.level), tiles.map(t => t.n), tiles.map(t => Buffer.from(t.hashes))],
  )
}
