import type { Knex } from 'knex'
import {
  type EventId,
  type LinkId,
  newId,
  type PatientId,
  type PersonId,
  type RoomId,
  type TextId,
  type UserId,
} from '../../domain/ids.ts'
import type { Db } from '../db.ts'
import type { Tx } from '../tx.ts'
import { type Notice, toNotice } from './notices.ts'

type Sql = Db | Knex.Transaction

/** Fixes who owns a patient's room, once, before anything is made at the homeserver. Returns the owner that stands. */
export const claimServiceUser = async (
  tx: Tx,
  patientId: PatientId,
  owner: UserId,
  sealedSecret: string,
): Promise<void> => {
  await tx
    .sql('patient')
    .where({ id: patientId })
    .whereNull('service_user')
    .update({ service_user: owner, service_secret: sealedSecret })
}

/** Stores a person's ghost and its sealed K together: an identity whose K is lost is never used. */
export const storeGhost = async (
  tx: Tx,
  personId: PersonId,
  ghost: UserId,
  sealedK: string,
  dehydratedDevice: string,
): Promise<void> => {
  await tx
    .sql('person')
    .where({ id: personId })
    .whereNull('ghost')
    .update({ ghost, k: sealedK, dehydrated_device: dehydratedDevice })
}

/** Writes down the room of a patient whose enrolment is still under way. */
export const noteRoom = async (tx: Tx, patientId: PatientId, roomId: RoomId): Promise<void> => {
  await tx.sql('patient').where({ id: patientId }).whereNull('room_id').update({ room_id: roomId })
}

/** The enrolment will never end; false when it has ended. */
export const failPatient = async (tx: Tx, patientId: PatientId): Promise<boolean> =>
  (await tx.sql('patient').where({ id: patientId, state: 'enrolling' }).update({ state: 'failed' })) > 0

export const openPatient = async (tx: Tx, patientId: PatientId, roomId: RoomId): Promise<boolean> =>
  (await tx
    .sql('patient')
    .where({ id: patientId, state: 'enrolling' })
    .update({ state: 'open', room_id: roomId, ready_at: tx.now })) > 0

export type RoomClass = 'care' | 'desk' | 'direct' | 'staff' | 'role' | 'space' | 'alert'

export const recordRoom = async (
  tx: Tx,
  room: { roomId: RoomId; class: RoomClass; patientId?: PatientId; unit?: string; by: string },
): Promise<void> => {
  await tx
    .sql('room')
    .insert({
      room_id: room.roomId,
      class: room.class,
      patient_id: room.patientId ?? null,
      unit: room.unit ?? null,
      created_at: tx.now,
      created_by: room.by,
    })
    .onConflict('room_id')
    .ignore()
}

export const spaceOf = async (sql: Sql, unit: string): Promise<RoomId | null> =>
  (
    (await sql('room').where({ class: 'space', unit }).whereNull('archived_at').first('room_id')) as
      | { room_id: RoomId }
      | undefined
  )?.room_id ?? null

export const archiveRoom = async (tx: Tx, roomId: RoomId): Promise<void> => {
  await tx.sql('room').where({ room_id: roomId }).update({ archived_at: tx.now })
}

/** Staff whose role lets them treat: who is invited to a new care room. */
export const cliniciansGranted = async (sql: Sql): Promise<string[]> =>
  (
    await sql('role_grant').whereIn('role', ['clinician', 'supervisor']).whereNull('suspended_at').distinct('user_id')
  ).map(r => r.user_id)

/** Has this person a page open right now? `since` is the instant after which it must have been seen. */
export const pageOpenSince = async (sql: Sql, personId: PersonId, since: number): Promise<boolean> =>
  (await sql('session')
    .where({ person_id: personId })
    .whereNull('ended_at')
    .whereRaw('greatest(seen_at, coalesce(polled_at, 0)) > ?', [since])
    .first('id')) !== undefined

/** Is this number stopped (STOP)? */
export const isStopped = async (sql: Sql, lookup: string): Promise<boolean> =>
  (await sql('stopped_number').where({ phone_lookup: lookup }).first('phone_lookup')) !== undefined

/** Adds a notice for a message and a person once; null when it is known already. */
export const addNotice = async (
  tx: Tx,
  n: { patientId: PatientId; personId: PersonId; roomId: RoomId; eventId: EventId; sender: string; sentAt: number },
): Promise<string | null> => {
  const id = newId<string>('nt', tx.deps.random)
  const rows = await tx
    .sql('notice')
    .insert({
      id,
      patient_id: n.patientId,
      person_id: n.personId,
      room_id: n.roomId,
      event_id: n.eventId,
      sender: n.sender,
      sent_at: n.sentAt,
      state: 'waiting',
      updated_at: tx.now,
    })
    .onConflict(['event_id', 'person_id'])
    .ignore()
    .returning('id')
  return rows.length > 0 ? id : null
}

export const noticeById = async (sql: Sql, id: string): Promise<Notice | null> => {
  const row = await sql('notice').where({ id }).first()
  return row ? toNotice(row) : null
}

/** The notice whose text is still unopened and whose link still lives: later messages ride on it (one outstanding text per person). */
export const outstanding = async (tx: Tx, personId: PersonId): Promise<Notice | null> => {
  const row = await tx
    .sql('notice')
    .join('link', 'link.id', 'notice.link_id')
    .where('notice.person_id', personId)
    .whereIn('notice.state', ['waiting', 'texted', 'delivered'])
    .whereNotNull('notice.text_id')
    .whereNull('link.withdrawn_at')
    .whereNull('link.opened_at')
    .where('link.expires_at', '>', tx.now)
    .orderBy('notice.sent_at', 'desc')
    .select('notice.*')
    .first()
  return row ? toNotice(row) : null
}

export const attachText = async (
  tx: Tx,
  noticeId: string,
  to: { textId: TextId | null; linkId: LinkId | null; nextAt: number | null; reminders?: number; state?: string },
): Promise<void> => {
  await tx
    .sql('notice')
    .where({ id: noticeId })
    .update({
      text_id: to.textId,
      link_id: to.linkId,
      next_at: to.nextAt,
      updated_at: tx.now,
      ...(to.reminders === undefined ? {} : { reminders: to.reminders }),
      ...(to.state ? { state: to.state } : {}),
    })
}

/** Open notices whose next step is due, oldest first. */
export const dueNotices = async (tx: Tx, limit: number): Promise<Notice[]> =>
  (
    await tx
      .sql('notice')
      .whereNotNull('next_at')
      .where('next_at', '<=', tx.now)
      .whereIn('state', ['waiting', 'texted', 'delivered', 'opened', 'verified'])
      .orderBy('next_at')
      .limit(limit)
      .forUpdate()
      .skipLocked()
  ).map(toNotice)

export const openNoticesOf = async (tx: Tx, personId: PersonId): Promise<Notice[]> =>
  (
    await tx
      .sql('notice')
      .where({ person_id: personId })
      .whereIn('state', ['waiting', 'texted', 'delivered', 'opened', 'verified'])
      .orderBy('sent_at')
      .forUpdate()
  ).map(toNotice)

export const setNext = async (tx: Tx, noticeId: string, nextAt: number | null): Promise<void> => {
  await tx.sql('notice').where({ id: noticeId }).update({ next_at: nextAt })
}

/** True the first time that this mark is put on this notice. */
export const recordMark = async (tx: Tx, noticeId: string, mark: string, eventId: string | null): Promise<void> => {
  await tx
    .sql('notice_mark')
    .insert({ notice_id: noticeId, mark, event_id: eventId, at: tx.now })
    .onConflict(['notice_id', 'mark'])
    .ignore()
}

/** Notices that ride on the same unopened text as this one, without it. */
export const ridersOf = async (tx: Tx, notice: Notice): Promise<Notice[]> =>
  (
    await tx
      .sql('notice')
      .where({ person_id: notice.personId, text_id: notice.textId })
      .whereNot({ id: notice.id })
      .whereIn('state', ['waiting', 'texted', 'delivered'])
  ).map(toNotice)

/** Had somebody written in this room before that instant? */
export const wroteBefore = async (sql: Sql, roomId: RoomId, at: number): Promise<boolean> =>
  (await sql('notice').where({ room_id: roomId }).where('sent_at', '<', at).first('id')) !== undefined

/** The address (mxc) of a picture of ours, if it was uploaded already. */
export const assetMxc = async (sql: Sql, name: string): Promise<string | null> =>
  ((await sql('asset').where({ name }).first('mxc')) as { mxc: string } | undefined)?.mxc ?? null

export const storeAsset = async (tx: Tx, name: string, mxc: string): Promise<void> => {
  await tx.sql('asset').insert({ name, mxc }).onConflict('name').ignore()
}
