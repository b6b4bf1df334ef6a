import type { Knex } from 'knex'
import type { Instant } from '../../domain/clock.ts'
import { newId } from '../../domain/ids.ts'
import type { RecordClass } from '../../domain/records/facts.ts'
import { type Policy, type PolicyScope, scopeOrder, type WindowBasis } from '../../domain/records/policy.ts'
import type { Db } from '../db.ts'
import type { Tx } from '../tx.ts'

type Sql = Db | Knex.Transaction
type Row = {
  id: string
  scope: PolicyScope['kind']
  about: string
  basis: WindowBasis
  keep_ms: number | null
  minimum: boolean
}

/** What a scope names, as text: the label, user, room or class; empty for the organisation. */
export const aboutOf = (scope: PolicyScope): string => {
  switch (scope.kind) {
    case 'label':
      return scope.label
    case 'user':
      return scope.user
    case 'room':
      return scope.room
    case 'class':
      return scope.class
    case 'organisation':
      return ''
  }
}

const scopeOf = (kind: PolicyScope['kind'], about: string): PolicyScope => {
  switch (kind) {
    case 'label':
      return { kind, label: about }
    case 'user':
      return { kind, user: about }
    case 'room':
      return { kind, room: about }
    case 'class':
      return { kind, class: about as RecordClass }
    case 'organisation':
      return { kind }
  }
}

const toPolicy = (r: Row): Policy => ({
  id: r.id,
  scope: scopeOf(r.scope, r.about),
  from: r.basis,
  keepMs: r.keep_ms,
  minimum: r.minimum,
})

/** Every policy in force, the most specific first. */
export const listPolicies = async (sql: Sql): Promise<Policy[]> =>
  (await sql('retention_policy').orderBy(['about', 'minimum']))
    .map((r: Row) => toPolicy(r))
    .sort((a, b) => scopeOrder.indexOf(a.scope.kind) - scopeOrder.indexOf(b.scope.kind))

/** What is being set for a scope: a window or a minimum; null takes it away. */
export type PolicyChange = {
  scope: PolicyScope
  minimum: boolean
  value: Pick<Policy, 'from' | 'keepMs'> | null
}
export type PolicyHistory = {
  n: number
  scope: PolicyScope
  minimum: boolean
  before: PolicyChange['value']
  after: PolicyChange['value']
  at: Instant
  by: string
  approvedBy: string | null
}

const key = ({ scope, minimum }: PolicyChange) => ({ scope: scope.kind, about: aboutOf(scope), minimum })

export const policyNow = async (sql: Sql, change: PolicyChange): Promise<PolicyChange['value']> => {
  const row: Row | undefined = await sql('retention_policy').where(key(change)).first()
  return row ? { from: row.basis, keepMs: row.keep_ms } : null
}

/** Sets or takes away one policy with its history and audit event. Null when it is that already. */
export const changePolicy = async (
  tx: Tx,
  change: PolicyChange,
  { by, approvedBy = null }: { by: string; approvedBy?: string | null },
): Promise<PolicyHistory | null> => {
  const at = key(change)
  await tx.sql.raw('select pg_advisory_xact_lock(hashtext(?))', [`retention:${at.scope}:${at.about}:${at.minimum}`])
  const before = await policyNow(tx.sql, change)
  const after = change.value
  if (before?.from === after?.from && before?.keepMs === after?.keepMs && (before === null) === (after === null))
    return null
  if (after === null) await tx.sql('retention_policy').where(at).delete()
  else
    await tx
      .sql('retention_policy')
      .insert({
        ...at,
        id: newId<string>('rp', tx.deps.random),
        basis: after.from,
        keep_ms: after.keepMs,
        set_at: tx.now,
        set_by: by,
        approved_by: approvedBy,
      })
      .onConflict(['scope', 'about', 'minimum'])
      .merge(['basis', 'keep_ms', 'set_at', 'set_by', 'approved_by'])
  const json = (v: unknown) => (v === null ? null : JSON.stringify(v))
  const [row] = await tx
    .sql('retention_history')
    .insert({
      ...at,
      before: json(before),
      after: json(after),
      changed_at: tx.now,
      changed_by: by,
      approved_by: approvedBy,
    })
    .returning('id')
  const n = Number(row.id)
  await tx.audit({
    actor: { kind: 'user', id: by },
    action: 'retention.change',
    object: { kind: 'policy', id: `${at.scope}${at.minimum ? '.minimum' : ''}` },
    outcome: 'done',
    ...(at.scope === 'room' ? { room: at.about } : {}),
    detail: {
      change: n,
      approved_by: approvedBy,
      keep_ms: after?.keepMs ?? null,
      basis: after?.from ?? null,
      removed: after === null,
      ...(at.scope === 'room' ? {} : { about: at.about }),
    },
  })
  return { n, scope: change.scope, minimum: change.minimum, before, after, at: tx.now, by, approvedBy }
}

/** The latest changes, newest first. */
export const policyHistory = async (sql: Sql, limit = 30): Promise<PolicyHistory[]> =>
  (await sql('retention_history').orderBy('id', 'desc').limit(limit)).map(r => ({
    n: Number(r.id),
    scope: scopeOf(r.scope, r.about),
    minimum: r.minimum,
    before: r.before,
    after: r.after,
    at: r.changed_at,
    by: r.changed_by,
    approvedBy: r.approved_by,
  }))
