import type { Knex } from 'knex'
import type { Db } from '../db.ts'

/** Was an event with content of this room ever seen, or is it one of ours? */
export const isKnownRoom = async (sql: Db | Knex.Transaction, room: string): Promise<boolean> =>
  Boolean(
    (await sql('record_room').where({ room_id: room }).first('room_id')) ??
      (await sql('room').where({ room_id: room }).first('room_id')),
  )

/** The patient whose care room it is, or null. */
export const patientOfRoom = async (sql: Db | Knex.Transaction, room: string): Promise<string | null> =>
  (await sql('room').where({ room_id: room }).first('patient_id'))?.patient_id ?? null

/** The staff who are in a care room now, as the homeserver reported it. */
export const staffInRoom = async (sql: Db | Knex.Transaction, room: string): Promise<string[]> =>
  sql('care_member').where({ room_id: room, membership: 'join' }).orderBy('user_id').pluck('user_id')

/** A patient's or a caregiver's own user. */
export const isPatientUser = (user: string): boolean => user.startsWith('@p_')
