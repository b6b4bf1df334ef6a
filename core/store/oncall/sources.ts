import { days, hours, type Instant, minutes, seconds } from '../../domain/clock.ts'
import { newId } from '../../domain/ids.ts'
import type { SourcedShift } from '../../domain/oncall/import-diff.ts'
import { isRefusal, type Refusal, refuse } from '../../domain/refusal.ts'
import type { Db } from '../db.ts'
import type { Tx } from '../tx.ts'
import { lockOnCall } from './history.ts'
import { unchanged } from './roles.ts'

/** What a source is asked, and how its text is read. */
export type SourceOptions = { dates?: 'day-first' | 'month-first' }

/** What fills a layer of a schedule from outside. `shifts`: what is in force of it; `pending`: a reading that waits for a person's word. */
export type OnCallSource = {
  id: string
  role: string
  layer: string
  kind: 'url' | 'file'
  format: 'calendar' | 'csv'
  host: string | null
  everyMs: number | null
  options: SourceOptions
  shifts: readonly SourcedShift[]
  pending: readonly SourcedShift[] | null
  readHash: string | null
  readAt: Instant | null
  /** When a reading of it last took effect; null before the first. */
  changedAt: Instant | null
  failures: number
  problem: string | null
  addedBy: string
}

type Row = {
  id: string
  role: string
  layer: string
  kind: 'url' | 'file'
  format: 'calendar' | 'csv'
  url: string | null
  host: string | null
  every_ms: number | null
  options: SourceOptions
  shifts: SourcedShift[]
  pending: SourcedShift[] | null
  read_hash: string | null
  read_at: Instant | null
  changed_at: Instant | null
  failures: number
  problem: string | null
  added_by: string
}

const toSource = (r: Row): OnCallSource => ({
  id: r.id,
  role: r.role,
  layer: r.layer,
  kind: r.kind,
  format: r.format,
  host: r.host,
  everyMs: r.every_ms,
  options: r.options,
  shifts: r.shifts,
  pending: r.pending,
  readHash: r.read_hash,
  readAt: r.read_at,
  changedAt: r.changed_at,
  failures: r.failures,
  problem: r.problem,
  addedBy: r.added_by,
})

const context = 'oncall_source.url'

/** How often a source may be asked. The usual interval puts a change into force within a minute; some sources forbid so often. */
export const sourceInterval = { usual: seconds(45), least: seconds(30), most: hours(24) }

const noted = (tx: Tx, s: Pick<OnCallSource, 'id' | 'role'>, what: string, by: string) =>
  tx.audit({
    actor: { kind: by.startsWith('@') ? 'user' : 'service', id: by },
    action: 'oncall.import',
    object: { kind: 'oncall', id: s.role },
    outcome: 'done',
    detail: { what, about: s.id },
  })

export type NewSource = Pick<OnCallSource, 'role' | 'layer' | 'kind' | 'format' | 'options'> & {
  url?: URL
  everyMs?: number
}

/** Makes a source, which is read as soon as a process looks (a file's is read by whoever brings it). Refuses a layer that has a source or a rotation already. */
export const addSource = async (tx: Tx, s: NewSource, by: string): Promise<OnCallSource | Refusal> => {
  await lockOnCall(tx)
  const entry = await unchanged(tx, s.role)
  if (isRefusal(entry)) return entry
  if (await sourceOf(tx, s.role, s.layer))
    return refuse('source-exists', `The layer ${s.layer} of ${s.role} has a source already; remove that first.`)
  if (entry.schedule.layers.find(l => l.id === s.layer)?.rotation.kind === 'turns')
    return refuse('layer-exists', `${s.layer} is a rotation; give the import a layer of its own: layer <name>.`)
  const id = newId<string>('sc', tx.deps.random)
  const list = entry.schedule.layers.find(l => l.id === s.layer)?.rotation
  const [row]: Row[] = await tx
    .sql('oncall_source')
    .insert({
      id,
      role: s.role,
      layer: s.layer,
      kind: s.kind,
      format: s.format,
      url: s.url ? await tx.deps.seal.close(context, s.url.href) : null,
      host: s.url?.host ?? null,
      every_ms: s.url ? (s.everyMs ?? sourceInterval.usual) : null,
      options: JSON.stringify(s.options),
      // A list that an earlier source left is compared with, so that taking it up again moves nothing.
      shifts: JSON.stringify(list?.kind === 'list' ? list.shifts.map((x, i) => ({ ...x, key: `left-${i}` })) : []),
      due_at: s.url ? tx.now : null,
      added_at: tx.now,
      added_by: by,
    })
    .returning('*')
  await noted(tx, { id, role: s.role }, 'source added', by)
  return toSource(row as Row)
}

export const sourceOf = async (tx: Pick<Tx, 'sql'>, role: string, layer: string): Promise<OnCallSource | undefined> => {
  const row: Row | undefined = await tx.sql('oncall_source').where({ role, layer }).whereNull('removed_at').first()
  return row && toSource(row)
}

/** Every source, or a role's. */
export const sourcesOf = async (tx: Pick<Tx, 'sql'>, role?: string): Promise<OnCallSource[]> =>
  (
    (await tx
      .sql('oncall_source')
      .whereNull('removed_at')
      .modify(q => (role === undefined ? q : q.where({ role })))
      .orderBy(['role', 'layer'])) as Row[]
  ).map(toSource)

/** A source no longer fills its layer; what it last said stays. */
export const removeSource = async (tx: Tx, s: OnCallSource, by: string): Promise<void> => {
  await tx
    .sql('oncall_source')
    .where({ id: s.id })
    .update({ removed_at: tx.now, removed_by: by, url: null, pending: null })
  await noted(tx, s, 'source removed', by)
}

/** Sources are asked again at once: somebody answered their question. */
export const askAgain = async (tx: Tx, where: { role?: string } = {}): Promise<void> => {
  await tx
    .sql('oncall_source')
    .whereNull('removed_at')
    .whereNotNull('url')
    .where(where)
    .whereNotNull('problem')
    .update({ due_at: tx.now, read_hash: null })
}

/** Ids of sources to be asked now. */
export const dueSources = async (db: Db, now: Instant, busy: readonly string[], limit: number): Promise<string[]> =>
  (
    await db('oncall_source')
      .whereNull('removed_at')
      .where('due_at', '<=', now)
      .whereNotIn('id', [...busy])
      .orderBy('due_at')
      .limit(limit)
      .select('id')
  ).map(r => r.id)

const longestPause = hours(1)

/** Takes a source that is due, so that no other process asks it before its next time; the more often it failed, the later that is. */
export const claimSource = async (tx: Tx, id: string): Promise<{ source: OnCallSource; url: string } | undefined> => {
  const row: Row | undefined = await tx
    .sql('oncall_source')
    .where({ id })
    .whereNull('removed_at')
    .where('due_at', '<=', tx.now)
    .forUpdate()
    .skipLocked()
    .first()
  if (!row?.url || row.every_ms === null) return undefined
  const pause = Math.max(row.every_ms, Math.min(longestPause, row.every_ms * 2 ** Math.min(row.failures, 10)))
  await tx
    .sql('oncall_source')
    .where({ id })
    .update({ due_at: tx.now + pause })
  return { source: toSource(row), url: await tx.deps.seal.open(context, row.url) }
}

/** Notes how a source was found. `problem`: why nothing could be taken of it. */
export const noteRead = async (
  tx: Tx,
  s: OnCallSource,
  found: {
    hash?: string
    problem: string | null
    failed?: boolean
    pending?: readonly SourcedShift[] | null
    waitMs?: number
  },
): Promise<void> => {
  await tx
    .sql('oncall_source')
    .where({ id: s.id })
    .update({
      read_at: tx.now,
      problem: found.problem,
      failures: found.failed ? s.failures + 1 : 0,
      ...(found.hash === undefined ? {} : { read_hash: found.hash }),
      ...(found.pending === undefined ? {} : { pending: found.pending && JSON.stringify(found.pending) }),
      ...(found.waitMs === undefined ? {} : { due_at: tx.now + Math.max(found.waitMs, s.everyMs ?? 0) }),
    })
  if (found.failed && s.failures === 0)
    await tx.audit({
      actor: { kind: 'service', id: 'oncall' },
      action: 'oncall.import',
      object: { kind: 'oncall', id: s.role },
      outcome: 'failed',
      detail: { what: found.problem, about: s.id },
    })
}

/** What is in force of a source from now on. */
export const noteTaken = async (
  tx: Tx,
  s: OnCallSource,
  taken: { shifts: readonly SourcedShift[]; added: number; removed: number; moved: number },
  by: string,
): Promise<void> => {
  const { shifts, ...counts } = taken
  await tx
    .sql('oncall_source')
    .where({ id: s.id })
    .update({ shifts: JSON.stringify(shifts), changed_at: tx.now, pending: null, problem: null })
  await tx.audit({
    actor: { kind: by.startsWith('@') ? 'user' : 'service', id: by },
    action: 'oncall.import',
    object: { kind: 'oncall', id: s.role },
    outcome: 'done',
    detail: { what: 'taken', about: s.id, ...counts },
  })
}

/** As long as past duties of a source are kept in its schedule. */
export const keepPastMs = days(100)
/** A source that says the same is looked at all the same, because the time that is read moves on. */
export const lookAgainMs = minutes(60 * 12)
