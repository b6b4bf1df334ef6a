import { createHash } from 'node:crypto'
import { certificateDigest } from '../../domain/records/certificate.ts'
import type { RecordClass } from '../../domain/records/facts.ts'
import { forgetEvents } from '../queues/inbox.ts'
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

export type Doomed = Pick<Due, 'event' | 'room' | 'sender' | 'recalled' | 'rule'> & {
  session: string | null
  run: string
}

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
      .select('event_id', 'room_id', 'sender', 'recalled_at', 'session_id', 'rule', 'run_id')
  ).map(r => ({
    event: r.event_id,
    room: r.room_id,
    sender: r.sender,
    recalled: r.recalled_at !== null,
    session: r.session_id,
    rule: r.rule,
    run: r.run_id,
  }))

/**
 * Notes that events are destroyed at the homeserver, and destroys what Wardroom itself still has of them: the inbox's copy. Each has its entry in the audit
 * log, once however often it is noted; their runs' certificates count them.
 */
export const noteDestroyed = async (
  tx: Tx,
  events: readonly (Doomed & { redacted: boolean; found: boolean })[],
): Promise<void> => {
  const runs = [...new Set(events.map(e => e.run))].sort()
  // Whoever notes the last events of a run sees all the others: it is certified once, and whole.
  for (const run of runs) await tx.sql.raw('select pg_advisory_xact_lock(hashtext(?))', [`run:${run}`])
  const ids = events.map(e => e.event)
  const open = new Set<string>(
    (
      await tx.sql.raw(
        `select event_id from record where event_id = any(?::text[]) and destroyed_at is null for update`,
        [ids] as never,
      )
    ).rows.map((r: { event_id: string }) => r.event_id),
  )
  await forgetEvents(tx, ids)
  await tx.sql.raw('delete from record_copy where event_id = any(?::text[])', [ids] as never)
  const noted = events.filter(e => open.has(e.event))
  const entries = await tx.auditAll(
    noted.map(e => ({
      actor: { kind: 'service', id: 'records' },
      action: 'record.destroy',
      object: { kind: 'event', id: e.event },
      outcome: 'done',
      room: e.room,
      reason: e.rule.kind,
      detail: { run: e.run, policy: e.rule.id, redacted: e.redacted, was_there: e.found },
    })),
  )
  // Each row is written once: what it costs is its indices.
  await tx.sql.raw(
    `update record r set destroyed_at = ?, session_id = null, destroy_entry = e.entry
     from unnest(?::text[], ?::bigint[]) as e(event_id, entry) where r.event_id = e.event_id`,
    [tx.now, noted.map(e => e.event), entries] as never,
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
 * A deletion run's certificate (row 50), once everything of it is gone: policies with who approved them, how many by which rule, and a digest over the run's
 * entries in the log, by which anybody who has the log proves that none is missing and none was added (`certificateDigest`). Once a run.
 */
export const certify = async (tx: Tx, run: string): Promise<boolean> => {
  const all: { destroyed_at: number | null; destroy_entry: number | null; rule: Due['rule'] }[] = await tx
    .sql('record')
    .where({ run_id: run })
    .select('destroyed_at', 'destroy_entry', 'rule')
  if (all.some(r => r.destroyed_at === null)) return false
  const rows = all.filter(r => r.destroy_entry !== null)
  if (rows.length === 0) return false
  const first = await tx
    .sql('deletion_certificate')
    .insert({ run_id: run, at: tx.now })
    .onConflict('run_id')
    .ignore()
    .returning('run_id')
  if (first.length === 0) return false
  const policies = [...new Set(rows.flatMap(r => r.rule.id ?? []))].sort()
  const approvers: string[] = await tx
    .sql('retention_policy')
    .whereIn('id', policies)
    .whereNotNull('approved_by')
    .distinct('approved_by')
    .orderBy('approved_by')
    .pluck('approved_by')
  const numbered = (name: string, values: readonly string[]) =>
    Object.fromEntries(values.slice(0, 5).map((value, n) => [n === 0 ? name : `${name}_${n + 1}`, value]))
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
      policies: policies.length,
      ...numbered('policy', policies),
      ...numbered('approved_by', approvers),
      digest: certificateDigest(
        rows.map(r => Number(r.destroy_entry)),
        data => createHash('sha256').update(data).digest('hex'),
      ),
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
