import type { Page } from '../../domain/oncall/paging/page.ts'
import { nextDue, shift } from '../../domain/oncall/paging/timeline.ts'
import type { Tx } from '../tx.ts'

/** What a machine's two clocks read, ms; `monotonic` runs since the machine started and is never set. `host`: one boot of one machine. */
export type ClockReading = { host: string; wall: number; monotonic: number }

/** An older note tells nothing of a step: the clocks drift apart by themselves. */
const staleMs = 600_000
const noteEveryMs = 30_000
const toleranceMs = 1000

/** What one transaction left alone is found by a later one; a host whose clock is a little ahead is not corrected. */
const skewMs = 5000

/**
 * Jobs and events that came in just before the clock went back would wait until it is there once more: they are due as long after now as they were after they
 * came in. What somebody has in hand is left alone: that work may wait for a page, and all pages are locked here; should it be killed, the next look finds it.
 */
const fetchFromAhead = async (tx: Tx, wall: number, skew: number): Promise<void> => {
  await tx.sql.raw(
    `with ahead as (
       select id from outbox where state = 'pending' and created_at > ? and due_at < created_at + 600000 for update skip locked
     )
     update outbox o set due_at = due_at - (created_at - ?), order_at = order_at - (created_at - ?), created_at = ? from ahead where o.id = ahead.id`,
    [wall + skew, wall, wall, wall],
  )
  await tx.sql.raw(
    `with ahead as (select id from inbox where state in ('pending', 'parked') and received_at > ? for update skip locked)
     update inbox i set due_at = due_at - (received_at - ?), park_until = park_until - (received_at - ?), received_at = ?
     from ahead where i.id = ahead.id`,
    [wall + skew, wall, wall, wall],
  )
}

/**
 * Takes a step of this machine's wall clock out of every open page, once whatever number of processes see it: what was to happen in five minutes happens in
 * five minutes; the ends of old pages, and the jobs and events of all queues where the clock went back. Returns the step in ms, 0 for none.
 */
export const settleClock = async (tx: Tx, { host, wall, monotonic }: ClockReading): Promise<number> => {
  const ahead = Math.round(wall - monotonic)
  const row = { host, ahead, monotonic: Math.round(monotonic) }
  await tx.sql('page_clock').insert(row).onConflict('host').ignore()
  const known = await tx.sql('page_clock').where({ host }).forUpdate().first()
  const age = monotonic - known.monotonic
  const step = ahead - known.ahead
  // A process that read its clocks before another one noted the step says nothing of now.
  if (age < 0) return 0
  const stepped = Math.abs(step) >= toleranceMs && age < staleMs
  await fetchFromAhead(tx, Math.round(wall), stepped && step < 0 ? 0 : skewMs)
  if (!stepped && age < noteEveryMs) return 0
  await tx.sql('page_clock').where({ host }).update(row)
  if (!stepped) return 0
  const pages: { state: Page }[] = await tx
    .sql('page')
    .whereNotNull('next_due')
    .orderBy('id')
    .forUpdate()
    .select('state')
  for (let i = 0; i < pages.length; i += 1000) {
    const moved = pages.slice(i, i + 1000).map(({ state }) => {
      const page = shift(state, step)
      return { id: page.id, state: page, next_due: nextDue(page), looked_at: page.at }
    })
    await tx.sql.raw(
      `update page set state = m.state, next_due = m.next_due, looked_at = m.looked_at
       from jsonb_to_recordset(?::jsonb) as m (id text, state jsonb, next_due bigint, looked_at bigint) where page.id = m.id`,
      [JSON.stringify(moved)],
    )
  }
  // Their ends (closed, words forgotten) come after the time that passed, not after what the clock shows.
  await tx.sql.raw('update page set changed_at = changed_at + ? where content is not null', [step])
  await tx.audit({
    actor: { kind: 'service', id: 'pages' },
    action: 'page.clock',
    object: { kind: 'service', id: 'pages' },
    outcome: 'done',
    detail: { step, pages: pages.length },
  })
  return step
}
