import type { Knex } from 'knex'
import type { Actor } from '../../domain/audit/event.ts'
import { pageRoles } from '../../domain/audit/visible.ts'
import type { Instant } from '../../domain/clock.ts'
import type { UserId } from '../../domain/ids.ts'
import { type Refusal, refuse } from '../../domain/refusal.ts'
import { isRole, type Role, roles } from '../../domain/roles.ts'
import { endAdminSessions } from '../admin/admin-sign-out.ts'
import type { Db } from '../db.ts'
import type { Tx } from '../tx.ts'

type Sql = Db | Knex.Transaction

/** One role of one person. `identity` is the public cross-signing master key that it is pinned to; null until a person named by the configuration first writes. */
export type RoleGrant = {
  userId: UserId
  role: Role
  grantedBy: string
  grantedAt: Instant
  identity: string | null
  suspendedAt: Instant | null
  suspendedReason: string | null
}

type Row = Record<string, unknown>
const toGrant = (r: Row): RoleGrant => ({
  userId: r.user_id as UserId,
  role: r.role as Role,
  grantedBy: r.granted_by as string,
  grantedAt: r.granted_at as number,
  identity: r.identity_key as string | null,
  suspendedAt: r.suspended_at as number | null,
  suspendedReason: r.suspended_reason as string | null,
})

/** Every grant, suspended ones too, by role and person. */
export const listGrants = async (sql: Sql, where: { userId?: string; role?: Role } = {}): Promise<RoleGrant[]> => {
  const wanted = { ...(where.userId ? { user_id: where.userId } : {}), ...(where.role ? { role: where.role } : {}) }
  const rows: Row[] = await sql('role_grant').where(wanted).orderBy('user_id')
  return rows
    .map(toGrant)
    .filter(g => isRole(g.role))
    .sort((a, b) => roles.indexOf(a.role) - roles.indexOf(b.role))
}

/** Who holds a role that is not suspended. */
export const holdersOf = async (sql: Sql, ...wanted: Role[]): Promise<UserId[]> =>
  (
    await sql('role_grant').whereIn('role', wanted).whereNull('suspended_at').distinct('user_id').orderBy('user_id')
  ).map(r => r.user_id as UserId)

/** Has somebody a role of ours now, so that the bot may write to them? */
export const isStaff = async (tx: Tx, user: string): Promise<boolean> =>
  (await listGrants(tx.sql, { userId: user })).some(g => g.suspendedAt === null)

const by = (granter: string): Actor => ({ kind: granter.startsWith('@') ? 'user' : 'service', id: granter })

/** All changes to grants wait for each other, so that two of them can never leave no administrator. */
const lockGrants = (tx: Tx) => tx.sql.raw(`select pg_advisory_xact_lock(hashtext('roles'))`)

/** The bot brings desk rooms and the direct chat in line with a person's roles (job `desk.follow-role`); the homeserver learns whom care rooms let in (job `care.staff-list`). */
export const followRole = async (tx: Tx, userId: UserId): Promise<void> => {
  await tx.enqueue({ queue: 'bots', kind: 'desk.follow-role', payload: { user: userId }, lane: `role:${userId}` })
  await tx.enqueue({ queue: 'bridge', kind: 'care.staff-list', payload: {}, lane: 'staff-list' })
}

/** The same after a loss; the bridge takes the person out of care rooms (job `care.follow-role`). */
const followLoss = async (tx: Tx, userId: UserId): Promise<void> => {
  await followRole(tx, userId)
  await tx.enqueue({ queue: 'bridge', kind: 'care.follow-role', payload: { user: userId }, lane: `role:${userId}` })
}

/** Grants a role pinned to an identity; granting again renews the pin and ends a suspension. */
export const grantRole = async (
  tx: Tx,
  grant: { userId: UserId; role: Role; by: string; identity: string | null; approvedBy?: string },
): Promise<void> => {
  await lockGrants(tx)
  const row = {
    granted_by: grant.by,
    granted_at: tx.now,
    identity_key: grant.identity,
    suspended_at: null,
    suspended_reason: null,
  }
  await tx
    .sql('role_grant')
    .insert({ user_id: grant.userId, role: grant.role, ...row })
    .onConflict(['user_id', 'role'])
    .merge(row)
  await tx.audit({
    actor: by(grant.by),
    action: 'role.grant',
    object: { kind: 'role', id: grant.userId },
    outcome: 'done',
    detail: { role: grant.role, pinned: grant.identity !== null, approved_by: grant.approvedBy ?? null },
  })
  await followRole(tx, grant.userId)
}

/** Takes a role away. 'last' when it is the last administrator's: then nothing changes; 'none' when it was never granted. */
export const revokeRole = async (
  tx: Tx,
  revoke: { userId: UserId; role: Role; by: string; approvedBy?: string },
): Promise<'done' | 'none' | 'last'> => {
  await lockGrants(tx)
  const [grant] = await listGrants(tx.sql, { userId: revoke.userId, role: revoke.role })
  if (!grant) return 'none'
  const admins = await holdersOf(tx.sql, 'admin')
  if (revoke.role === 'admin' && !admins.some(a => a !== revoke.userId)) return 'last'
  await tx.sql('role_grant').where({ user_id: revoke.userId, role: revoke.role }).delete()
  await tx.audit({
    actor: by(revoke.by),
    action: 'role.revoke',
    object: { kind: 'role', id: revoke.userId },
    outcome: 'done',
    detail: { role: revoke.role, approved_by: revoke.approvedBy ?? null },
  })
  if ((pageRoles as readonly Role[]).includes(revoke.role)) await endAdminSessions(tx, revoke.userId, 'role')
  await followLoss(tx, revoke.userId)
  return 'done'
}

/** Grants a role that the configuration names, pinned when the person first writes; does nothing when somebody holds it in any state. */
export const grantByConfiguration = async (tx: Tx, userId: UserId, role: Role): Promise<boolean> => {
  await lockGrants(tx)
  if ((await listGrants(tx.sql, { userId, role })).length > 0) return false
  await grantRole(tx, { userId, role, by: 'configuration', identity: null })
  return true
}

/** The first administrator: granted only while nobody ever was one. */
export const firstAdmin = async (tx: Tx, userId: UserId): Promise<boolean> => {
  await lockGrants(tx)
  return (await listGrants(tx.sql, { role: 'admin' })).length === 0 && grantByConfiguration(tx, userId, 'admin')
}

/**
 * Makes an administrator from the server's command line: the way out when the only one is suspended. `by` is the operating system's user. While somebody else is
 * administrator it is refused unless `anyway`, and then each of them is told.
 */
export const grantAdminFromHost = async (
  tx: Tx,
  grant: { userId: UserId; identity: string; by: string; anyway: boolean },
): Promise<Refusal | undefined> => {
  await lockGrants(tx)
  const [own] = await listGrants(tx.sql, { userId: grant.userId, role: 'admin' })
  if (own && own.suspendedAt === null && own.identity === grant.identity)
    return refuse('is-admin', `${grant.userId} is administrator already, with the present identity.`)
  const others = (await holdersOf(tx.sql, 'admin')).filter(u => u !== grant.userId)
  if (others.length > 0 && !grant.anyway)
    return refuse(
      'others',
      `There are administrators, who can do this in their chat with the bot: ${others.join(', ')}. If none of them can be reached, add --anyway; they are told.`,
    )
  await grantRole(tx, { userId: grant.userId, role: 'admin', by: `host:${grant.by}`, identity: grant.identity })
  for (const user of others)
    await tx.enqueue({
      queue: 'bots',
      kind: 'bot.say',
      payload: {
        to: { user },
        text: `⚠️ ${grant.userId} was made administrator on the server's command line, by its user ${grant.by}. If you do not know why, ask now.`,
      },
    })
  return undefined
}

/** What a person may do at this moment, after the pin was checked. `changed`: this very call suspended the roles. */
export type Standing = { roles: Role[]; suspended: Role[]; changed: boolean }

/**
 * Compares the identity that signed a message with the pins. A first identity is pinned; another one than the pinned suspends every role of the person until
 * another administrator grants it again. `identity` null (no cross-signing) gives no role and suspends nothing.
 */
export const standingOf = async (tx: Tx, userId: UserId, identity: string | null): Promise<Standing> => {
  const grants = await listGrants(tx.sql, { userId })
  const suspended = grants.filter(g => g.suspendedAt !== null).map(g => g.role)
  const live = grants.filter(g => g.suspendedAt === null)
  if (identity === null || live.length === 0) return { roles: [], suspended, changed: false }
  const other = live.filter(g => g.identity !== null && g.identity !== identity)
  if (other.length > 0) {
    const names = live.map(g => g.role)
    await tx
      .sql('role_grant')
      .where({ user_id: userId })
      .whereIn('role', names)
      .update({ suspended_at: tx.now, suspended_reason: 'identity-changed' })
    for (const role of names)
      await tx.audit({
        actor: { kind: 'service', id: 'desk' },
        action: 'role.suspend',
        object: { kind: 'role', id: userId },
        outcome: 'done',
        reason: 'identity-changed',
        detail: { role },
      })
    await endAdminSessions(tx, userId, 'role')
    await followLoss(tx, userId)
    return { roles: [], suspended: [...suspended, ...names], changed: true }
  }
  const unpinned = live.filter(g => g.identity === null).map(g => g.role)
  if (unpinned.length > 0) {
    await tx.sql('role_grant').where({ user_id: userId }).whereIn('role', unpinned).update({ identity_key: identity })
    await tx.audit({
      actor: { kind: 'service', id: 'desk' },
      action: 'role.grant',
      object: { kind: 'role', id: userId },
      outcome: 'done',
      reason: 'pinned',
      detail: { roles: unpinned.join(' ') },
    })
  }
  return { roles: live.map(g => g.role), suspended, changed: false }
}
