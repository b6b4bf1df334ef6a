import type { Knex } from 'knex'
import type { Finding, Severity } from '../../domain/audit/alerts/rule.ts'
import { ruleNamed } from '../../domain/audit/alerts/rules.ts'
import { type Instant, minutes } from '../../domain/clock.ts'
import type { Db } from '../db.ts'
import type { Tx } from '../tx.ts'

type Sql = Db | Knex.Transaction

/** What a rule found, with all that was found again soon afterwards. `about` names staff, commitments and codes, never a patient. */
export type Alert = {
  id: number
  rule: string
  severity: Severity
  key: string
  about: Readonly<Record<string, string>>
  /** The first and last entry that led to it; null for a state that is not in the log. */
  first: number | null
  last: number | null
  count: number
  firstAt: Instant
  lastAt: Instant
  /** When the state was over. */
  clearedAt: Instant | null
  /** The count that the compliance room was told last, 0 before that. */
  saidCount: number
  /** The message in the compliance room. */
  eventId: string | null
}

type Row = {
  id: number
  rule: string
  severity: Severity
  key: string
  about: Record<string, string>
  first_idx: number | null
  last_idx: number | null
  count: number
  first_at: number
  last_at: number
  cleared_at: number | null
  said_count: number
  event_id: string | null
}

const toAlert = (r: Row): Alert => ({
  id: r.id,
  rule: r.rule,
  severity: r.severity,
  key: r.key,
  about: r.about,
  first: r.first_idx,
  last: r.last_idx,
  count: r.count,
  firstAt: r.first_at,
  lastAt: r.last_at,
  clearedAt: r.cleared_at,
  saidCount: r.said_count,
  eventId: r.event_id,
})

/** How often the room hears at most that the same thing goes on. */
const sayAgainMs = minutes(10)
const lane = 'compliance'

/** Tells the compliance room, once by `key`; `text` names no patient. What the digest and whoever else has something to say there uses. */
export const tellCompliance = async (
  tx: Tx,
  say: { key: string; text: string; html?: string; thread?: string; mention?: boolean },
): Promise<void> => {
  const { key, ...payload } = say
  await tx.enqueue({ queue: 'bots', kind: 'compliance.say', key: `compliance:${key}`, lane, payload })
}

const sayAlert = (tx: Tx, id: number, key: string, due?: Instant) =>
  tx.enqueue({ queue: 'bots', kind: 'compliance.alert', key: `alert:${id}:${key}`, lane, due, payload: { alert: id } })

const openAlert = async (tx: Tx, { rule, key }: Pick<Finding, 'rule' | 'key'>): Promise<Alert | undefined> => {
  await tx.sql.raw('select pg_advisory_xact_lock(hashtext(?))', [`alert:${rule}:${key}`])
  const row: Row | undefined = await tx
    .sql('alert')
    .where({ rule, key })
    .whereNull('cleared_at')
    .orderBy('id', 'desc')
    .first()
  return row && toAlert(row)
}

/**
 * Raises an alert, or counts an open one of the same rule and key up: the compliance room hears of the first at once and of more every ten minutes at most.
 * Findings about entries must come in their order, once; a state may be raised as often as it is seen, and is repeated once a day.
 */
export const raise = async (tx: Tx, f: Finding): Promise<void> => {
  const rule = ruleNamed(f.rule)
  if (!rule) throw new Error(`there is no rule ${f.rule}`)
  const open = await openAlert(tx, f)
  const isState = rule.find === undefined
  const goesOn = open && (isState ? f.at - open.firstAt : f.at - open.lastAt) <= rule.collapseMs
  if (goesOn && isState) {
    await tx
      .sql('alert')
      .where({ id: open.id })
      .update({ last_at: f.at, about: JSON.stringify(f.about) })
    return
  }
  if (goesOn) {
    await tx
      .sql('alert')
      .where({ id: open.id })
      .update({ count: open.count + 1, last_idx: f.last, last_at: Math.max(f.at, open.lastAt) })
    const turn = Math.floor(tx.now / sayAgainMs) + 1
    await sayAlert(tx, open.id, String(turn), turn * sayAgainMs)
    return
  }
  const [row]: { id: number }[] = await tx
    .sql('alert')
    .insert({
      rule: f.rule,
      severity: rule.severity,
      key: f.key,
      about: JSON.stringify(f.about),
      first_idx: f.first,
      last_idx: f.last,
      count: f.count,
      first_at: f.at,
      last_at: f.at,
    })
    .returning('id')
  const id = row?.id ?? 0
  await sayAlert(tx, id, 'first')
  await tx.audit({
    actor: { kind: 'service', id: 'alerts' },
    action: 'alert.raise',
    object: { kind: 'alert', id: String(id) },
    outcome: 'done',
    detail: { rule: f.rule, severity: rule.severity, entry: f.last },
  })
}

/** Notes that a state is over, if it was raised, and says so in the room. Returns whether it was. */
export const clearAlert = async (tx: Tx, f: Pick<Finding, 'rule' | 'key'>): Promise<boolean> => {
  const open = await openAlert(tx, f)
  if (!open) return false
  await tx.sql('alert').where({ rule: f.rule, key: f.key }).whereNull('cleared_at').update({ cleared_at: tx.now })
  await sayAlert(tx, open.id, 'over')
  await tx.audit({
    actor: { kind: 'service', id: 'alerts' },
    action: 'alert.clear',
    object: { kind: 'alert', id: String(open.id) },
    outcome: 'done',
    detail: { rule: f.rule },
  })
  return true
}

/** Keys of the states of a rule that are raised and not over. */
export const openKeys = async (sql: Sql, rule: string): Promise<string[]> =>
  sql('alert').where({ rule }).whereNull('cleared_at').distinct('key').pluck('key')

export const alertById = async (sql: Sql, id: number): Promise<Alert | undefined> => {
  const row: Row | undefined = await sql('alert').where({ id }).first()
  return row && toAlert(row)
}

/** The alerts since an instant, newest first. */
export const listAlerts = async (sql: Sql, { since = 0, limit = 50 } = {}): Promise<Alert[]> =>
  (await sql('alert').where('last_at', '>=', since).orderBy('id', 'desc').limit(limit)).map((r: Row) => toAlert(r))

/** Notes what the room was told. */
export const noteSaid = async (tx: Tx, id: number, said: { count: number; eventId: string }): Promise<void> => {
  await tx
    .sql('alert')
    .where({ id })
    .update({ said_count: said.count, event_id: tx.sql.raw('coalesce(event_id, ?)', [said.eventId]) })
}

/** Locks and gives the first index that the rules have not seen; where there is none yet, that of the first entry since `since`. */
export const takeCursor = async (tx: Tx, name: string, since: Instant): Promise<number> => {
  const row: { idx: number } | undefined = await tx.sql('alert_cursor').where({ name }).forUpdate().first('idx')
  if (row) return row.idx
  const first = await tx.sql('audit_entry').where('at', '>=', since).min<{ idx: number | null }>('idx as idx').first()
  const last = await tx.sql('audit_entry').max<{ idx: number | null }>('idx as idx').first()
  const idx = first?.idx ?? (last?.idx ?? -1) + 1
  await tx.sql('alert_cursor').insert({ name, idx }).onConflict('name').ignore()
  const made: { idx: number } | undefined = await tx.sql('alert_cursor').where({ name }).forUpdate().first('idx')
  return made?.idx ?? idx
}

export const moveCursor = async (tx: Tx, name: string, idx: number): Promise<void> => {
  await tx.sql('alert_cursor').where({ name }).update({ idx })
}
