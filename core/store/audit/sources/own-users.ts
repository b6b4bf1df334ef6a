import type { Knex } from 'knex'
import type { Instant } from '../../../domain/clock.ts'
import { minutes } from '../../../domain/clock.ts'
import type { UserId } from '../../../domain/ids.ts'
import type { Db } from '../../db.ts'
import type { Tx } from '../../tx.ts'

type Sql = Db | Knex.Transaction

/** A user of ours at the homeserver: the devices that we made, and whose it is. */
export type OwnUser = { userId: UserId; patient: string | null; devices: ReadonlySet<string> }

/** A device that ended so lately may still be shown. */
const goneMs = minutes(2)

/** Patients' and caregivers' ghosts and the owners of care rooms, after `after`, in the order of their ids. */
export const ownUsers = async (
  sql: Sql,
  after: string,
  limit: number,
): Promise<{ userId: UserId; patient: string }[]> => {
  const { rows } = await sql.raw(
    `select user_id as "userId", patient from (
       select ghost as user_id, patient_id as patient from person where ghost is not null
       union all select service_user, id from patient where service_user is not null) own
     where user_id > ? order by user_id limit ?`,
    [after, limit],
  )
  return rows
}

/**
 * The devices that we made for these users. Ask after the homeserver was asked: the row of a patient's device is there before the device is.
 */
export const madeDevices = async (
  sql: Sql,
  users: readonly string[],
  now: Instant,
): Promise<Map<string, Set<string>>> => {
  const { rows } = await sql.raw(
    `select ghost as user, dehydrated_device as device from person where ghost = any(?::text[])
     union all select user_id, device_id from session_device where user_id = any(?::text[]) and coalesce(gone_at, ?) > ?
     union all select p.ghost, unnest(array[r.device_id, r.replaces]) from renewal r join person p on p.id = r.person_id where p.ghost = any(?::text[])
     union all select user_id, device_id from export_device where user_id = any(?::text[]) and coalesce(gone_at, ?) > ?`,
    [[...users], [...users], now, now - goneMs, [...users], [...users], now, now - goneMs],
  )
  const out = new Map<string, Set<string>>()
  for (const { user, device } of rows as { user: string; device: string | null }[])
    if (device !== null) out.set(user, (out.get(user) ?? new Set<string>()).add(device))
  return out
}

/** The mark of another cross-signing identity than the first, where a device's id would stand. */
const identityMark = 'identity'

/** Is this the identity that the user had when it was first seen? Notes the first one. */
export const isFirstIdentity = async (tx: Tx, userId: string, masterKey: string): Promise<boolean> => {
  await tx
    .sql('own_identity')
    .insert({ user_id: userId, master_key: masterKey, seen_at: tx.now })
    .onConflict('user_id')
    .ignore()
  const row: { master_key: string } | undefined = await tx.sql('own_identity').where({ user_id: userId }).first()
  return row?.master_key === masterKey
}

export type Seen = {
  userId: string
  patient?: string | null
  /** Devices that we did not make. */
  foreign: readonly string[]
  replaced: boolean
  /** How long one must be there before it is reported: our own short-lived devices have no row. */
  afterMs: number
}

/**
 * Notes what a user of ours has that we did not make, and reports it once as `device.change` (`foreign-device`, `identity-replaced`) when it has been there for
 * `afterMs`; what is gone is forgotten.
 */
export const noteForeign = async (tx: Tx, s: Seen): Promise<void> => {
  const marks = [...s.foreign, ...(s.replaced ? [identityMark] : [])]
  await tx.sql('foreign_device').where({ user_id: s.userId }).whereNotIn('device_id', marks).delete()
  if (marks.length === 0) return
  await tx
    .sql('foreign_device')
    .insert(marks.map(device_id => ({ user_id: s.userId, device_id, seen_at: tx.now })))
    .onConflict(['user_id', 'device_id'])
    .ignore()
  const due: { device_id: string }[] = await tx
    .sql('foreign_device')
    .where({ user_id: s.userId })
    .whereNull('reported_at')
    .where('seen_at', '<=', tx.now - s.afterMs)
    .update({ reported_at: tx.now })
    .returning('device_id')
  for (const { device_id } of due) {
    const identity = device_id === identityMark
    await tx.audit({
      actor: { kind: 'anonymous', id: 'homeserver' },
      action: 'device.change',
      object: { kind: 'device', id: identity && !s.patient ? s.userId : device_id },
      outcome: 'done',
      reason: identity ? 'identity-replaced' : 'foreign-device',
      ...(s.patient ? { patient: s.patient } : { detail: { user: s.userId } }),
    })
  }
}
