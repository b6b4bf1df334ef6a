import type { Knex } from 'knex'
import {
  base32,
  type DeviceId,
  type LinkId,
  newId,
  type PatientId,
  type PersonId,
  type SessionId,
} from '../../domain/ids.ts'
import { type SessionTimes, standing } from '../../domain/session.ts'
import { sameSecret } from '../../secret.ts'
import type { Db } from '../db.ts'
import type { Tx } from '../tx.ts'
import { type FoundLink, tokenHash } from './links.ts'

/** A browser's session as the server knows it; cookie and bearer only as hashes. */
export type Session = SessionTimes & {
  id: SessionId
  linkId: LinkId
  personId: PersonId
  patientId: PatientId
  cookieHash: string
  csrfHash: string
  deviceId: DeviceId | null
  userId: string
  roomId: string
  startedAt: number
  /** Why it ended: a code. */
  endReason: string | null
}

export type Origin = { ip?: string; agent?: string }

type Row = Record<string, unknown>
const toSession = (r: Row): Session => ({
  id: r.id as SessionId,
  linkId: r.link_id as LinkId,
  personId: r.person_id as PersonId,
  patientId: r.patient_id as PatientId,
  cookieHash: r.cookie_hash as string,
  csrfHash: r.csrf_hash as string,
  deviceId: r.device_id as DeviceId | null,
  userId: r.user_id as string,
  roomId: r.room_id as string,
  startedAt: r.started_at as number,
  seenAt: r.seen_at as number,
  verifiedAt: r.verified_at as number,
  idleMs: r.idle_ms as number,
  reauthMs: r.reauth_ms as number,
  endedAt: r.ended_at as number | null,
  endReason: r.end_reason as string | null,
})

/** The actor of everything that a patient's browser does. */
export const actorOf = (s: Pick<Session, 'personId' | 'deviceId'>) => ({
  kind: 'person' as const,
  id: s.personId,
  ...(s.deviceId ? { device: s.deviceId } : {}),
})

/** What a session's browser holds: cookie (HttpOnly) and bearer. Each 128 bits or more. */
const newSecret = (tx: Tx): string => Buffer.from(tx.deps.random.bytes(24)).toString('base64url')

const newDevice = async (tx: Tx, sessionId: SessionId, userId: string): Promise<DeviceId> => {
  const device = `W${base32(tx.deps.random.bytes(12)).toUpperCase()}` as DeviceId
  await tx
    .sql('session_device')
    .insert({ device_id: device, session_id: sessionId, user_id: userId, created_at: tx.now })
  return device
}

const endLive = async (
  tx: Tx,
  which: { person_id: PersonId } | { id: SessionId },
  reason: string,
  origin?: Origin,
): Promise<SessionId[]> => {
  const rows: { id: SessionId; patient_id: string }[] = await tx
    .sql('session')
    .where(which)
    .whereNull('ended_at')
    .update({ ended_at: tx.now, end_reason: reason })
    .returning(['id', 'patient_id'])
  for (const row of rows)
    await tx.audit({
      actor: { kind: 'service', id: 'sessions' },
      action: reason === 'replaced' ? 'session.replace' : 'session.end',
      object: { kind: 'session', id: row.id },
      outcome: 'done',
      patient: row.patient_id,
      reason,
      ...(origin ? { origin } : {}),
    })
  return rows.map(r => r.id)
}

/** Ends a person's running session, whoever's browser holds it. `reason` is a code: `replaced`, `ended`, `locked`, … */
export const endSessionsOf = (tx: Tx, personId: PersonId, reason: string): Promise<SessionId[]> =>
  endLive(tx, { person_id: personId }, reason)

/** Ends one session, if it still lives. */
export const endSession = (tx: Tx, id: SessionId, reason: string, origin?: Origin): Promise<SessionId[]> =>
  endLive(tx, { id }, reason, origin)

/** A new session for the person of a link; the person's former one ends: the newest browser wins (row 57). The device's row comes before the device. */
export const startSession = async (
  tx: Tx,
  link: FoundLink,
  times: { idleMs: number; reauthMs: number },
  origin: Origin,
): Promise<{ session: Session; cookie: string; csrf: string; replaced: SessionId[] }> => {
  const replaced = await endSessionsOf(tx, link.person.id, 'replaced')
  const cookie = newSecret(tx)
  const csrf = newSecret(tx)
  const id = newId<SessionId>('se', tx.deps.random)
  const userId = link.person.ghost
  if (!userId) throw new Error(`person ${link.person.id} has no ghost`)
  const [row] = await tx
    .sql('session')
    .insert({
      id,
      link_id: link.id,
      person_id: link.person.id,
      patient_id: link.patientId,
      cookie_hash: tokenHash(cookie),
      csrf_hash: tokenHash(csrf),
      user_id: userId,
      room_id: link.roomId,
      started_at: tx.now,
      seen_at: tx.now,
      verified_at: tx.now,
      idle_ms: times.idleMs,
      reauth_ms: times.reauthMs,
      origin: JSON.stringify(origin),
    })
    .returning('*')
  const device = await newDevice(tx, id, userId)
  await tx.sql('session').where({ id }).update({ device_id: device })
  const session = { ...toSession(row), deviceId: device }
  await tx.audit({
    actor: actorOf(session),
    action: 'session.start',
    object: { kind: 'session', id },
    outcome: 'done',
    patient: link.patientId,
    room: link.roomId,
    origin,
  })
  return { session, cookie, csrf, replaced }
}

/** Locks and reads the session of a cookie, whatever its standing; null for an unknown one. */
export const sessionByCookie = async (tx: Tx, cookie: string): Promise<Session | null> => {
  const row = await tx
    .sql('session')
    .where({ cookie_hash: tokenHash(cookie) })
    .forUpdate()
    .first()
  return row ? toSession(row) : null
}

/** As `sessionByCookie`, without a lock, for the proxy's and the keeper's checks. */
export const peekSession = async (sql: Db | Knex.Transaction, cookie: string): Promise<Session | null> => {
  const row = await sql('session')
    .where({ cookie_hash: tokenHash(cookie) })
    .first()
  return row ? toSession(row) : null
}

export const sessionById = async (sql: Db | Knex.Transaction, id: SessionId): Promise<Session | null> => {
  const row = await sql('session').where({ id }).first()
  return row ? toSession(row) : null
}

/** Has this person a session that is not idle yet? */
export const hasSession = async (sql: Db | Knex.Transaction, personId: PersonId, now: number): Promise<boolean> =>
  (await sql('session')
    .where({ person_id: personId })
    .whereNull('ended_at')
    .whereRaw('seen_at + idle_ms > ?', [now])
    .first('id')) !== undefined

export const holdsCookie = (s: Session, cookie: string): boolean => sameSecret(s.cookieHash, tokenHash(cookie))
export const holdsBearer = (s: Session, csrf: string): boolean => sameSecret(s.csrfHash, tokenHash(csrf))

/** A reload, a second tab, or a later link of the same person: a new bearer and a new device; the old ones are void from now on. */
export const renewSession = async (
  tx: Tx,
  s: Session,
  link: LinkId,
  origin: Origin,
): Promise<{ session: Session; csrf: string }> => {
  const csrf = newSecret(tx)
  const device = await newDevice(tx, s.id, s.userId)
  await tx
    .sql('session')
    .where({ id: s.id })
    .update({ link_id: link, csrf_hash: tokenHash(csrf), device_id: device, seen_at: tx.now })
  const session = { ...s, linkId: link, csrfHash: tokenHash(csrf), deviceId: device, seenAt: tx.now }
  await tx.audit({
    actor: actorOf(session),
    action: 'session.start',
    object: { kind: 'session', id: s.id },
    outcome: 'done',
    patient: s.patientId,
    room: s.roomId,
    origin,
    reason: 'reload',
  })
  return { session, csrf }
}

/** The person did something: the idle time starts again. Written at most every five seconds; no audit, since it grants nothing new. */
export const touchSession = async (db: Db | Knex.Transaction, s: Session, now: number): Promise<void> => {
  if (now - s.seenAt < 5000) return
  await db('session').where({ id: s.id }).whereNull('ended_at').where('seen_at', '<', now).update({ seen_at: now })
}

/** The page asked for news: it is open, whether or not anybody touches it. Keeps no session alive. */
export const notePoll = async (db: Db, id: SessionId, now: number): Promise<void> => {
  await db('session').where({ id }).whereNull('ended_at').update({ polled_at: now })
}

/** The idle time starts again, by the patient's own wish. */
export const extendSession = async (tx: Tx, s: Session): Promise<Session> => {
  await tx.sql('session').where({ id: s.id }).whereNull('ended_at').update({ seen_at: tx.now })
  return { ...s, seenAt: tx.now }
}

export const setVerified = async (tx: Tx, s: Session): Promise<Session> => {
  await tx.sql('session').where({ id: s.id }).update({ verified_at: tx.now, seen_at: tx.now })
  return { ...s, verifiedAt: tx.now, seenAt: tx.now }
}

/** The tab closes or reloads: its device goes and its bearer is void, the session waits for it until it is idle. */
export const leaveSession = async (tx: Tx, s: Session, origin: Origin): Promise<void> => {
  await tx
    .sql('session')
    .where({ id: s.id, device_id: s.deviceId })
    .update({ device_id: null, csrf_hash: tokenHash(newSecret(tx)) })
  await tx.audit({
    actor: actorOf(s),
    action: 'session.end',
    object: { kind: 'session', id: s.id },
    outcome: 'done',
    patient: s.patientId,
    origin,
    reason: 'leaving',
  })
}

/** Ends sessions whose idle time has passed; returns how many. Safe to run twice and in several processes. */
export const endIdleSessions = async (tx: Tx): Promise<number> => {
  const rows = await tx
    .sql('session')
    .whereNull('ended_at')
    .whereRaw('seen_at + idle_ms <= ?', [tx.now])
    .orderBy('id')
    .forUpdate()
  for (const s of rows.map(toSession)) if (standing(s, tx.now) === 'idle') await endSession(tx, s.id, 'idle')
  return rows.length
}
