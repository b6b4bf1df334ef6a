import { tileWidth } from '../../../tlog/tile.ts'
import type { StoreDeps } from '../../tx.ts'
import { checkLog, type Finding } from './check.ts'
import { firstIndex, logSize } from './entries.ts'
import { logKeys, verifiersOf } from './keys.ts'

// Some 16,000 entries in a second: at a round every ten minutes, a million entries in half a day.
const tilesARound = 64

/** Pinned checkpoints are many; the newest ones say the most. */
const pinsARound = 50

/**
 * One round of checking the log against its signed checkpoint and the pins: its inner tiles, its newest entries, and the next part of all of them.
 * `trusted`: the vkeys of the key file.
 */
export const checkOnward = (store: StoreDeps, trusted: readonly string[]): Promise<Finding[]> =>
  store.db.transaction(
    async sql => {
      const keys = await logKeys(sql)
      const verifiers = verifiersOf(keys, trusted)
      const end = Math.ceil((await logSize(sql)) / tileWidth)
      const first = Math.floor((await firstIndex(sql)) / tileWidth)
      const checked = await sql('audit_checked').first('next_idx')
      const next = Math.floor(Number(checked?.next_idx ?? 0) / tileWidth)
      const from = next >= end ? first : Math.max(first, next)
      const pins = await sql('audit_pin')
        .orderBy('at', 'desc')
        .limit(pinsARound)
        .select('size', 'root', 'place as where')
      const found = await checkLog(sql, { verifiers, pins, tiles: { from, to: from + tilesARound } })
      const newest = Math.max(first, end - 2)
      if (newest >= from + tilesARound)
        found.push(...(await checkLog(sql, { verifiers, tiles: { from: newest, to: end } })))
      const row = { one: true, next_idx: (from + tilesARound) * tileWidth, at: store.clock.now() }
      await sql('audit_checked').insert(row).onConflict('one').merge()
      return found
    },
    { isolationLevel: 'repeatable read' },
  )
