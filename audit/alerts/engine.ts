import type { Seen } from '../../core/domain/audit/alerts/rule.ts'
import { hours } from '../../core/domain/clock.ts'
import { withFacts } from '../../core/store/alerts/alert-facts.ts'
import { ruleValues } from '../../core/store/alerts/alert-rules.ts'
import { moveCursor, raise, takeCursor } from '../../core/store/alerts/alerts.ts'
import { countedActions, findAll, longestLook, ruleContext, seenSince } from '../../core/store/alerts/rule-run.ts'
import { firstIndex, readEntries } from '../../core/store/audit/log/entries.ts'
import { type StoreDeps, type Tx, transact } from '../../core/store/tx.ts'

/** What was counted lately, so that it is not read again for every batch. Only a memory: what it lacks is read. */
type Memory = { upTo: number; seen: Seen[] }

const cursor = 'rules'
const batch = 500

export type Engine = {
  /** Applies the rules to the next entries that they have not seen; returns whether there may be more. */
  turn(): Promise<boolean>
}

/** An entry that is not there although a later one is: reported once, and passed over. */
const noteGap = async (tx: Tx, from: number, found: number | undefined): Promise<void> => {
  if (found === undefined || found <= from || from < (await firstIndex(tx.sql))) return
  const about = { what: 'missing', entry: String(from) }
  await raise(tx, { rule: 'gap', key: `missing ${from}`, about, count: 1, first: from, last: from, at: tx.now })
}

/**
 * The rules over the log as it grows: what they find, the messages that tell of it and the cursor commit together, so that a kill repeats nothing and loses nothing.
 * One process at a time works, because it holds the cursor's row.
 */
export const alertEngine = (store: StoreDeps): Engine => {
  let memory: Memory | undefined
  return {
    turn: async () => {
      const done = await transact(store, async tx => {
        const from = await takeCursor(tx, cursor, tx.now - hours(24))
        const records = await readEntries(tx.sql, { from, limit: batch })
        const first = records[0]
        const last = records.at(-1)
        if (!first || !last) return undefined
        const values = await ruleValues(tx.sql)
        if (values.get('gap')?.enabled === true)
          for (const [i, r] of records.entries())
            await noteGap(tx, i === 0 ? from : (records[i - 1]?.idx ?? 0) + 1, r.idx)
        const since = first.at - longestLook(values)
        const past = memory?.upTo === from ? memory.seen : await seenSince(tx.sql, countedActions, since, from)
        const fresh = await withFacts({ db: tx.sql, seal: store.seal }, records)
        const seen = [...past.filter(s => s.at >= since), ...fresh]
        for (const finding of findAll(seen, from, values, await ruleContext(tx.sql))) await raise(tx, finding)
        await moveCursor(tx, cursor, last.idx + 1)
        return {
          upTo: last.idx + 1,
          seen: seen.filter(s => countedActions.includes(s.action)),
          more: records.length === batch,
        }
      })
      if (done) memory = { upTo: done.upTo, seen: done.seen }
      return done?.more ?? false
    },
  }
}
