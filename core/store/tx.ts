import type { Knex } from 'knex'
import { boundedEvent } from '../domain/audit/bounds.ts'
import type { AuditEvent } from '../domain/audit/event.ts'
import type { Clock, Instant, Random } from '../domain/clock.ts'
import { newId } from '../domain/ids.ts'
import type { Seal } from '../seal.ts'
import type { Db } from './db.ts'

/** What every store function and worker needs. */
export type StoreDeps = { db: Db; clock: Clock; random: Random; seal: Seal }

/** Work that leaves the process after the commit: an SMS, a Matrix send, a timer. */
export type NewJob = {
  /** Which service takes it: one worker per queue. */
  queue: 'bridge' | 'bots' | 'sms' | 'audit' | 'pages' | 'roles'
  kind: string
  /** Sealed at rest, so it may hold patient text. */
  payload: unknown
  /** Jobs of one lane run one after the other, in order of their due time. */
  lane?: string
  /** A second job with the same key is not added: the stable id of a promise. */
  key?: string
  due?: Instant
  patient?: string
}

/**
 * One database transaction: a state change, its audit events and its outgoing work commit together or not at all.
 * `sql` for core/store only.
 */
export type Tx = {
  readonly sql: Knex.Transaction
  readonly now: Instant
  readonly deps: StoreDeps
  audit(event: Omit<AuditEvent, 'at'>): Promise<void>
  /** Many at once, in their order; returns their ids, which their entries in the log carry. */
  auditAll(events: readonly Omit<AuditEvent, 'at'>[]): Promise<number[]>
  /** The job's id, or the existing job's when `key` is known already. */
  enqueue(job: NewJob): Promise<string>
  /** Many at once, in their order; those whose key is known are not added. */
  enqueueAll(jobs: readonly NewJob[]): Promise<void>
}

const json = (value: unknown) => (value === undefined ? null : JSON.stringify(value))

/** By far the most: written without what makes a statement for many slow to plan, and by roles that may write the log and not read it (the keeper's). */
const insertAudit = async (sql: Knex.Transaction, e: AuditEvent, returning = ''): Promise<number[]> => {
  const { rows } = await sql.raw<{ rows: { id: number }[] }>(
    `insert into audit_queue (at, action, outcome, actor, object, patient, room, origin, reason, detail) values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)${returning}`,
    [
      ...[e.at, e.action, e.outcome, json(e.actor), json(e.object), e.patient ?? null, e.room ?? null],
      ...[json(e.origin), e.reason ?? null, json(e.detail)],
    ],
  )
  return rows.map(r => Number(r.id))
}

/** One statement, however many there are: the log must not slow down what it records. */
const insertAudits = async (sql: Knex.Transaction, events: readonly AuditEvent[]): Promise<number[]> => {
  const [only, second] = events
  if (!only) return []
  if (!second) return insertAudit(sql, only, ' returning id')
  const { rows } = await sql.raw<{ rows: { id: number }[] }>(
    `insert into audit_queue (at, action, outcome, actor, object, patient, room, origin, reason, detail)
     select * from jsonb_to_recordset(?::jsonb) as e (at bigint, action text, outcome text, actor jsonb, object jsonb, patient text, room text, origin jsonb,
       reason text, detail jsonb) returning id`,
    [JSON.stringify(events)],
  )
  return rows.map(r => Number(r.id))
}

const jobRow = async (deps: StoreDeps, now: Instant, job: NewJob) => ({
  id: newId<string>('jb', deps.random),
  queue: job.queue,
  kind: job.kind,
  lane: job.lane ?? null,
  key: job.key ?? null,
  payload: await deps.seal.close('outbox.payload', JSON.stringify(job.payload ?? null)),
  order_at: job.due ?? now,
  due_at: job.due ?? now,
  created_at: now,
  patient_id: job.patient ?? null,
})

const insertJob = async (sql: Knex.Transaction, deps: StoreDeps, now: Instant, job: NewJob): Promise<string> => {
  const row = await jobRow(deps, now, job)
  const inserted = await sql('outbox').insert(row).onConflict('key').ignore().returning('id')
  await sql.raw(`select pg_notify('outbox', ?)`, [job.queue])
  if (inserted.length > 0 || !job.key) return row.id
  const existing = await sql('outbox').where({ key: job.key }).first('id')
  return existing.id
}

const insertJobs = async (sql: Knex.Transaction, deps: StoreDeps, now: Instant, jobs: readonly NewJob[]) => {
  if (jobs.length === 0) return
  const rows = await Promise.all(jobs.map(job => jobRow(deps, now, job)))
  await sql('outbox').insert(rows).onConflict('key').ignore()
  await sql.raw(`select pg_notify('outbox', q) from unnest(?::text[]) q`, [[...new Set(jobs.map(j => j.queue))]])
}

/** What a worker hands to an effect on the transaction that it holds open. */
export const txOn = (deps: StoreDeps, sql: Knex.Transaction): Tx => {
  const now = deps.clock.now()
  return {
    sql,
    now,
    deps,
    audit: async event => {
      await insertAudit(sql, boundedEvent({ ...event, at: now }))
    },
    auditAll: events =>
      insertAudits(
        sql,
        events.map(event => boundedEvent({ ...event, at: now })),
      ),
    enqueue: job => insertJob(sql, deps, now, job),
    enqueueAll: jobs => insertJobs(sql, deps, now, jobs),
  }
}

/** Runs `work` in one transaction; throws what it throws, after rolling back. A refusal returned by `work` does not roll back: its audit row stays. */
export const transact = <T>(deps: StoreDeps, work: (tx: Tx) => Promise<T>): Promise<T> =>
  deps.db.transaction(sql => work(txOn(deps, sql)))
