import type { Knex } from 'knex'
import { type RenewalFacts, renewalRules } from '../../domain/care/renewal.ts'
import type { Instant } from '../../domain/clock.ts'
import type { DeviceId, PatientId, PersonId, RoomId, UserId } from '../../domain/ids.ts'
import { sameSecret } from '../../secret.ts'
import type { Db } from '../db.ts'
import type { Tx } from '../tx.ts'
import { tokenHash } from './links.ts'
import { hasSession } from './sessions.ts'

type Sql = Db | Knex.Transaction

const actor = { kind: 'service', id: 'bridge' } as const

/** Whose dehydrated device it is. */
export type Ghost = { personId: PersonId; patientId: PatientId; ghost: UserId; roomId: RoomId }

/** A replacement under way. `replaces`: the dehydrated device that was there at its beginning. `saved`: the live device's keys, encrypted under K. */
export type RenewalRun = { deviceId: DeviceId; replaces: DeviceId | null; saved: Buffer | null }

const ghosts = (sql: Sql) =>
  sql('person as p')
    .join('patient as t', 't.id', 'p.patient_id')
    .leftJoin('renewal as r', 'r.person_id', 'p.id')
    .whereNotNull('p.ghost')
    .whereNull('p.removed_at')
    .where('t.state', 'open')
    .select('p.id as personId', 'p.patient_id as patientId', 'p.ghost', 't.room_id as roomId')

/** Ghosts whose waiting events are to be counted now, the longest waiting first. */
export const ghostsToLookAt = (sql: Sql, now: Instant, limit: number): Promise<Ghost[]> =>
  ghosts(sql)
    .whereNull('r.device_id')
    .whereRaw('coalesce(r.look_at, 0) <= ?', [now])
    .orderByRaw('coalesce(r.look_at, 0), p.id')
    .limit(limit)

/** Ghosts whose replacement was begun and not finished, when its last attempt is some time ago. */
export const brokenRenewals = (sql: Sql, now: Instant): Promise<Ghost[]> =>
  ghosts(sql).whereNotNull('r.device_id').where('r.look_at', '<=', now).orderBy('r.begun_at')

/** Live devices of replacements whose patient was closed or person removed meanwhile: nobody goes on with them. */
export const orphanedRenewals = (sql: Sql): Promise<(Ghost & { deviceId: DeviceId })[]> =>
  sql('renewal as r')
    .join('person as p', 'p.id', 'r.person_id')
    .join('patient as t', 't.id', 'p.patient_id')
    .whereNotNull('r.device_id')
    .whereRaw(`(p.removed_at is not null or t.state <> 'open')`)
    .select(
      'p.id as personId',
      'p.patient_id as patientId',
      'p.ghost',
      't.room_id as roomId',
      'r.device_id as deviceId',
    )

/** Is the page open, and when was the last message written in the room? */
export const roomFacts = async (sql: Sql, g: Ghost, now: Instant): Promise<Omit<RenewalFacts, 'waiting'>> => {
  const sessionOpen = await hasSession(sql, g.personId, now)
  const wrote = await sql('inbox')
    .where({ room_id: g.roomId, type: 'm.room.encrypted' })
    .max<{ at: number | null }>('received_at as at')
    .first()
  return { sessionOpen, wroteAt: wrote?.at ?? null }
}

/** Notes a count and when to look again. */
export const noteLook = async (tx: Tx, personId: PersonId, waiting: number | null, lookAt: Instant): Promise<void> => {
  await tx
    .sql('renewal')
    .insert({ person_id: personId, waiting, look_at: lookAt })
    .onConflict('person_id')
    .merge(['waiting', 'look_at'])
}

export const renewalOf = async (sql: Sql, personId: PersonId): Promise<RenewalRun | null> => {
  const r = await sql('renewal').where({ person_id: personId }).whereNotNull('device_id').first()
  return r ? { deviceId: r.device_id, replaces: r.replaces, saved: r.saved } : null
}

/** Begins a replacement with a live device of its own, or tries one that was killed again: then with the same device, and a new bearer shuts the old process out. */
export const beginRenewal = async (tx: Tx, g: Ghost, run: RenewalRun, bearer: string): Promise<void> => {
  const row = {
    look_at: tx.now + renewalRules.againMs,
    device_id: run.deviceId,
    replaces: run.replaces,
    bearer_hash: tokenHash(bearer),
    begun_at: tx.now,
  }
  await tx
    .sql('renewal')
    .insert({ person_id: g.personId, ...row })
    .onConflict('person_id')
    .merge()
  if (run.saved) return
  await tx.audit({
    actor,
    action: 'device.create',
    object: { kind: 'device', id: run.deviceId },
    outcome: 'done',
    patient: g.patientId,
    room: g.roomId,
    reason: 'renewal',
  })
}

/** Nothing of a replacement is left: its live device is gone. `dehydrated`: the device that now stands; null when it did not come to that. */
export const endRenewal = async (tx: Tx, g: Ghost, device: DeviceId, dehydrated: DeviceId | null): Promise<void> => {
  const done = dehydrated !== null
  await tx
    .sql('renewal')
    .where({ person_id: g.personId })
    .update({
      device_id: null,
      replaces: null,
      bearer_hash: null,
      begun_at: null,
      saved: null,
      look_at: tx.now + (done ? renewalRules.lookEveryMs : renewalRules.againMs),
      ...(done ? { waiting: 0, renewed_at: tx.now } : {}),
    })
  const about = { actor, patient: g.patientId, room: g.roomId, reason: 'renewal' } as const
  await tx.audit({ ...about, action: 'device.delete', object: { kind: 'device', id: device }, outcome: 'done' })
  if (!done) return
  await tx.sql('person').where({ id: g.personId }).update({ dehydrated_device: dehydrated })
  await tx.audit({
    ...about,
    action: 'device.create',
    object: { kind: 'person', id: g.personId },
    outcome: 'done',
    detail: { kind: 'dehydrated' },
  })
}

/** The replacement that a process may go on with: it shows the bearer of the latest attempt, for at most `lifeMs`. */
export const renewalByBearer = async (
  sql: Sql,
  personId: PersonId,
  bearer: string,
  now: Instant,
  lifeMs: number,
): Promise<(Ghost & RenewalRun) | null> => {
  const row = await ghosts(sql)
    .where('p.id', personId)
    .whereNotNull('r.device_id')
    .where('r.begun_at', '>', now - lifeMs)
    .select('r.device_id', 'r.replaces', 'r.saved', 'r.bearer_hash')
    .first()
  if (!row || !sameSecret(row.bearer_hash, tokenHash(bearer))) return null
  const { personId: id, patientId, ghost, roomId } = row
  return { personId: id, patientId, ghost, roomId, deviceId: row.device_id, replaces: row.replaces, saved: row.saved }
}

/** Keeps the live device's keys, for the attempt that still stands. */
export const saveRenewal = async (sql: Sql, personId: PersonId, bearer: string, saved: Buffer): Promise<boolean> =>
  (await sql('renewal')
    .where({ person_id: personId, bearer_hash: tokenHash(bearer) })
    .update({ saved })) > 0

/** Notes the device that is about to be put, before it is: whoever watches the ghost's devices knows it as ours from its first moment; the old one stands in `replaces`. */
export const noteNewDevice = async (sql: Sql, personId: PersonId, device: string): Promise<void> => {
  await sql('person').where({ id: personId }).update({ dehydrated_device: device })
}
