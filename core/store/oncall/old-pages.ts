import type { Instant } from '../../domain/clock.ts'
import type { Tx } from '../tx.ts'

/** Pages that somebody took and to which nothing has happened since then, the oldest first: their ids, locked until the end of the transaction. Those that others have are left out. */
export const lockQuietPages = async (tx: Tx, until: Instant, limit: number): Promise<string[]> => {
  const { rows } = await tx.sql.raw(
    `select id from page where closed_at is null and phase = 'accepted' and changed_at <= ?
     order by changed_at limit ? for update skip locked`,
    [until, limit],
  )
  return (rows as { id: string }[]).map(r => r.id)
}

/** Forgets the words of pages that ended before `until` and what went wrong with their contacts, and closes those that nobody took; how many pages. */
export const forgetPages = async (tx: Tx, until: Instant, limit: number): Promise<number> => {
  const { rows } = await tx.sql.raw(
    `with old as (
       select id from page where content is not null and changed_at <= ? and (closed_at is not null or phase = 'exhausted')
       order by changed_at limit ? for update skip locked)
     update page p set content = null, next_due = null, closed_at = coalesce(p.closed_at, ?) from old where p.id = old.id returning p.id`,
    [until, limit, tx.now],
  )
  const ids = (rows as { id: string }[]).map(r => r.id)
  if (ids.length > 0) await tx.sql('page_contact').whereIn('page_id', ids).whereNotNull('error').update({ error: null })
  return ids.length
}

/** Forgets what was answered to alarms before `until`; how many. */
export const forgetAlarms = async (tx: Tx, until: Instant, limit: number): Promise<number> => {
  const { rows } = await tx.sql.raw(
    `with old as (select source_id, key from alarm where at <= ? order by at limit ? for update skip locked)
     delete from alarm a using old where a.source_id = old.source_id and a.key = old.key returning a.at`,
    [until, limit],
  )
  return rows.length
}
