import type { Knex } from 'knex'
import type { Finding, RuleContext, Seen, Values } from '../../domain/audit/alerts/rule.ts'
import { rules } from '../../domain/audit/alerts/rules.ts'
import { recordOf } from '../../domain/audit/leaf.ts'
import type { Instant } from '../../domain/clock.ts'
import type { Seal } from '../../seal.ts'
import type { Db } from '../db.ts'
import { readSettings } from '../staff/settings.ts'
import { withFacts } from './alert-facts.ts'

type Sql = Db | Knex.Transaction

/** What of the clinic's settings the rules need. */
export const ruleContext = async (sql: Sql): Promise<RuleContext> => {
  const settings = await readSettings(sql)
  return { hours: settings['clinic.hours'], timeZone: settings['clinic.time_zone'] }
}

/** How many entries of the past a rule looks at; more than anybody's work in an hour. */
const mostSeen = 50_000

/** Entries of these actions from an instant on (and before an index), in order, without facts: the past that rules count in. */
export const seenSince = async (
  sql: Sql,
  actions: readonly string[],
  since: Instant,
  before: number,
  limit = mostSeen,
): Promise<Seen[]> => {
  const rows: { idx: number; leaf: string }[] = await sql('audit_entry')
    .whereIn('action', [...actions])
    .where('at', '>=', since)
    .where('idx', '<', before)
    .orderBy('idx', 'desc')
    .limit(limit)
    .select('idx', 'leaf')
  return rows.reverse().map(r => ({ ...recordOf(r.idx, r.leaf), facts: {} }))
}

/** The furthest that any rule looks back now. */
export const longestLook = (values: ReadonlyMap<string, Values>): number =>
  Math.max(0, ...rules.map(r => r.lookMs?.(values.get(r.name) ?? {}) ?? 0))

/** What is worth keeping in mind of an entry: only what a rule counts. */
export const countedActions: readonly string[] = [...new Set(rules.filter(r => r.lookMs).flatMap(r => r.actions))]

/** What all enabled rules find in the new entries (from index `from` on); `seen` begins with the past. */
export const findAll = (
  seen: readonly Seen[],
  from: number,
  values: ReadonlyMap<string, Values>,
  context: RuleContext,
): Finding[] =>
  rules.flatMap(rule => {
    const own = values.get(rule.name) ?? {}
    return own.enabled === true ? (rule.find?.(seen, from, own, context) ?? []) : []
  })

/** The entries of a rule's actions since an instant with their facts, as far back as `limit` allows; `cut` when there were more. */
export const seenForPreview = async (
  deps: { db: Sql; seal: Seal },
  actions: readonly string[],
  since: Instant,
  limit = mostSeen,
): Promise<{ seen: Seen[]; cut: boolean }> => {
  const seen = await seenSince(deps.db, actions, since, Number.MAX_SAFE_INTEGER, limit + 1)
  return { seen: await withFacts(deps, seen.slice(-limit)), cut: seen.length > limit }
}
