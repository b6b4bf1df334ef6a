import type { Knex } from 'knex'
import type { Db } from '../db.ts'

/** Where records are (row 52): of each homeserver whose people wrote in rooms here, or that was asked to remove something. */
export type Whereabouts = {
  server: string
  /** Rooms in which its people wrote; every message of such a room is on that homeserver too. */
  rooms: number
  /** Messages of these rooms that are still here. */
  messages: number
  /** Removals that it was asked for, and of these those that it has taken. */
  asked: number
  taken: number
}

/** By name of the homeserver, our own included. */
export const whereabouts = async (sql: Db | Knex.Transaction): Promise<Whereabouts[]> => {
  const { rows } = await sql.raw(
    `with wrote as (select distinct substr(sender, strpos(sender, ':') + 1) as server, room_id from record_group),
     there as (
       select g.room_id, count(*) as n from record r join record_group g on g.id = r.group_id where r.destroyed_at is null group by g.room_id
     ),
     kept as (
       select w.server, count(*) as rooms, coalesce(sum(t.n), 0) as messages from wrote w left join there t using (room_id) group by w.server
     ),
     sent as (
       select server, count(*) filter (where state <> 'unasked') as asked, count(*) filter (where state = 'reached') as taken
       from record_server group by server
     )
     select server, coalesce(rooms, 0)::int as rooms, coalesce(messages, 0)::int as messages, coalesce(asked, 0)::int as asked, coalesce(taken, 0)::int as taken
     from kept full join sent using (server) order by server limit 100`,
  )
  return rows
}
