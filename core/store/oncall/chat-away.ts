import type { Knex } from 'knex'
import type { Instant } from '../../domain/clock.ts'
import type { Page } from '../../domain/oncall/paging/page.ts'
import type { Db } from '../db.ts'
import type { Tx } from '../tx.ts'

type Sql = Db | Knex.Transaction

/** Is the homeserver known to be away? */
export const isChatAway = async (sql: Sql): Promise<boolean> =>
  (await sql('chat_away').whereNull('until_at').first('id')) !== undefined

/** False when it is known already. */
export const noteChatAway = async (tx: Tx, from: Instant): Promise<boolean> => {
  const { rows } = await tx.sql.raw(
    'insert into chat_away (from_at) values (?) on conflict ((true)) where until_at is null do nothing returning id',
    [from],
  )
  return rows.length > 0
}

/** It is back: since when it was away; undefined when that was noted by another. */
export const noteChatBack = async (tx: Tx): Promise<{ id: number; from: Instant } | undefined> => {
  const [row] = await tx
    .sql('chat_away')
    .whereNull('until_at')
    .update({ until_at: tx.now })
    .returning(['id', 'from_at'])
  return row && { id: Number(row.id), from: row.from_at }
}

/**
 * Cards that cannot do their work while chat is away and of which their pages do not know it yet: those that have not gone out, and those that nobody has answered
 * and that another way would follow.
 */
export const uselessCards = async (sql: Sql, limit: number): Promise<{ page: string; key: string }[]> => {
  const { rows } = await sql.raw(
    `select page_id as page, key, at from page_contact where way = 'matrix' and state = 'queued' and error is null
     union all
     select c.page_id, c.key, c.at from page p join page_contact c on c.page_id = p.id and c.way = 'matrix' and c.state = 'sent' and c.error is null
     where p.next_due is not null and exists (
       select 1 from jsonb_array_elements(p.state->'asked') a
       where a->>'state' = 'asked' and jsonb_exists(a->'ladder'->'sent', c.key)
         and a->'ladder'->>'dueAt' is not null and a->'ladder'->'held' = 'false'
     )
     order by at limit ?`,
    [limit],
  )
  return rows
}

export type Meanwhile = { id: string; target: string; page: Page; people: readonly string[] }

/** Pages to which something happened since then, and whom each called, the oldest first. */
export const pagesSince = async (sql: Sql, since: Instant, limit: number): Promise<Meanwhile[]> => {
  const { rows } = await sql.raw(
    `select p.id, p.target, p.state as page, coalesce((select array_agg(distinct c.person) from page_contact c where c.page_id = p.id and c.at >= ?), '{}') as people
     from page p where p.changed_at >= ? order by p.created_at limit ?`,
    [since, since, limit],
  )
  return rows
}
