import type { Knex } from 'knex'
import type { Instant } from '../../domain/clock.ts'
import type { DeviceId, PatientId, UserId } from '../../domain/ids.ts'
import type { RecordClass } from '../../domain/records/facts.ts'
import type { Db } from '../db.ts'
import type { Tx } from '../tx.ts'
import { coveredAmong } from './coverage.ts'
import type { ExportRequest } from './exports.ts'

type Sql = Db | Knex.Transaction

export type ExportRoom = { room: string; class: RecordClass; patient: PatientId | null }
export type ToldRoom = ExportRoom & { toldAt: Instant | null; untold: string | null }

/** More rooms than this are more than one request can be about. */
export const mostExportRooms = 500

/** The rooms that an export reads: of a user, those where something of theirs was sent in the range; of a patient's copy, their care room alone. */
export const exportScope = async (
  sql: Sql,
  r: Pick<ExportRequest, 'about' | 'since' | 'until' | 'copy'>,
): Promise<ExportRoom[]> => {
  const { about } = r
  const { rows } = await sql.raw(
    `select distinct on (room) room, class, patient from (
       select r.room_id as room, r.class, r.patient_id as patient from record r
       where (:room::text is null or r.room_id = :room) and (:user::text is null or r.sender = :user)
         and (:patient::text is null or r.patient_id = :patient) and (not :copy or r.class = 'care')
         and (:room::text is not null or :patient::text is not null or (r.sent_at >= coalesce(:since::bigint, 0) and r.sent_at < :until))
       union all
       select k.room_id, case when k.class in ('care','direct','role','desk') then k.class else 'staff' end, k.patient_id from room k
       where k.room_id = :room or (k.patient_id = :patient and k.class = 'care')
     ) s order by room, patient nulls last limit :most`,
    {
      room: about.kind === 'room' ? about.room : null,
      user: about.kind === 'user' ? about.user : null,
      patient: about.kind === 'patient' ? about.patient : null,
      copy: r.copy,
      since: r.since,
      until: r.until,
      most: mostExportRooms + 1,
    } as never,
  )
  return rows
}

/** Notes the rooms of an approved export and has each told: care rooms by the bridge, covered ones by the records bot, every other one by `@wardroom`. */
export const askRooms = async (tx: Tx, id: string, rooms: readonly ExportRoom[]): Promise<void> => {
  if (rooms.length === 0) return
  await tx
    .sql('export_room')
    .insert(rooms.map(r => ({ export_id: id, room_id: r.room, class: r.class, patient_id: r.patient })))
  const covered = await coveredAmong(
    tx.sql,
    rooms.map(r => r.room),
  )
  for (const { room, class: kind, patient } of rooms)
    await tx.enqueue({
      queue: kind === 'care' ? 'bridge' : 'bots',
      kind: kind === 'care' ? 'care.export-told' : covered.has(room) ? 'records.export-told' : 'desk.export-told',
      key: `export-told:${id}:${room}`,
      lane: room,
      payload: { exportId: id, room },
      ...(patient ? { patient } : {}),
    })
}

/** The rooms of an approved export, and whether each was told. */
export const roomsOfExport = async (sql: Sql, id: string): Promise<ToldRoom[]> =>
  (await sql('export_room').where({ export_id: id }).orderBy('room_id')).map(r => ({
    room: r.room_id,
    class: r.class,
    patient: r.patient_id,
    toldAt: r.told_at,
    untold: r.untold,
  }))

/** Notes that a room was told, or why nobody of ours can say anything there. */
export const noteTold = async (
  tx: Tx,
  { id, room, by, event, untold }: { id: string; room: string; by: string; event?: string; untold?: string },
): Promise<void> => {
  const [row] = await tx
    .sql('export_room')
    .where({ export_id: id, room_id: room })
    .update(untold ? { untold } : { told_at: tx.now, untold: null })
    .returning('patient_id')
  await tx.audit({
    actor: { kind: 'service', id: by },
    action: 'export.tell',
    object: { kind: 'export', id },
    outcome: untold ? 'failed' : 'done',
    room,
    ...(row?.patient_id ? { patient: row.patient_id } : {}),
    ...(untold ? { reason: untold } : {}),
    ...(event ? { detail: { event } } : {}),
  })
}

export type ExportDevice = { deviceId: DeviceId; userId: UserId; exportId: string }

/** Written down before the device is made, with the entry of the log: a kill leaves nothing that the sweep does not find. */
export const noteExportDevice = async (tx: Tx, d: ExportDevice & { patient: string; room: string }): Promise<void> => {
  await tx
    .sql('export_device')
    .insert({ device_id: d.deviceId, export_id: d.exportId, user_id: d.userId, created_at: tx.now })
  await tx.audit({
    actor: { kind: 'service', id: 'export' },
    action: 'export.key',
    object: { kind: 'export', id: d.exportId },
    outcome: 'done',
    patient: d.patient,
    room: d.room,
    detail: { device: d.deviceId },
  })
}

/** The homeserver has deleted the device. */
export const exportDeviceGone = async (tx: Tx, deviceId: DeviceId): Promise<void> => {
  const gone = await tx
    .sql('export_device')
    .where({ device_id: deviceId })
    .whereNull('gone_at')
    .update({ gone_at: tx.now })
  if (gone > 0)
    await tx.audit({
      actor: { kind: 'service', id: 'export' },
      action: 'device.delete',
      object: { kind: 'device', id: deviceId },
      outcome: 'done',
    })
}

/** Devices that a killed run left, made before `before`. */
export const leftExportDevices = async (sql: Sql, before: Instant): Promise<ExportDevice[]> =>
  (await sql('export_device').whereNull('gone_at').where('created_at', '<', before).limit(100)).map(r => ({
    deviceId: r.device_id,
    userId: r.user_id,
    exportId: r.export_id,
  }))

/** Whose keys the officers' recovery key opens: everybody who takes part in the patient's care room by a telephone, or ever did. */
export type Ghost = { ghost: UserId; kind: 'patient' | 'caregiver'; sealedK: string | null }

export const ghostsWithKeys = async (sql: Sql, patient: PatientId): Promise<Ghost[]> =>
  (await sql('person').where({ patient_id: patient }).whereNotNull('ghost').orderBy('created_at')).map(r => ({
    ghost: r.ghost,
    kind: r.kind,
    sealedK: r.k,
  }))

/** The newest public read receipt of each person in a room, where it was given before `until`. */
export const receiptsOf = async (
  sql: Sql,
  room: string,
  until: Instant,
): Promise<{ user: string; event: string; thread: string; at: Instant }[]> =>
  (await sql('receipt_seen').where({ room_id: room }).where('at', '<', until).orderBy(['at', 'user_id', 'thread'])).map(
    r => ({ user: r.user_id, event: r.event_id, thread: r.thread, at: r.at }),
  )

/** Was a message removed or recalled, or what it edits? An edit says again what was taken back, and is not always removed with it. */
export const isTakenBack = async (sql: Sql, event: string): Promise<boolean> =>
  (await sql('record')
    .where({ event_id: event })
    .where(q => q.whereNotNull('removed_at').orWhereNotNull('recalled_at').orWhereNotNull('hidden_at'))
    .first('event_id')) !== undefined
