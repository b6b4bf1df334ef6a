import type { Knex } from 'knex'
import type { AuditEvent } from '../../../domain/audit/event.ts'
import type { QueuedEvent } from '../../../domain/audit/leaf.ts'
import type { Db } from '../../db.ts'

type Row = {
  id: number
  at: number
  action: AuditEvent['action']
  outcome: AuditEvent['outcome']
  actor: AuditEvent['actor']
  object: AuditEvent['object']
  patient: string | null
  room: string | null
  origin: AuditEvent['origin'] | null
  reason: string | null
  detail: AuditEvent['detail'] | null
}

const asEvent = (r: Row): QueuedEvent => ({
  id: r.id,
  at: r.at,
  action: r.action,
  outcome: r.outcome,
  actor: r.actor,
  object: r.object,
  patient: r.patient ?? undefined,
  room: r.room ?? undefined,
  origin: r.origin ?? undefined,
  reason: r.reason ?? undefined,
  detail: r.detail ?? undefined,
})

/** Takes committed events off the queue, in the order of their ids. */
export const takeQueued = async (sql: Knex.Transaction, limit: number): Promise<QueuedEvent[]> => {
  const { rows } = await sql.raw<{ rows: Row[] }>(
    `with taken as (delete from audit_queue where id = any(array(select id from audit_queue order by id limit ?)) returning *)
     select * from taken order by id`,
    [limit],
  )
  return rows.map(asEvent)
}

/** Whether anything waits to be sequenced. By the index, which remembers the rows that are gone; the table would be read through them all. */
export const isQueued = async (db: Db): Promise<boolean> => {
  const { rows } = await db.raw<{ rows: unknown[] }>('select 1 from audit_queue order by id limit 1')
  return rows.length > 0
}

/** How many events wait, and since when the first one does (null: none). */
export const queueState = async (db: Db): Promise<{ waiting: number; since: number | null }> => {
  const row = await db('audit_queue').count({ n: '*' }).min({ at: 'at' }).first()
  return { waiting: Number(row?.n ?? 0), since: row?.at === null ? null : Number(row?.at) }
}
