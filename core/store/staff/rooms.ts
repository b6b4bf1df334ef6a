import type { Knex } from 'knex'
import type { RoomId, UserId } from '../../domain/ids.ts'
import type { Db } from '../db.ts'
import type { RoomClass } from '../patients/care.ts'
import type { Tx } from '../tx.ts'

type Sql = Db | Knex.Transaction

/** A room that Wardroom made or joined, and what it is for. */
export type KnownRoom = {
  roomId: RoomId
  class: RoomClass
  unit: string | null
  /** Whom a direct chat is with. */
  peer: UserId | null
  createdBy: string
}

type Row = Record<string, unknown>
const toRoom = (r: Row): KnownRoom => ({
  roomId: r.room_id as RoomId,
  class: r.class as RoomClass,
  unit: r.unit as string | null,
  peer: r.peer as UserId | null,
  createdBy: r.created_by as string,
})

/** What a room is for, or undefined when it is none of ours or was given up. */
export const roomById = async (sql: Sql, roomId: string): Promise<KnownRoom | undefined> => {
  const row = await sql('room').where({ room_id: roomId }).whereNull('archived_at').first()
  return row ? toRoom(row) : undefined
}

/** The bot's direct chat with somebody: one that it made itself before one that it was invited to, because there it may redact; then the newest. */
export const directRoomWith = async (sql: Sql, bot: string, peer: string): Promise<KnownRoom | undefined> => {
  const row = await sql('room')
    .where({ class: 'direct', peer })
    .whereNull('archived_at')
    .orderByRaw('(created_by = ?) desc, created_at desc', [bot])
    .first()
  return row ? toRoom(row) : undefined
}

export const recordDirectRoom = async (
  tx: Tx,
  room: { roomId: RoomId; peer: UserId; createdBy: string },
): Promise<void> => {
  await tx
    .sql('room')
    .insert({
      room_id: room.roomId,
      class: 'direct',
      peer: room.peer,
      created_at: tx.now,
      created_by: room.createdBy,
    })
    .onConflict('room_id')
    .merge({ archived_at: null })
}

type Created = { type: string; sender: string; room_id: string; content: Record<string, unknown> }

/**
 * Records the direct chats that the bot makes, in the transaction that takes their events in: whoever is invited writes as soon as the room is there, and what stands
 * in a room that nobody knows is not for the bot. `key`: what says in the create event whom the chat is with.
 */
export const noteOwnDirects = async (tx: Tx, events: readonly Created[], bot: string, key: string): Promise<void> => {
  for (const e of events) {
    const peer = e.type === 'm.room.create' && e.sender === bot ? e.content[key] : undefined
    // The homeserver may pass an event on again, after the chat was left.
    if (typeof peer !== 'string' || (await tx.sql('room').where({ room_id: e.room_id }).first('room_id'))) continue
    await recordDirectRoom(tx, { roomId: e.room_id as RoomId, peer: peer as UserId, createdBy: bot })
  }
}

/** The units' desk rooms, `main` first. */
export const deskRooms = async (sql: Sql): Promise<(KnownRoom & { unit: string })[]> =>
  (await sql('room').where({ class: 'desk' }).whereNull('archived_at').orderByRaw(`unit = 'main' desc, unit`)).map(
    r => ({ ...toRoom(r), unit: (r.unit as string | null) ?? 'main' }),
  )

export const deskRoomOf = async (sql: Sql, unit: string): Promise<RoomId | undefined> =>
  (await deskRooms(sql)).find(r => r.unit === unit)?.roomId

/** The room to which alerts of the audit log go, once the bot has made it. */
export const complianceRoom = async (sql: Sql): Promise<RoomId | undefined> =>
  (await sql('room').where({ class: 'alert', unit: 'compliance' }).whereNull('archived_at').first('room_id'))?.room_id

/** The room that hospitals share for their checkpoints, once the bot is in it. */
export const pinRoom = async (sql: Sql, roomId: string): Promise<RoomId | undefined> =>
  (await sql('room').where({ class: 'alert', unit: 'pins', room_id: roomId }).whereNull('archived_at').first('room_id'))
    ?.room_id
