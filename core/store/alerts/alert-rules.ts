import type { Knex } from 'knex'
import { type Values, valuesOf } from '../../domain/audit/alerts/rule.ts'
import { ruleNamed, rules } from '../../domain/audit/alerts/rules.ts'
import type { Instant } from '../../domain/clock.ts'
import type { UserId } from '../../domain/ids.ts'
import { isRefusal, type Refusal, refuse } from '../../domain/refusal.ts'
import type { Kind } from '../../domain/settings/setting.ts'
import type { Db } from '../db.ts'
import type { Tx } from '../tx.ts'

type Sql = Db | Knex.Transaction

/** Every rule's parameters as they are now, by the rule's name. */
export const ruleValues = async (sql: Sql): Promise<Map<string, Values>> => {
  const rows: { rule: string; param: string; value: string }[] = await sql('alert_rule').select(
    'rule',
    'param',
    'value',
  )
  const stored = (name: string) =>
    Object.fromEntries(rows.filter(r => r.rule === name).map(r => [r.param, r.value] as const))
  return new Map(rules.map(rule => [rule.name, valuesOf(rule, stored(rule.name))]))
}

export type RuleChange = {
  rule: string
  param: string
  before: string | null
  after: string | null
  at: Instant
  by: string
}

/**
 * Sets one parameter of a rule (`default`: back to the code's own) with its history and audit event. `typed` is what the person wrote. Refuses what the parameter
 * cannot be.
 */
export const changeRule = async (
  tx: Tx,
  change: { rule: string; param: string; typed: string; by: UserId },
): Promise<RuleChange | Refusal> => {
  const { rule: name, param, by } = change
  const rule = ruleNamed(name)
  const known = rule?.params[param]
  if (!rule || !known) return refuse('unknown-param', `There is no ${param} in ${name}.`)
  const kind = known.kind as Kind<number | boolean>
  const parsed = change.typed.toLowerCase() === 'default' ? null : kind.parse(change.typed)
  if (isRefusal(parsed)) return refuse(parsed.code, `${name} ${param}: ${parsed.sentence}`)
  const after = parsed === null ? null : kind.show(parsed)
  await tx.sql.raw('select pg_advisory_xact_lock(hashtext(?))', [`alert_rule:${name}`])
  const row: { value: string } | undefined = await tx.sql('alert_rule').where({ rule: name, param }).first('value')
  const before = row?.value ?? null
  if (before === after) return refuse('no-change', `${name} ${param} is that already.`)
  if (after === null) await tx.sql('alert_rule').where({ rule: name, param }).delete()
  else
    await tx
      .sql('alert_rule')
      .insert({ rule: name, param, value: after, changed_at: tx.now, changed_by: by })
      .onConflict(['rule', 'param'])
      .merge()
  await tx.sql('alert_rule_history').insert({ rule: name, param, before, after, changed_at: tx.now, changed_by: by })
  await tx.audit({
    actor: { kind: 'user', id: by },
    action: 'alert.rule',
    object: { kind: 'alert', id: name },
    outcome: 'done',
    detail: { param, before, after },
  })
  return { rule: name, param, before, after, at: tx.now, by }
}

/** The latest changes of a rule (or all), newest first. */
export const ruleHistory = async (sql: Sql, rule?: string, limit = 10): Promise<RuleChange[]> =>
  (
    await sql('alert_rule_history')
      .where(rule ? { rule } : {})
      .orderBy('id', 'desc')
      .limit(limit)
  ).map(r => ({
    rule: r.rule,
    param: r.param,
    before: r.before,
    after: r.after,
    at: r.changed_at,
    by: r.changed_by,
  }))
