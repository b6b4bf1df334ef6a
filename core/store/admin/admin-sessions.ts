import { createHash } from 'node:crypto'
import { type PageRole, pageRoles } from '../../domain/audit/visible.ts'
import { days, hours, minutes } from '../../domain/clock.ts'
import { newId, type UserId } from '../../domain/ids.ts'
import { type SessionTimes, standing } from '../../domain/session.ts'
import { sameSecret } from '../../secret.ts'
import { tokenHash } from '../links/links.ts'
import type { Origin } from '../links/sessions.ts'
import { listGrants } from '../staff/roles.ts'
import type { Tx } from '../tx.ts'
import { takeAdminLink } from './admin-links.ts'
import { endAdminSessions } from './admin-sign-out.ts'

/** Idle log-off, and the absolute end of a session: a working day. */
export const adminIdle = minutes(15)
export const adminLimit = hours(8)

/** A browser that is signed in to the administrators' page; `reauthAt` of its times is the absolute end. `roles`: what the person holds at this moment. */
export type AdminSession = SessionTimes & { id: string; userId: UserId; roles: PageRole[]; startedAt: number }

/** Why nobody is let in; a code for the audit log, the browser gets one answer for all. */
export type NotIn = {
  closed: 'unknown' | 'used' | 'withdrawn' | 'expired' | 'role' | 'idle' | 'reauth' | 'ended'
  user?: UserId
}

type Row = Record<string, unknown>
const toTimes = (r: Row): SessionTimes => ({
  seenAt: r.seen_at as number,
  verifiedAt: r.verified_at as number,
  idleMs: r.idle_ms as number,
  reauthMs: r.reauth_ms as number,
  endedAt: r.ended_at as number | null,
})

/** The live roles that open the page. */
const rolesNow = async (tx: Tx, user: string): Promise<PageRole[]> => {
  const held = (await listGrants(tx.sql, { userId: user })).filter(g => g.suspendedAt === null).map(g => g.role)
  return pageRoles.filter(role => held.includes(role))
}

/**
 * The value that calls carry beside the cookie, so that no other site can make them: it follows from the cookie, which no script can read, and so is the same in
 * every tab.
 */
export const bearerOf = (cookie: string): string =>
  createHash('sha256').update(`wardroom-admin-bearer\0${cookie}`, 'utf8').digest('base64url')

export const holdsAdminBearer = (cookie: string, bearer: string): boolean => sameSecret(bearerOf(cookie), bearer)

/** Signs a browser in with the token of a one-time link; the person's former session ends: the newest browser wins. */
export const signIn = async (
  tx: Tx,
  token: string,
  origin: Origin,
): Promise<{ session: AdminSession; cookie: string } | NotIn> => {
  const link = await takeAdminLink(tx, token)
  if ('closed' in link) return link
  const roles = await rolesNow(tx, link.user)
  if (roles.length === 0) return { closed: 'role', user: link.user }
  await endAdminSessions(tx, link.user, 'replaced')
  const cookie = Buffer.from(tx.deps.random.bytes(24)).toString('base64url')
  const id = newId<string>('as', tx.deps.random)
  const row = {
    id,
    user_id: link.user,
    link_id: link.id,
    cookie_hash: tokenHash(cookie),
    started_at: tx.now,
    seen_at: tx.now,
    verified_at: tx.now,
    idle_ms: adminIdle,
    reauth_ms: adminLimit,
    ended_at: null,
    origin: JSON.stringify(origin),
  }
  await tx.sql('admin_session').insert(row)
  await tx.audit({
    actor: { kind: 'user', id: link.user },
    action: 'admin.session',
    object: { kind: 'service', id: 'admin' },
    outcome: 'done',
    origin,
    detail: { what: 'in', session: id, roles: roles.join(' ') },
  })
  return { session: { ...toTimes(row), id, userId: link.user, roles, startedAt: tx.now }, cookie }
}

/**
 * The session of a cookie, locked until the transaction ends, with the roles that the person holds now. One that is over by any of its times, or whose person
 * lost the roles, is ended here. `touch`: the person did something, so the idle time starts again.
 */
export const enter = async (tx: Tx, cookie: string, touch: boolean): Promise<AdminSession | NotIn> => {
  const row = await tx
    .sql('admin_session')
    .where({ cookie_hash: tokenHash(cookie) })
    .forUpdate()
    .first()
  if (!row) return { closed: 'unknown' }
  const times = toTimes(row)
  const user = row.user_id as UserId
  const roles = await rolesNow(tx, user)
  const is = standing(times, tx.now)
  if (is === 'ended') return { closed: 'ended', user }
  if (is !== 'live' || roles.length === 0) {
    const reason = is === 'live' ? 'role' : is
    await endAdminSessions(tx, user, reason)
    return { closed: reason, user }
  }
  if (touch) await tx.sql('admin_session').where({ id: row.id }).update({ seen_at: tx.now })
  return { ...times, seenAt: touch ? tx.now : times.seenAt, id: row.id, userId: user, roles, startedAt: row.started_at }
}

/** Ends sessions whose time has passed, and forgets what is a month old; returns how many ended. Safe to run twice and in several processes. */
export const sweepAdminSessions = async (tx: Tx): Promise<number> => {
  const over: { user_id: string; seen_at: number; idle_ms: number }[] = await tx
    .sql('admin_session')
    .whereNull('ended_at')
    .whereRaw('least(seen_at + idle_ms, verified_at + reauth_ms) <= ?', [tx.now])
    .orderBy('id')
    .forUpdate()
  for (const s of over) await endAdminSessions(tx, s.user_id, tx.now >= s.seen_at + s.idle_ms ? 'idle' : 'reauth')
  const old = tx.now - days(30)
  await tx.sql('admin_session').where('ended_at', '<', old).delete()
  await tx
    .sql('admin_link')
    .where('expires_at', '<', old)
    .whereNotExists(tx.sql('admin_session').whereRaw('admin_session.link_id = admin_link.id'))
    .delete()
  return over.length
}
