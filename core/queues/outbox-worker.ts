import { createHash } from 'node:crypto'
import type { Knex } from 'knex'
import { type Alerts, logAlerts } from '../alerts.ts'
import { hours } from '../domain/clock.ts'
import { errorFacts, errorReason, isOutage } from '../error-facts.ts'
import type { Log } from '../log.ts'
import type { Metrics } from '../metrics.ts'
import { siblingDb } from '../store/db.ts'
import { listenTo } from '../store/queues/notify.ts'
import {
  beginStep,
  type ClosedJob,
  claimJob,
  countOutbox,
  dueJobs,
  failJob,
  finishJob,
  type Job,
  type Queue,
  readNote,
  retryJob,
  writeNote,
} from '../store/queues/outbox.ts'
import { type StoreDeps, type Tx, txOn } from '../store/tx.ts'
import { startDispatcher } from './dispatcher.ts'

export type JobContext = {
  /**
   * Call BEFORE an effect outside the database: notes durably that it is begun. 'again' means that an earlier try may have done it: look it up before
   * doing it once more. @throws when this process has lost its claim on the job; then nothing may be done outside.
   */
  step(name: string): Promise<'first' | 'again'>
  /** Writes something down for a later try (a provider's message id); sealed, durable at once. */
  note(name: string, value: string): Promise<void>
  noted(name: string): Promise<string | undefined>
}

type Apply = (tx: Tx) => Promise<void>
/** What came of a try; `apply` commits together with the job's new state. `reason` is a code, never a patient's words. */
export type Outcome =
  | { kind: 'done'; apply?: Apply }
  | { kind: 'retry'; after: number; reason: string; apply?: Apply }
  | { kind: 'failed'; reason: string; apply?: Apply }

/**
 * Jobs that leave no entry of their own in the audit log when they are done, and why not: every other one that wrote none in its transaction gets `job.done`
 * (issue 3: everything that Wardroom does).
 */
export const silentJobs: Readonly<Record<string, string>> = {
  'care.mark': 'a sign in the room of what has an entry already: the text, the tap, the reading',
  'bot.react': 'a sign on a command, whose own entry is command.run',
  'sms.check': 'asks the carrier; what it learns is text.status',
  'desk.devices': 'looks up what changed; a difference is device.change',
}

/** Must be safe to run twice. Throwing means: try again later with a growing back-off. */
export type JobHandler = (job: Job, ctx: JobContext) => Promise<Outcome>

/** What follows when a job is given up; commits together with that. It sees the job without its payload, which may be what cannot be opened. */
export type GivenUp = (tx: Tx, job: ClosedJob) => Promise<void>

export type OutboxOptions = {
  queue: Queue
  store: StoreDeps
  /** By kind; jobs of other kinds are left for a process that knows them. */
  handlers: Record<string, JobHandler>
  /** By kind: who is told that a job failed for good. */
  givenUp?: Record<string, GivenUp>
  log: Log
  alert?: Alerts
  metrics?: Metrics
  /** Jobs at the same time (4); each holds a connection while its handler runs. */
  concurrency?: number
  /** How often the table is looked at without having been notified (250). */
  pollMs?: number
  /** Faults before a job is given up (8), with a doubling back-off from 1 s to 5 min. */
  maxErrors?: number
  /** An absent peer is no fault: tries go on, at most a minute apart, until the job is this old (24 h). */
  outageLimitMs?: number
}

export type Outbox = {
  stop(): Promise<void>
  /** Resolves when nothing of a known kind is running or due. */
  idle(): Promise<void>
}

/** A Matrix transaction id that is the same at every try of a job's step: the homeserver answers the first try's event again. */
export const txnIdFor = (jobId: string, step: string): string =>
  `wr_${createHash('sha256').update(`${jobId}\0${step}`).digest('base64url').slice(0, 32)}`

/** The same transaction, and how many audit events were written through it. */
const countingAudits = (tx: Tx): { counted: Tx; entries(): number } => {
  let written = 0
  const counted: Tx = {
    ...tx,
    audit: event => {
      written++
      return tx.audit(event)
    },
    auditAll: events => {
      written += events.length
      return tx.auditAll(events)
    },
  }
  return { counted, entries: () => written }
}

const recordDone = (tx: Tx, job: ClosedJob): Promise<void> =>
  tx.audit({
    actor: { kind: 'service', id: `outbox.${job.queue}` },
    action: 'job.done',
    object: { kind: 'job', id: job.id },
    outcome: 'done',
    ...(job.patient ? { patient: job.patient } : {}),
    detail: { kind: job.kind },
  })

/**
 * Runs the jobs of one queue. A job is claimed by a row lock that is held while its handler runs, so that a killed process frees it at once; jobs of one lane
 * run in order, one at a time across all processes; a slow job delays no other lane.
 */
export const startOutbox = async (o: OutboxOptions): Promise<Outbox> => {
  const { queue, store, log } = o
  const concurrency = o.concurrency ?? 4
  const alert = o.alert ?? logAlerts(log)
  const kinds = Object.keys(o.handlers)
  const pool = siblingDb(store.db, concurrency)
  const lanes = new Map<string, string>()

  /** From half to one and a half times a doubling wait. */
  const backOff = (tries: number, longest: number) =>
    Math.min(longest, 1000 * 2 ** Math.min(tries, 20)) * (0.5 + (store.random.bytes(1)[0] ?? 0) / 256)

  const giveUp = async (tx: Tx, job: ClosedJob, reason: string): Promise<void> => {
    await failJob(tx, job, reason)
    await o.givenUp?.[job.kind]?.(tx, job)
  }

  const settle = async (sql: Knex.Transaction, job: ClosedJob, outcome: Outcome): Promise<void> => {
    const tx = txOn(store, sql)
    const { counted, entries } = countingAudits(tx)
    await outcome.apply?.(counted)
    if (outcome.kind === 'done') {
      if (entries() === 0 && !Object.hasOwn(silentJobs, job.kind)) await recordDone(tx, job)
      await finishJob(sql, job.id, tx.now)
    }
    if (outcome.kind === 'retry') await retryJob(sql, job.id, tx.now + outcome.after, outcome.reason, 0)
    if (outcome.kind === 'failed') await giveUp(tx, job, outcome.reason)
  }

  const thrown = async (sql: Knex.Transaction, job: ClosedJob, err: unknown): Promise<'retry' | 'failed'> => {
    const now = store.clock.now()
    const outage = isOutage(err)
    const over = outage ? now - job.createdAt > (o.outageLimitMs ?? hours(24)) : job.errors + 1 >= (o.maxErrors ?? 8)
    log.warn({ err: errorFacts(err), jobId: job.id, kind: job.kind, attempts: job.attempts }, 'a job broke down')
    if (over) await giveUp(txOn(store, sql), job, errorReason(err))
    else {
      const wait = outage ? backOff(job.attempts, 60_000) : backOff(job.errors, 300_000)
      await retryJob(sql, job.id, Math.round(now + wait), errorReason(err), outage ? 0 : 1)
    }
    return over ? 'failed' : 'retry'
  }

  const context = (sql: Knex.Transaction, id: string): JobContext => ({
    step: async name => {
      await sql.raw('select 1') // fails when the connection that holds the claim is gone
      return beginStep(store, id, name)
    },
    note: (name, value) => writeNote(store, id, name, value),
    noted: name => readNote(store, id, name),
  })

  const attempt = async (sql: Knex.Transaction, job: ClosedJob): Promise<Outcome['kind']> => {
    try {
      const handler = o.handlers[job.kind]
      if (!handler) throw new Error(`no handler for ${job.kind}`)
      const outcome = await handler(await job.open(), context(sql, job.id))
      await sql.transaction(savepoint => settle(savepoint, job, outcome))
      return outcome.kind
    } catch (err) {
      return thrown(sql, job, err)
    }
  }

  const claimAndRun = async (id: string): Promise<boolean> => {
    const sql = await pool.transaction()
    let job: ClosedJob | undefined
    try {
      job = await claimJob(store, sql, id)
      if (!job) {
        await sql.rollback()
        return false
      }
      const result = await attempt(sql, job)
      await sql.commit()
      o.metrics?.count('wardroom_outbox_jobs_total', { queue, result })
      if (result === 'failed') alert({ code: 'job.failed', ref: job.id, sentence: `a job was given up: ${job.kind}` })
      return true
    } catch (err) {
      await sql.rollback().catch(() => undefined) // the connection may be gone, and the claim with it
      log.warn({ err: errorFacts(err), jobId: id }, 'a job was given back; it is tried again')
      const faulty = job
      if (faulty && !isOutage(err)) await store.db.transaction(tx => thrown(tx, faulty, err))
      return false
    }
  }

  const run = (id: string): Promise<boolean> => claimAndRun(id).finally(() => lanes.delete(id))

  const find = async (busy: readonly string[], limit: number) => {
    const jobs = await dueJobs(store, queue, kinds, { ids: busy, lanes: [...lanes.values()] }, limit)
    for (const { id, lane } of jobs) if (lane !== null) lanes.set(id, lane)
    return jobs.map(j => ({ key: j.id }))
  }

  const dispatcher = startDispatcher({ concurrency, pollMs: o.pollMs, find, run, log })
  const listening = await listenTo(
    store.db,
    'outbox',
    heard => (heard === queue || heard === '') && dispatcher.poke(),
    log,
  )
  return {
    idle: async () => {
      while (dispatcher.running() > 0 || (await countOutbox(store, queue, kinds)).due > 0)
        await new Promise(done => setTimeout(done, 10))
    },
    stop: async () => {
      await listening.stop()
      await dispatcher.stop()
      await pool.destroy()
    },
  }
}
