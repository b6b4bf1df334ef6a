import type { Knex } from 'knex'
import type { RoomId, UserId } from '../../domain/ids.ts'
import type { Db } from '../db.ts'
import { archiveRoom, recordRoom } from '../patients/care.ts'
import type { RawEvent } from '../queues/inbox.ts'
import type { NewJob, Tx } from '../tx.ts'

type Sql = Db | Knex.Transaction

/** A direct chat with a role's user. `peer`: who opened it; `pageId`: the page that its messages made or joined last. */
export type RoleChat = { roomId: RoomId; role: string; user: UserId; peer: UserId; pageId: string | null }

type Row = { room_id: RoomId; role: string; user_id: UserId; peer: UserId; page_id: string | null }
const toChat = (r: Row): RoleChat => ({
  roomId: r.room_id,
  role: r.role,
  user: r.user_id,
  peer: r.peer,
  pageId: r.page_id,
})

/** Why a role does not come into a room. */
export type Unwelcome = 'unknown-role' | 'not-encrypted' | 'not-direct' | 'not-local' | 'has-a-role'

const roleUser = /^@role_[^:]+:(.+)$/
const serverOf = (user: string) => user.slice(user.indexOf(':') + 1)
const ours = /^@(wardroom[_:]|role_|[pr]_)/

type Stripped = { type?: string }

/** Anyone of the homeserver may write to a role, in an encrypted chat of two. */
const unwelcome = (e: RawEvent, known: boolean): Unwelcome | undefined => {
  const state = (e.unsigned?.invite_room_state ?? []) as Stripped[]
  if (!known) return 'unknown-role'
  if (serverOf(e.sender) !== serverOf(e.state_key ?? '') || ours.test(e.sender)) return 'not-local'
  if (!state.some(s => s.type === 'm.room.encryption')) return 'not-encrypted'
  return e.content.is_direct === true ? undefined : 'not-direct'
}

const invited = async (tx: Tx, e: RawEvent): Promise<void> => {
  const user = e.state_key as UserId
  const room = e.room_id as RoomId
  const role = await tx.sql('oncall_role').where({ user_id: user }).whereNull('removed_at').first('key', 'unit')
  let refused = unwelcome(e, role !== undefined)
  // A care room has no listener, whoever invites one and whatever the invitation calls itself; nor has a desk room a role's.
  const other = await tx.sql('room').where({ room_id: room }).whereNot({ class: 'role' }).first('class')
  if (other) refused ??= 'not-direct'
  if (!refused) {
    const { rows } = await tx.sql.raw(
      `insert into role_chat as c (room_id, role, user_id, peer, state, opened_at) values (?, ?, ?, ?, 'open', ?)
       on conflict (room_id) do update set state = 'open', left_at = null, peer = excluded.peer,
         role = excluded.role, user_id = excluded.user_id, page_id = case when c.user_id = excluded.user_id then c.page_id end
       where c.state = 'left' or c.user_id = excluded.user_id returning room_id`,
      [room, role.key, user, e.sender, tx.now],
    )
    if (rows.length === 0) refused = 'has-a-role'
    else {
      await recordRoom(tx, { roomId: room, class: 'role', unit: role.unit, by: e.sender })
      await tx.sql('room').where({ room_id: room, class: 'role' }).update({ archived_at: null })
    }
  }
  await tx.audit({
    actor: { kind: 'user', id: e.sender },
    action: 'room.member',
    object: { kind: 'room', id: room },
    outcome: refused ? 'refused' : 'done',
    reason: refused,
    room,
  })
  await tx.enqueue({
    queue: 'roles',
    kind: refused ? 'role.decline' : 'role.join',
    key: `role-invited:${e.event_id}`,
    lane: room,
    payload: refused ? { room, user, why: refused } : { room, user },
  })
}

const left = async (tx: Tx, e: RawEvent): Promise<void> => {
  const gone = await tx
    .sql('role_chat')
    .where({ room_id: e.room_id, user_id: e.state_key, state: 'open' })
    .update({ state: 'left', left_at: tx.now })
  if (gone > 0) await archiveRoom(tx, e.room_id as RoomId)
}

/**
 * Follows who invites roles into which rooms and who takes them out again, in the transaction that takes the events in; to be called before `noteRecords`, which
 * asks for a room's class. Returns the encrypted messages that people wrote to roles.
 */
export const noteRoleChats = async (tx: Tx, events: readonly RawEvent[], serverName: string): Promise<RawEvent[]> => {
  for (const e of events) {
    if (e.type !== 'm.room.member' || e.state_key === undefined) continue
    if (roleUser.exec(e.state_key)?.[1] !== serverName) continue
    const { membership } = e.content
    if (membership === 'invite') await invited(tx, e)
    if (membership === 'leave' || membership === 'ban') await left(tx, e)
  }
  // A guest from another hospital may be in the chat; who pages is of this homeserver, as who opens it.
  const written = events.filter(
    e =>
      e.type === 'm.room.encrypted' &&
      e.state_key === undefined &&
      serverOf(e.sender) === serverName &&
      !ours.test(e.sender),
  )
  if (written.length === 0) return []
  const rooms: string[] = await tx
    .sql('role_chat')
    .whereIn('room_id', [...new Set(written.map(e => e.room_id))])
    .where({ state: 'open' })
    .pluck('room_id')
  return written.filter(e => rooms.includes(e.room_id))
}

/** The chat with a role that a room is, or undefined when it is none or the role is not in it any more. */
export const roleChat = async (sql: Sql, roomId: string): Promise<RoleChat | undefined> => {
  const row = await sql('role_chat').where({ room_id: roomId, state: 'open' }).first()
  return row && toChat(row as Row)
}

/** The chats in which these pages were asked for: whoever sent them is told there. By page. */
export const chatsOfPages = async (tx: Tx, pages: readonly string[]): Promise<Map<string, RoleChat[]>> => {
  if (pages.length === 0) return new Map()
  const { rows } = await tx.sql.raw(
    `select p.id as page, c.* from page p join role_chat c on c.room_id = p.room_id and c.state = 'open' where p.id = any(?::text[])
     union select c.page_id, c.* from role_chat c where c.page_id = any(?::text[]) and c.state = 'open'`,
    [[...pages], [...pages]] as never,
  )
  const found = Map.groupBy(rows as (Row & { page: string })[], r => r.page)
  return new Map([...found].map(([page, of]) => [page, of.map(toChat)]))
}

export const setChatPage = async (tx: Tx, roomId: string, page: string): Promise<void> => {
  await tx.sql('role_chat').where({ room_id: roomId }).update({ page_id: page })
}

/** Was this person brought into the chat by the role? */
export const isChatGuest = async (tx: Tx, roomId: string, person: string): Promise<boolean> =>
  (await tx.sql('role_chat_guest').where({ room_id: roomId, person }).first('person')) !== undefined

export const noteChatGuest = async (tx: Tx, roomId: string, person: string): Promise<void> => {
  await tx
    .sql('role_chat_guest')
    .insert({ room_id: roomId, person, invited_at: tx.now })
    .onConflict(['room_id', 'person'])
    .ignore()
}

/** `role.prepare`: the role's user has a device and an identity, and bears the role's name. */
export type RolePrepareJob = { user: string; name: string }

/** Whoever writes to a role needs its device to be there. `key`: another one for each name, and for each time that it is to be tried anew. */
export const prepareRole = (role: RolePrepareJob, key: string | number): NewJob => ({
  queue: 'roles',
  kind: 'role.prepare',
  key: `role-prepare:${role.user}:${key}`,
  lane: `role-prepare:${role.user}`,
  payload: { user: role.user, name: role.name } satisfies RolePrepareJob,
})

/** Roles whose user has no complete identity, or no device that people could write to, at the homeserver yet. */
export const unpreparedRoles = (sql: Sql): Promise<RolePrepareJob[]> =>
  sql('oncall_role as r')
    .leftJoin('bot_device as b', 'b.bot', 'r.user_id')
    .whereNull('r.removed_at')
    .whereRaw('(b.master_key is null or b.identity_key is null)')
    .orderBy('r.key')
    .select('r.user_id as user', 'r.name')

/** The users of roles that are in service or were, with the one device that each has. */
export const roleDevices = (sql: Sql): Promise<{ user: UserId; deviceId: string; masterKey: string | null }[]> =>
  sql('bot_device')
    .where('bot', 'like', '@role\\_%')
    .orderBy('bot')
    .select('bot as user', 'device_id as deviceId', 'master_key as masterKey')
