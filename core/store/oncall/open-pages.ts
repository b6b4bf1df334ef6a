import type { Knex } from 'knex'
import type { Instant } from '../../domain/clock.ts'
import type { Page } from '../../domain/oncall/paging/page.ts'
import type { Priority } from '../../domain/oncall/paging/priority.ts'
import type { Db } from '../db.ts'

type Sql = Db | Knex.Transaction

/** `target` as the policy writes it (`role cardiology`, `user @ann:…`). */
export type OpenPageState = { page: Page; target: string; createdAt: Instant }

/** The pages that are not over, and how many there are in all: those that nobody has first, of them the most urgent, of those the oldest. */
export const openPageStates = async (sql: Sql, limit: number): Promise<{ pages: OpenPageState[]; total: number }> => {
  const open = () => sql('page').whereNull('closed_at')
  const rows: { state: Page; target: string; created_at: Instant }[] = await open()
    .orderByRaw(`phase = 'accepted', array_position(array['stat','urgent','routine'], priority), created_at`)
    .limit(limit)
    .select('state', 'target', 'created_at')
  const total = rows.length < limit ? rows.length : Number((await open().count({ n: '*' }))[0]?.n)
  return { pages: rows.map(r => ({ page: r.state, target: r.target, createdAt: r.created_at })), total }
}

/** Times in ms, null where nobody took a page. */
export type ResponseTimes = {
  target: string | null
  priority: Priority
  pages: number
  accepted: number
  untaken: number
  median: number | null
  p90: number | null
  p99: number | null
}

/**
 * How long it took until as many as a page asked for had taken it, of the pages made since an instant, by role and priority; pages to people together (`target` null).
 * `untaken`: called out to the fallback, or over, and not taken.
 */
export const responseTimes = async (sql: Sql, since: Instant): Promise<ResponseTimes[]> => {
  const { rows } = await sql.raw(
    `select case when target like 'role %' then substr(target, 6) end as target, priority, count(*)::int as pages, count(took)::int as accepted,
       (count(*) filter (where took is null and (closed_at is not null or phase = 'exhausted')))::int as untaken,
       percentile_disc(0.5) within group (order by took)::float8 as median,
       percentile_disc(0.9) within group (order by took)::float8 as p90,
       percentile_disc(0.99) within group (order by took)::float8 as p99
     from (
       select p.target, p.priority, p.phase, p.closed_at, (
         select greatest(n.at - p.created_at, 0) from page_news n
         where n.page_id = p.id and n.what->'news'->>'kind' = 'accepted' and (n.what->'news'->>'have')::int >= (n.what->'news'->>'need')::int
         order by n.id limit 1) as took
       from page p where p.created_at >= ?) t
     group by 1, 2 order by 1 nulls last, array_position(array['stat','urgent','routine'], priority)`,
    [since],
  )
  return rows
}
