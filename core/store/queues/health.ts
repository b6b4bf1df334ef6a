import type { Knex } from 'knex'
import type { Instant } from '../../domain/clock.ts'
import type { Db } from '../db.ts'

export type Queue = { name: string; waiting: number; oldestDue: Instant | null; givenUp: number }
export type Leader = { name: string; holder: string; aliveForMs: number }
export type Health = { queues: Queue[]; leaders: Leader[]; texts: Record<string, number>; schema: string }

type Sql = Db | Knex.Transaction

/** What the database knows of the services: how much waits in each queue, who leads what, how a day's texts went. */
export const systemHealth = async (sql: Sql, now: Instant): Promise<Health> => {
  const queues = await sql.raw(
    `select 'inbox ' || source as name, count(*) filter (where state in ('pending','parked'))::int as waiting,
            min(received_at) filter (where state = 'pending') as oldest, count(*) filter (where state = 'dead')::int as given_up
     from inbox where state <> 'done' group by source
     union all
     select 'outbox ' || queue, count(*) filter (where state = 'pending')::int,
            min(due_at) filter (where state = 'pending' and due_at <= ?), count(*) filter (where state = 'failed')::int
     from outbox where state <> 'done' group by queue order by 1`,
    [now],
  )
  const leaders = await sql.raw(
    `select name, holder, expires_at - (extract(epoch from clock_timestamp()) * 1000)::bigint as left_ms from lease order by name`,
  )
  const texts: { state: string; n: string }[] = await sql('text_message')
    .where('created_at', '>', now - 86_400_000)
    .groupBy('state')
    .select('state')
    .count('* as n')
  const last = await sql('migration').orderBy('name', 'desc').first('name')
  return {
    queues: queues.rows.map((r: Record<string, unknown>) => ({
      name: r.name,
      waiting: r.waiting,
      oldestDue: r.oldest,
      givenUp: r.given_up,
    })),
    leaders: leaders.rows.map((r: Record<string, unknown>) => ({
      name: r.name,
      holder: r.holder,
      aliveForMs: Number(r.left_ms),
    })),
    texts: Object.fromEntries(texts.map(t => [t.state, Number(t.n)])),
    schema: last?.name ?? 'none',
  }
}
