import { days, hours } from '../../domain/clock.ts'
import { onEvent } from '../../domain/oncall/paging/events.ts'
import { nobodySaidSo, type PageEvent } from '../../domain/oncall/paging/page.ts'
import { isRefusal } from '../../domain/refusal.ts'
import { forgetAlarms, forgetPages, lockQuietPages } from '../../store/oncall/old-pages.ts'
import { lockFreePages } from '../../store/oncall/pages.ts'
import { readSettings } from '../../store/staff/settings.ts'
import { type StoreDeps, type Tx, transact } from '../../store/tx.ts'
import { type CommittedTurn, commitTurns } from './commit-turns.ts'
import type { Duty } from './duty.ts'
import { pager } from './engine.ts'
import { lookUp } from './look-up.ts'

export type Batches = {
  /** Pages a transaction takes (50). */
  size?: number
  /** Transactions of one kind in one run (20); the next run goes on. */
  most?: number
}

/** Pages that were taken long ago and not resolved since are: nobody said so. */
const resolveQuiet = async (tx: Tx, duty: Duty, limit: number): Promise<number> => {
  const { 'oncall.close_hours': closeHours } = await readSettings(tx.sql)
  const ids = await lockQuietPages(tx, tx.now - hours(closeHours), limit)
  const event: PageEvent = { kind: 'resolve', by: nobodySaidSo }
  const turns: CommittedTurn[] = []
  for (const stored of await lockFreePages(tx, ids)) {
    const ports = await lookUp(tx, duty, { page: stored.page, event })
    const turn = onEvent(stored.page, event, tx.now, ports)
    if (isRefusal(turn)) throw new Error(`a page that was taken cannot be resolved: ${turn.code}`)
    turns.push({ stored, turn, actor: pager, ports })
  }
  await commitTurns(tx, turns)
  return ids.length
}

const forget = async (tx: Tx, limit: number): Promise<number> => {
  const { 'oncall.forget_days': forgetDays } = await readSettings(tx.sql)
  const until = tx.now - days(forgetDays)
  const count = await forgetPages(tx, until, limit)
  if (count > 0)
    await tx.audit({
      actor: pager,
      action: 'page.forget',
      object: { kind: 'service', id: 'pages' },
      outcome: 'done',
      detail: { count },
    })
  // The answers of alarms hold no words; they are for a source that asks again.
  return Math.max(count, await forgetAlarms(tx, until, limit))
}

/**
 * Ends what nobody ended: pages taken 12 hours ago (`oncall.close_hours`) are resolved, their senders told as at every resolution; the words of pages that ended
 * 30 days ago (`oncall.forget_days`) are forgotten, and those that nobody took are closed, so that their reference becomes free. In bounded transactions, each safe to run twice.
 */
export const endOldPages = async (
  store: StoreDeps,
  duty: Duty,
  { size = 50, most = 20 }: Batches = {},
): Promise<void> => {
  for (const step of [(tx: Tx) => resolveQuiet(tx, duty, size), (tx: Tx) => forget(tx, size)])
    for (let n = 0; n < most; n++) if ((await transact(store, step)) < size) break
}
