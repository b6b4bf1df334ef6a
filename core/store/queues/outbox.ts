import type { Knex } from 'knex'
import type { Instant } from '../../domain/clock.ts'
import type { NewJob, StoreDeps, Tx } from '../tx.ts'

export type Queue = NewJob['queue']

/** A claimed job. `attempts` counts the finished tries before this one. */
export type Job = {
  id: string
  queue: Queue
  kind: string
  payload: unknown
  attempts: number
  lane: string | undefined
  patient: string | undefined
  due: Instant
  createdAt: Instant
}

/** A job as far as it can be told without opening its seal. */
export type ClosedJob = Omit<Job, 'payload'> & { errors: number; open(): Promise<Job> }

type Row = {
  id: string
  queue: Queue
  kind: string
  lane: string | null
  payload: string
  patient_id: string | null
  order_at: Instant
  attempts: number
  errors: number
  created_at: Instant
  got: boolean
}

export type DueJob = { id: string; lane: string | null }

/** Due jobs of the kinds that this process knows, oldest first: of each lane its first job alone, so that a lane that waits hides no other; without the lanes and jobs of `busy`. */
export const dueJobs = async (
  deps: StoreDeps,
  queue: Queue,
  kinds: readonly string[],
  busy: { ids: readonly string[]; lanes: readonly string[] },
  limit: number,
): Promise<DueJob[]> => {
  const { rows } = await deps.db.raw(
    `select id, lane from (
       select distinct on (coalesce(lane, id)) id, lane, due_at, seq from (
         select id, lane, order_at, due_at, seq from outbox j
         where queue = ? and state = 'pending' and due_at <= ? and kind = any(?::text[]) and id <> all(?::text[])
           and (lane is null or lane <> all(?::text[]) and not exists (
             select 1 from outbox k where k.queue = j.queue and k.lane = j.lane and k.state = 'pending'
               and (k.order_at, k.seq) < (j.order_at, j.seq)))
         order by due_at limit 200) oldest
       order by coalesce(lane, id), order_at, seq) firsts
     order by due_at, seq limit ?`,
    [queue, deps.clock.now(), [...kinds], [...busy.ids], [...busy.lanes], limit],
  )
  return rows
}

/**
 * Takes a job and its lane for this transaction; undefined when another process has either, an earlier one of its lane is not done, or it is done. The row lock leaves key columns free,
 * so that the job's steps can be written on another connection.
 */
export const claimJob = async (deps: StoreDeps, sql: Knex.Transaction, id: string): Promise<ClosedJob | undefined> => {
  const { rows } = await sql.raw(
    `select c.*, c.lane is null or pg_try_advisory_xact_lock(hashtextextended('outbox ' || c.queue || ' ' || c.lane, 2)) as got
     from (select id, queue, kind, lane, payload, patient_id, order_at, attempts, errors, created_at from outbox j
           where id = ? and state = 'pending' and due_at <= ? and (lane is null or not exists (
             select 1 from outbox k where k.queue = j.queue and k.lane = j.lane and k.state = 'pending'
               and (k.order_at, k.seq) < (j.order_at, j.seq)))
           for no key update skip locked) c`,
    [id, deps.clock.now()],
  )
  const r = rows[0] as Row | undefined
  if (!r?.got) return undefined
  const known = {
    id: r.id,
    queue: r.queue,
    kind: r.kind,
    attempts: r.attempts,
    lane: r.lane ?? undefined,
    patient: r.patient_id ?? undefined,
    due: r.order_at,
    createdAt: r.created_at,
  }
  const open = async () => ({
    ...known,
    payload: JSON.parse(await deps.seal.open('outbox.payload', r.payload)) as unknown,
  })
  return { ...known, errors: r.errors, open }
}

/** Done: what it carried is forgotten at once, its key is remembered. */
export const finishJob = async (sql: Knex.Transaction, id: string, now: Instant): Promise<void> => {
  await sql.raw(
    `update outbox set state = 'done', done_at = ?, payload = '', attempts = attempts + 1, last_error = null where id = ?`,
    [now, id],
  )
  await sql.raw('delete from outbox_step where outbox_id = ?', [id])
}

/** Keeps its place in the lane and tries again at `due`. */
export const retryJob = async (
  sql: Knex.Transaction,
  id: string,
  due: Instant,
  reason: string,
  errors: 0 | 1,
): Promise<void> => {
  await sql.raw(
    'update outbox set attempts = attempts + 1, errors = errors + ?, due_at = ?, last_error = ? where id = ?',
    [errors, due, reason, id],
  )
}

/** Given up, visibly: audit event `job.failed`. Its payload stays, sealed, for the operator until the sweep. */
export const failJob = async (tx: Tx, job: ClosedJob, reason: string): Promise<void> => {
  await tx.sql.raw(
    `update outbox set state = 'failed', done_at = ?, attempts = attempts + 1, last_error = ? where id = ?`,
    [tx.now, reason, job.id],
  )
  await tx.audit({
    actor: { kind: 'service', id: `outbox.${job.queue}` },
    action: 'job.failed',
    object: { kind: 'job', id: job.id },
    outcome: 'failed',
    patient: job.patient,
    reason,
    detail: { kind: job.kind, attempts: job.attempts + 1 },
  })
}

/** Notes, durably and at once, that a step is begun: 'again' when an earlier try has begun it. */
export const beginStep = async (deps: StoreDeps, jobId: string, name: string): Promise<'first' | 'again'> => {
  const { rowCount } = await deps.db.raw(
    'insert into outbox_step (outbox_id, name, at) values (?, ?, ?) on conflict do nothing',
    [jobId, name, deps.clock.now()],
  )
  return rowCount === 1 ? 'first' : 'again'
}

const noteContext = 'outbox_step.value'

/** Writes a value down for the job's next try, sealed. */
export const writeNote = async (deps: StoreDeps, jobId: string, name: string, value: string): Promise<void> => {
  const sealed = await deps.seal.close(noteContext, value)
  await deps.db.raw(
    `insert into outbox_step (outbox_id, name, at, value) values (?, ?, ?, ?)
     on conflict (outbox_id, name) do update set value = excluded.value, at = excluded.at`,
    [jobId, `note:${name}`, deps.clock.now(), sealed],
  )
}

export const readNote = async (deps: StoreDeps, jobId: string, name: string): Promise<string | undefined> => {
  const row = await deps
    .db('outbox_step')
    .where({ outbox_id: jobId, name: `note:${name}` })
    .first('value')
  return row?.value ? deps.seal.open(noteContext, row.value) : undefined
}

export type OutboxCounts = { pending: number; due: number; failed: number }

export const countOutbox = async (
  deps: StoreDeps,
  queue: Queue,
  kinds: readonly string[] | null = null,
): Promise<OutboxCounts> => {
  const { rows } = await deps.db.raw(
    `select count(*) filter (where state = 'pending')::int as pending,
            count(*) filter (where state = 'pending' and due_at <= ?)::int as due, count(*) filter (where state = 'failed')::int as failed
     from outbox where queue = ? and state <> 'done' and (?::text[] is null or kind = any(?::text[]))`,
    [deps.clock.now(), queue, kinds && [...kinds], kinds && [...kinds]],
  )
  return rows[0]
}

/** Is something that the bot says about this patient (the answer to a command) still on its way? */
export const hasUnsaid = async (deps: StoreDeps, patient: string): Promise<boolean> =>
  (await deps
    .db('outbox')
    .where({ queue: 'bots', state: 'pending', kind: 'bot.say', patient_id: patient })
    .first('id')) !== undefined

/** The outbox's own retention: deletes what was finished longer than `keepMs` ago. Keep longer than a promise's key could come again. */
export const sweepOutbox = async (deps: StoreDeps, keepMs: number): Promise<number> =>
  deps
    .db('outbox')
    .where('done_at', '<', deps.clock.now() - keepMs)
    .delete()
