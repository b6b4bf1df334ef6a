import type { RoomId, UserId } from '../../core/domain/ids.ts'
import type { Role } from '../../core/domain/roles.ts'
import { MatrixRefusal } from '../../core/matrix/homeserver.ts'
import { recordRoom } from '../../core/store/patients/care.ts'
import { followRole, holdersOf } from '../../core/store/staff/roles.ts'
import { complianceRoom, deskRoomOf, roomById } from '../../core/store/staff/rooms.ts'
import { readSettings } from '../../core/store/staff/settings.ts'
import { transact } from '../../core/store/tx.ts'
import type { Standing } from '../framework/command.ts'
import type { DeskDeps } from './deps.ts'

const roomPath = (roomId: string, rest: string) => `/_matrix/client/v3/rooms/${encodeURIComponent(roomId)}/${rest}`

/** Who is in a room now. */
export const membersOf = async (d: DeskDeps, roomId: string): Promise<string[]> => {
  const { joined } = await d.homeserver.request<{ joined: Record<string, unknown> }>(
    'GET',
    roomPath(roomId, 'joined_members'),
    { userId: d.bot.userId },
  )
  return Object.keys(joined)
}

/** Whether a person is in a room and may remove others' messages there, and whether the bot is in it: asked of the homeserver's module, also for rooms of others. Null without the module. */
export const standingIn = async (d: DeskDeps, room: string, user: string): Promise<Standing | null> => {
  type Users = { users: Record<string, { member: boolean; redact: boolean }> }
  const body = { users: [user, d.bot.userId] }
  try {
    const { users } = await d.homeserver.request<Users>('POST', '/_synapse/client/wardroom_standing', {
      query: { room },
      body,
    })
    const member = users[user]?.member === true
    return {
      member,
      mayRemove: member && users[user]?.redact === true,
      botIsIn: users[d.bot.userId]?.member === true,
    }
  } catch (e) {
    if (e instanceof MatrixRefusal && e.status === 404) return null
    throw e
  }
}

/** Leaves a room or declines its invitation; one that is gone already is fine. */
export const leave = async (d: DeskDeps, roomId: string): Promise<void> => {
  try {
    await d.homeserver.request('POST', roomPath(roomId, 'leave'), { userId: d.bot.userId, body: {} })
  } catch (e) {
    if (!(e instanceof MatrixRefusal && (e.status === 403 || e.status === 404))) throw e
  }
}

/** Takes a person out of a room of the bot's; somebody who is not in it is fine. */
export const remove = async (d: DeskDeps, roomId: string, user: string): Promise<void> => {
  try {
    const body = { user_id: user, reason: 'The role for this room was taken away.' }
    await d.homeserver.request('POST', roomPath(roomId, 'kick'), { userId: d.bot.userId, body })
  } catch (e) {
    if (!(e instanceof MatrixRefusal && e.status === 403)) throw e
  }
}

/** A direct chat's topic, which is not encrypted: it says whom the bot obeys, also on a device that can read nothing else. */
export const directTopic = async (d: DeskDeps): Promise<string> => {
  const help = (await readSettings(d.store.db))['help.url']
  return `Write !help. I obey only devices that their owner has verified.${help ? ` Help: ${help}` : ''}`
}

/** A kind of room that the bot makes once and keeps: `marker` stands in its create event with `unit`, so that a try after a kill finds the room of the first one. */
type OwnRoom = {
  class: 'desk' | 'alert'
  unit: string
  marker: string
  name: string
  topic: string
  /** Whose holders are invited. */
  members: readonly Role[]
}

const body = (room: OwnRoom) => ({
  preset: 'private_chat',
  name: room.name,
  topic: room.topic,
  creation_content: { [room.marker]: room.unit },
  power_level_content_override: { invite: 50, kick: 100, redact: 50, state_default: 100 },
  initial_state: [
    { type: 'm.room.encryption', state_key: '', content: { algorithm: 'm.megolm.v1.aes-sha2' } },
    { type: 'm.room.guest_access', state_key: '', content: { guest_access: 'forbidden' } },
  ],
})

/** A room that an earlier try made and did not get to record. */
const unrecorded = async (d: DeskDeps, { marker, unit }: OwnRoom): Promise<RoomId | undefined> => {
  const acting = { userId: d.bot.userId }
  const { joined_rooms } = await d.homeserver.request<{ joined_rooms: RoomId[] }>(
    'GET',
    '/_matrix/client/v3/joined_rooms',
    acting,
  )
  for (const roomId of joined_rooms) {
    if (await roomById(d.store.db, roomId)) continue
    const made = await d.homeserver.request('GET', roomPath(roomId, 'state/m.room.create/'), acting)
    if (made[marker] === unit) return roomId
  }
  return undefined
}

/** Makes the room, encrypted, the bot alone with full power; those who hold its roles are invited (job `desk.follow-role`). */
const makeOnce = async (d: DeskDeps, room: OwnRoom): Promise<RoomId> => {
  const userId = d.bot.userId
  const create = async () => {
    const made = { userId, body: body(room) }
    return (await d.homeserver.request<{ room_id: RoomId }>('POST', '/_matrix/client/v3/createRoom', made)).room_id
  }
  const roomId = (await unrecorded(d, room)) ?? (await create())
  await transact(d.store, async tx => {
    await recordRoom(tx, { roomId, class: room.class, unit: room.unit, by: userId })
    for (const user of await holdersOf(tx.sql, ...room.members)) await followRole(tx, user)
    await tx.audit({
      actor: { kind: 'service', id: 'desk' },
      action: 'room.create',
      object: { kind: 'room', id: roomId },
      outcome: 'done',
      room: roomId,
      detail: { class: room.class },
    })
  })
  return roomId
}

/** A unit's desk room, made the first time; for those who hold the role desk or supervisor. */
export const ensureDeskRoom = async (d: DeskDeps, unit: string): Promise<RoomId> =>
  (await deskRoomOf(d.store.db, unit)) ??
  makeOnce(d, {
    class: 'desk',
    unit,
    marker: 'org.wardroom.desk',
    name: unit === 'main' ? 'Desk' : `Desk · ${unit}`,
    topic: 'Commands for the desk: write !help. Answers may show patient data.',
    members: ['desk', 'supervisor'],
  })

/** The compliance room, made the first time: where alerts of the audit log go; for those who hold the role compliance. */
export const ensureComplianceRoom = async (d: DeskDeps): Promise<RoomId> =>
  (await complianceRoom(d.store.db)) ??
  makeOnce(d, {
    class: 'alert',
    unit: 'compliance',
    marker: 'org.wardroom.compliance',
    name: 'Compliance',
    topic: 'Alerts of the audit log. Commands: write !help audit. Alerts name entries, never patients.',
    members: ['compliance'],
  })

export const isLocal = (d: Pick<DeskDeps, 'serverName'>, user: string): user is UserId =>
  user.endsWith(`:${d.serverName}`)
