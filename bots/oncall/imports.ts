import { seconds } from '../../core/domain/clock.ts'
import type { UserId } from '../../core/domain/ids.ts'
import { isRefusal } from '../../core/domain/refusal.ts'
import type { Log } from '../../core/log.ts'
import { fetchFeed } from '../../core/oncall/import/fetch-feed.ts'
import { takeText } from '../../core/oncall/import/take.ts'
import { type Dispatcher, startDispatcher } from '../../core/queues/dispatcher.ts'
import { claimSource, dueSources, noteRead, type OnCallSource } from '../../core/store/oncall/sources.ts'
import { holdersOf } from '../../core/store/staff/roles.ts'
import { readSettings } from '../../core/store/staff/settings.ts'
import { type StoreDeps, type Tx, transact } from '../../core/store/tx.ts'
import { type Answer, answer } from '../framework/answer.ts'
import { say } from '../framework/say.ts'
import { reportOf, sourceWords, tellTaken } from './report.ts'

/** Who the log and the people told name as the author of what a source changed. */
const by = 'oncall-import'

/** Who is told of a source: whoever added it, and where they no longer keep schedules, everybody who does. */
const keepersOf = async (tx: Tx, s: OnCallSource): Promise<readonly UserId[]> => {
  const supervisors = await holdersOf(tx.sql, 'supervisor')
  const all = await holdersOf(tx.sql, 'supervisor', 'admin')
  const author = all.find(u => u === s.addedBy)
  return author ? [author] : supervisors.length > 0 ? supervisors : all
}

const tell = async (tx: Tx, s: OnCallSource, key: string, words: Answer): Promise<void> => {
  for (const user of await keepersOf(tx, s)) await say(tx, `oncall-import:${s.id}:${key}:${user}`, { user }, words)
}

/** A single failure is the network's; the third in a row is worth a word. */
const worthAWord = 3

const failed = (store: StoreDeps, s: OnCallSource, answered: { sentence: string; waitMs?: number }): Promise<void> =>
  transact(store, async tx => {
    const { sentence, waitMs } = answered
    await noteRead(tx, s, { problem: sentence, failed: true, ...(waitMs === undefined ? {} : { waitMs }) })
    if (s.failures + 1 !== worthAWord) return
    const words = answer(
      `The duties for ${sourceWords(s)} cannot be read from ${s.host}: ${sentence} The schedule stays as it is; I go on asking.`,
    )
    await tell(tx, s, `failed:${tx.now}`, words)
  })

/** Asks one source, if no other process does: what it says takes effect, or waits for whoever added it, who is told. False when it was not due any more. */
export const importOne = async (store: StoreDeps, id: string): Promise<boolean> => {
  const claimed = await transact(store, tx => claimSource(tx, id))
  if (!claimed) return false
  const { source, url } = claimed
  const ownHosts = (await readSettings(store.db))['oncall.import_hosts']
  const answered = await fetchFeed(url, { ownHosts, now: store.clock.now() })
  if (answered.kind === 'failed') {
    await failed(store, source, answered)
    return true
  }
  const taken = await takeText(store, source, answered.text, { by })
  if (isRefusal(taken)) {
    await failed(store, source, taken)
    return true
  }
  const report = reportOf(source, taken)
  if (!report) return true
  await transact(store, async tx => {
    // The same report about the same state is said once, however often the source is read.
    const key = `${taken.kind}:${tx.deps.seal.lookup('oncall.report', JSON.stringify(report))}`
    await tell(tx, source, taken.kind === 'taken' ? `${key}:${tx.now}` : key, report)
    await tellTaken(tx, taken, by)
  })
  return true
}

/** Reads schedules from their sources when they are due, a few at a time, so that a slow one delays no other. */
export const startImports = ({ store, log }: { store: StoreDeps; log: Log }): Dispatcher =>
  startDispatcher({
    concurrency: 4,
    pollMs: seconds(2),
    find: async (busy, limit) => (await dueSources(store.db, store.clock.now(), busy, limit)).map(key => ({ key })),
    run: id => importOne(store, id),
    log,
  })
