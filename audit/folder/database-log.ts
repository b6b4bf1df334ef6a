import { type Refusal, refuse } from '../../core/domain/refusal.ts'
import { latestCheckpoint } from '../../core/store/audit/log/checkpoints.ts'
import { cosignaturesOf, newestCosigned } from '../../core/store/audit/log/cosigned.ts'
import { firstIndex, readLeaves } from '../../core/store/audit/log/entries.ts'
import { logKeys } from '../../core/store/audit/log/keys.ts'
import { tileReader } from '../../core/store/audit/log/tiles.ts'
import type { Db } from '../../core/store/db.ts'
import { hashBytes } from '../../core/tlog/hash.ts'
import { tileWidth } from '../../core/tlog/tile.ts'
import { oneByOne } from '../one-by-one.ts'
import type { StoredLog } from './stored-log.ts'

/** The log in the database with its newest checkpoint, which stays this one while the log grows. Refuses while there is none. */
export const databaseLog = async (db: Db): Promise<StoredLog | Refusal> => {
  const latest = await latestCheckpoint(db)
  if (!latest) return refuse('empty-log', 'The audit log has no checkpoint yet.')
  const { size } = latest
  const keys = (await logKeys(db)).filter(k => k.fromSize <= size)
  const readTile = tileReader(db)
  // In a snapshot there is one connection, which does not take the next question before it has answered.
  const inTurn = oneByOne()
  return {
    note: latest.note + (await cosignaturesOf(db, size)).join(''),
    vkeys: keys.map(k => k.vkey),
    handovers: keys.slice(1).map(k => k.handover ?? ''),
    cosigned: (await newestCosigned(db, size)) ?? undefined,
    first: await firstIndex(db),
    tile: async name => {
      const hashes = await inTurn(() => readTile(name))
      const needed = name.width * hashBytes
      return hashes.length >= needed
        ? hashes.subarray(0, needed)
        : refuse('short-tile', `Tile ${name.n} of level ${name.level} has only ${hashes.length} bytes.`)
    },
    entries: async (n, width) => {
      const from = n * tileWidth
      const rows = await inTurn(async () => readLeaves(db, { from, limit: width }))
      const gap = Array.from({ length: width }, (_, i) => from + i).find((idx, i) => rows[i]?.idx !== idx)
      return gap === undefined
        ? rows.map(({ leaf }) => Buffer.from(leaf))
        : refuse('entry-missing', `The database has no entry ${gap}.`)
    },
  }
}
