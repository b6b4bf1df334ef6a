import { defaultPolicy } from '../../domain/oncall/paging/default-policy.ts'
import type { EscalationPolicy, Plan } from '../../domain/oncall/paging/policy.ts'
import { checkPolicy } from '../../domain/oncall/paging/policy-check.ts'
import { checkSchedule } from '../../domain/oncall/schedule/check.ts'
import type { Layer, Schedule } from '../../domain/oncall/schedule/schedule.ts'
import { isRefusal, type Refusal, refuse } from '../../domain/refusal.ts'
import type { Tx } from '../tx.ts'
import { checkContext, policyDirectory } from './directory.ts'
import { type ChangeKind, lockOnCall, noteChange } from './history.ts'
import { type OnCallEntry, onCallRole } from './read.ts'
import { prepareRole } from './role-chats.ts'

/** What a role is called in commands and in its user: `@role_<key>`. */
export const isRoleKey = (text: string): boolean => /^[a-z][a-z0-9_-]{1,39}$/.test(text)

export const mostRoles = 1000

export type NewOnCallRole = {
  key: string
  name: string
  unit: string
  zone: string
  fallback: string
  /** The homeserver's name, for its user. */
  server: string
  layers?: readonly Layer[]
  policy?: EscalationPolicy
}

const scheduleOf = (r: Pick<NewOnCallRole, 'key' | 'zone' | 'fallback' | 'layers'>): Schedule => ({
  id: r.key,
  zone: r.zone,
  fallback: r.fallback,
  layers: r.layers ?? [],
  overrides: [],
  temporary: [],
  absences: [],
})

/** What speaks against a new role, or undefined. */
export const checkNewRole = async (
  tx: Tx,
  role: NewOnCallRole,
  lines: readonly string[] = [],
): Promise<Refusal | undefined> => {
  if (!isRoleKey(role.key))
    return refuse('bad-key', 'A role’s key is 2 to 40 letters, digits, - and _, such as cardiology.')
  if (await tx.sql('oncall_role').where({ key: role.key }).first('key'))
    return refuse('role-exists', `There is or was a role ${role.key} already; take another key.`)
  const present = await tx.sql('oncall_role').whereNull('removed_at').count()
  if (Number(present[0]?.count) >= mostRoles) return refuse('too-many', `There are ${mostRoles} roles already.`)
  const wrong = checkSchedule(scheduleOf(role), await checkContext(tx))
  if (wrong) return wrong
  const directory = await policyDirectory(tx, { lines, also: { key: role.key, people: [role.fallback] } })
  return checkPolicy(role.policy ?? defaultPolicy(role.key, role.fallback), directory)
}

/** Makes a role with its history and audit event. Refuses what `checkNewRole` refuses. */
export const addOnCallRole = async (
  tx: Tx,
  role: NewOnCallRole,
  { by, lines }: { by: string; lines?: readonly string[] },
): Promise<OnCallEntry | Refusal> => {
  await lockOnCall(tx)
  const wrong = await checkNewRole(tx, role, lines)
  if (wrong) return wrong
  const { key, name, unit, zone, fallback } = role
  const policy = role.policy ?? defaultPolicy(key, fallback)
  const user = `@role_${key}:${role.server}`
  await tx.sql('oncall_role').insert({
    key,
    name,
    unit,
    user_id: user,
    zone,
    fallback,
    layers: JSON.stringify(role.layers ?? []),
    policy: JSON.stringify(policy),
    version: 1,
    created_at: tx.now,
    created_by: by,
    changed_at: tx.now,
    changed_by: by,
  })
  const after = { name, unit, zone, fallback, layers: role.layers ?? [], policy }
  await noteChange(tx, { role: key, kind: 'role', before: null, after, by })
  await tx.enqueue(prepareRole({ user, name }, 1))
  return (await onCallRole(tx, key)) as OnCallEntry
}

export type RoleChange = Partial<{
  name: string
  unit: string
  zone: string
  fallback: string
  layers: readonly Layer[]
  policy: EscalationPolicy
}>

/** The role's schedule as it would be. */
export const withChange = (schedule: Schedule, c: RoleChange): Schedule => ({
  ...schedule,
  zone: c.zone ?? schedule.zone,
  fallback: c.fallback ?? schedule.fallback,
  layers: c.layers ?? schedule.layers,
})

const kindOf = (c: RoleChange): ChangeKind =>
  c.layers ? 'layers' : c.zone ? 'zone' : c.fallback ? 'fallback' : c.policy ? 'policy' : 'role'

/** The policy with another person in place of the role's fallback, wherever a plan ends with that one. */
export const withFallback = ({ schedule, policy }: OnCallEntry, fallback: string): EscalationPolicy => {
  const ends = (p: Plan): Plan =>
    p.fallback.kind === 'user' && p.fallback.user === schedule.fallback
      ? { ...p, fallback: { kind: 'user', user: fallback } }
      : p
  const { routine, urgent, stat } = policy.plans
  return { ...policy, plans: { routine: ends(routine), urgent: ends(urgent), stat: ends(stat) } }
}

/** What speaks against a change of a role, or undefined: the present one stays in force then. */
export const checkRoleChange = async (
  tx: Tx,
  entry: OnCallEntry,
  c: RoleChange,
  lines: readonly string[] = [],
): Promise<Refusal | undefined> => {
  const wrong = checkSchedule(withChange(entry.schedule, c), await checkContext(tx))
  if (wrong || !c.policy) return wrong
  return checkPolicy(c.policy, await policyDirectory(tx, { lines }))
}

/** The role, unless it was changed since a preview of `version`. */
export const unchanged = async (tx: Tx, key: string, version?: number): Promise<OnCallEntry | Refusal> => {
  const entry = await onCallRole(tx, key)
  if (!entry) return refuse('unknown-role', `There is no on-call role ${key}.`)
  return version === undefined || entry.role.version === version
    ? entry
    : refuse('changed-meanwhile', `${entry.role.name} was changed meanwhile; look at it and try again.`)
}

/** Counts a change of the schedule: a preview of an earlier version is refused. */
export const nextVersion = async (tx: Tx, key: string, by: string): Promise<void> => {
  await tx.sql('oncall_role').where({ key }).update({ changed_at: tx.now, changed_by: by }).increment('version')
}

/** Changes a role with its history (`noted` in place of the whole change) and audit event. Refuses when it was changed since `version`, and what `checkRoleChange` refuses. */
export const changeOnCallRole = async (
  tx: Tx,
  key: string,
  c: RoleChange,
  how: { by: string; version?: number; lines?: readonly string[]; as?: ChangeKind; noted?: unknown },
): Promise<OnCallEntry | Refusal> => {
  const { by, version, lines, as } = how
  await lockOnCall(tx)
  const entry = await unchanged(tx, key, version)
  if (isRefusal(entry)) return entry
  const wrong = await checkRoleChange(tx, entry, c, lines)
  if (wrong) return wrong
  const { layers, policy, ...plain } = c
  const before = { ...entry.role, ...entry.schedule, policy: entry.policy }
  await tx
    .sql('oncall_role')
    .where({ key })
    .update({
      ...plain,
      ...(layers ? { layers: JSON.stringify(layers) } : {}),
      ...(policy ? { policy: JSON.stringify(policy) } : {}),
    })
  await nextVersion(tx, key, by)
  const was = Object.fromEntries(Object.keys(c).map(k => [k, before[k as keyof RoleChange]]))
  await noteChange(tx, { role: key, kind: as ?? kindOf(c), before: was, after: how.noted ?? c, by })
  if (c.name !== undefined)
    await tx.enqueue(prepareRole({ user: entry.role.user, name: c.name }, entry.role.version + 1))
  return (await onCallRole(tx, key)) as OnCallEntry
}

/** Takes a role out of service, and its imports with it. Refuses while another role's policy calls it. */
export const removeOnCallRole = async (tx: Tx, key: string, by: string): Promise<OnCallEntry | Refusal> => {
  await lockOnCall(tx)
  const entry = await unchanged(tx, key)
  if (isRefusal(entry)) return entry
  const others: { key: string; policy: EscalationPolicy }[] = await tx
    .sql('oncall_role')
    .whereNull('removed_at')
    .whereNot({ key })
    .select('key', 'policy')
  const calls = (p: EscalationPolicy) =>
    Object.values(p.plans).some(plan =>
      plan.steps.some(s =>
        s.targets.some(
          t => (t.kind === 'role' && t.role === key) || (t.kind === 'rotation' && t.rotation.split('/')[0] === key),
        ),
      ),
    )
  const user = others.find(o => calls(o.policy))
  if (user) return refuse('in-use', `The escalation of ${user.key} calls ${key}; change that first.`)
  await tx.sql('oncall_role').where({ key }).update({ removed_at: tx.now, changed_at: tx.now, changed_by: by })
  await tx
    .sql('oncall_source')
    .where({ role: key })
    .whereNull('removed_at')
    .update({ removed_at: tx.now, removed_by: by, url: null, pending: null })
  await noteChange(tx, { role: key, kind: 'removed', before: { name: entry.role.name }, after: null, by })
  return entry
}
