import { createHash } from 'node:crypto'
import type { RecordClass } from '../../domain/records/facts.ts'
import type { StoreDeps, Tx } from '../tx.ts'
import { type Due, dueRecords, type Only } from './fates.ts'
import { holdLock } from './holds.ts'

/**
 * Decides once more, in this transaction, what of `due` is still to go, and commits the point of no return for it: from then on no hold and no policy brings it
 * back, and it must be destroyed. No hold can be placed between the decision and its commit. Returns what was decided, also what is only to
 * be hidden; the rest stays.
 */
export const passPointOfNoReturn = async (
  tx: Tx,
  run: string,
  { limit, ...only }: Only & { limit: number },
): Promise<Due[]> => {
  await tx.sql.raw('select pg_advisory_xact_lock(?)', [holdLock])
  const due = await dueRecords(tx.sql, tx.now, { limit, ...only })
  const goes = due.filter(d => d.fate === 'destroy')
  if (goes.length > 0)
    await tx.sql.raw(
      `update record r set doomed_at = ?, run_id = ?, rule = e.rule::jsonb
       from unnest(?::text[], ?::text[]) as e(event_id, rule) where r.event_id = e.event_id and r.doomed_at is null`,
      [tx.now, run, goes.map(d => d.event), goes.map(d => JSON.stringify(d.rule))] as never,
    )
  return due
}

export type Doomed = { event: string; room: string; session: string | null; rule: Due['rule']; run: string }

/** What has passed the point of no return and is not destroyed yet, oldest first: also what a killed process left. */
export const doomedRecords = async (
  { db }: Pick<StoreDeps, 'db'>,
  { classes, limit }: { classes: readonly RecordClass[]; limit: number },
): Promise<Doomed[]> =>
  (
    await db('record')
      .whereNotNull('doomed_at')
      .whereNull('destroyed_at')
      .whereIn('class', [...classes])
      .orderBy(['doomed_at', 'event_id'])
      .limit(limit)
      .select('event_id', 'room_id', 'session_id', 'rule', 'run_id')
  ).map(r => ({ event: r.event_id, room: r.room_id, session: r.session_id, rule: r.rule, run: r.run_id }))

/**
 * Notes that events are destroyed at the homeserver, and destroys what Wardroom itself still has of them: the inbox's copy. Each has its entry in the audit
 * log; the run's certificate counts them.
 */
export const noteDestroyed = async (
  tx: Tx,
  events: readonly (Doomed & { redacted: boolean; found: boolean })[],
): Promise<void> => {
  const ids = events.map(e => e.event)
  await tx.sql('record').whereIn('event_id', ids).update({ destroyed_at: tx.now, session_id: null })
  await tx.sql('inbox').whereIn('event_id', ids).whereIn('state', ['done', 'dead']).delete()
  await tx.sql('record_copy').whereIn('event_id', ids).delete()
  await tx.auditAll(
    events.map(e => ({
      actor: { kind: 'service', id: 'records' },
      action: 'record.destroy',
      object: { kind: 'event', id: e.event },
      outcome: 'done',
      room: e.room,
      reason: e.rule.kind,
      detail: { run: e.run, policy: e.rule.id, redacted: e.redacted, was_there: e.found },
    })),
  )
}

/** The rooms' sessions of which nothing living is left: their keys decrypt nothing any more. */
export const deadSessions = async (
  { db }: Pick<StoreDeps, 'db'>,
  sessions: readonly { room: string; session: string }[],
): Promise<{ room: string; session: string }[]> => {
  const { rows } = await db.raw(
    `select s.room, s.session from unnest(?::text[], ?::text[]) as s(room, session)
     where not exists (
       select 1 from record r where r.room_id = s.room and r.session_id = s.session and r.destroyed_at is null and r.doomed_at is null
     )`,
    [sessions.map(s => s.room), sessions.map(s => s.session)] as never,
  )
  return rows
}

/**
 * A deletion run's certificate (row 50), once everything of it is gone: rule, policies with who approved them, how many, and a digest of the events' ids, which
 * the entries of the run prove one by one.
 */
export const certify = async (tx: Tx, run: string): Promise<boolean> => {
  const left = await tx.sql('record').where({ run_id: run }).whereNull('destroyed_at').first('event_id')
  if (left) return false
  const rows: { event_id: string; rule: Due['rule'] }[] = await tx
    .sql('record')
    .where({ run_id: run })
    .orderByRaw('event_id collate "C"')
    .select('event_id', 'rule')
  if (rows.length === 0) return false
  const digest = createHash('sha256')
  for (const { event_id } of rows) digest.update(`${event_id}\n`)
  const policies = [...new Set(rows.flatMap(r => r.rule.id ?? []))].sort()
  const approvers = await tx
    .sql('retention_policy')
    .whereIn('id', policies)
    .whereNotNull('approved_by')
    .pluck('approved_by')
  await tx.audit({
    actor: { kind: 'service', id: 'records' },
    action: 'record.certificate',
    object: { kind: 'policy', id: run },
    outcome: 'done',
    detail: {
      count: rows.length,
      by_window: rows.filter(r => r.rule.kind === 'window').length,
      by_recall: rows.filter(r => r.rule.kind === 'recall').length,
      by_removal: rows.filter(r => r.rule.kind === 'removed').length,
      policies: policies.slice(0, 5).join(' '),
      approved_by: [...new Set(approvers)].slice(0, 5).join(' '),
      sha256: digest.digest('hex'),
    },
  })
  return true
}

/** What is recalled and still there, or was decided and not yet destroyed: it does not wait for the next look at everything. */
export const leavingRecords = async (
  { db }: Pick<StoreDeps, 'db'>,
  { classes, limit }: { classes: readonly RecordClass[]; limit: number },
): Promise<string[]> =>
  db('record')
    .whereNull('destroyed_at')
    .whereIn('class', [...classes])
    .where(q => q.whereNotNull('doomed_at').orWhere(r => r.whereNotNull('recalled_at').whereNull('hidden_at')))
    .limit(limit)
    .pluck('event_id')
