import type { MatrixClient, Room } from 'matrix-js-sdk'
import type { CryptoApi } from 'matrix-js-sdk/lib/crypto-api/index.js'
import { seconds } from '../../domain/clock.ts'
import type { DeviceId, EventId, RoomId, UserId } from '../../domain/ids.ts'
import { canEncryptIn } from '../encrypt.ts'
import { type Homeserver, MatrixRefusal } from '../homeserver.ts'

export type RoomDeps = {
  homeserver: Homeserver
  client: MatrixClient
  crypto: CryptoApi
  userId: UserId
  deviceId: DeviceId
}

/** Marks a direct chat in its create event with whom it is with, so that a second `createDirect` finds it, and whoever takes its events in knows it from the first. */
export const directKey = 'org.wardroom.direct'
const megolm = { algorithm: 'm.megolm.v1.aes-sha2' }
const roomPath = (roomId: string, rest: string) => `/_matrix/client/v3/rooms/${encodeURIComponent(roomId)}/${rest}`

/** Asks `ready` again after everything that the sync brings. @throws naming `what` after `timeoutMs`. */
const awaitInSync = async (ready: () => Promise<boolean>, what: string, timeoutMs = seconds(20)): Promise<void> => {
  const end = performance.now() + timeoutMs
  while (!(await ready())) {
    if (performance.now() > end) throw new Error(`${what} did not come with the sync within ${timeoutMs} ms`)
    await new Promise(done => setTimeout(done, 15))
  }
}

/**
 * Waits until an encrypted message can be sent: the client knows the room, has joined it, its crypto knows that it is encrypted, and the member list
 * holds `members`. Before that a message would go out in plaintext, or without keys for somebody.
 */
export const awaitSendable = (d: RoomDeps, roomId: RoomId, members: readonly UserId[] = []): Promise<void> =>
  awaitInSync(
    async () =>
      (await canEncryptIn(d.client, d.crypto, roomId)) &&
      members.every(m => d.client.getRoom(roomId)?.getMember(m)?.membership !== undefined),
    `the encrypted room ${roomId}`,
  )

/** Whose direct chat a room is, if this bot made it: anybody can write the same into a room of their own and invite both. */
const directWith = (room: Room, bot: UserId): unknown => {
  const create = room.currentState.getStateEvents('m.room.create', '')
  return create?.getSender() === bot ? create.getContent()[directKey] : undefined
}

/** The bot's direct chat with a person, or null: one that it made, in which both still are (or are invited). */
export const findDirect = (d: RoomDeps, userId: UserId): RoomId | null => {
  const alive = (room: Room) =>
    room.getMyMembership() === 'join' && ['join', 'invite'].includes(room.getMember(userId)?.membership ?? '')
  return (
    (d.client.getRooms().find(r => directWith(r, d.userId) === userId && alive(r))?.roomId as RoomId | undefined) ??
    null
  )
}

/**
 * A direct chat with a person, made encrypted, in which the bot alone has power (100), so that it may redact what held patient data. `topic` is not encrypted. Returns the one that
 * exists already. Resolves when a message may be sent.
 */
export const createDirect = async (d: RoomDeps, userId: UserId, topic?: () => Promise<string>): Promise<RoomId> => {
  const existing = findDirect(d, userId)
  if (existing) return existing
  const { room_id } = await d.homeserver.request<{ room_id: RoomId }>('POST', '/_matrix/client/v3/createRoom', {
    userId: d.userId,
    deviceId: d.deviceId,
    body: {
      preset: 'private_chat',
      is_direct: true,
      invite: [userId],
      ...(topic ? { topic: await topic() } : {}),
      creation_content: { [directKey]: userId },
      initial_state: [{ type: 'm.room.encryption', state_key: '', content: megolm }],
    },
  })
  await awaitSendable(d, room_id, [userId])
  return room_id
}

/** Joins a room (also one it is in already), accepting earlier keys from the inviter (MSC4268). Resolves when the sync shows it, and its encryption if it has any. */
export const join = async (d: RoomDeps, roomId: RoomId): Promise<void> => {
  // Whose keys to accept is known from the invitation: it comes with the sync a moment after the event. A public room has none.
  const invited = async () => d.client.getRoom(roomId) !== null
  await awaitInSync(invited, `the invitation to ${roomId}`, seconds(3)).catch(() => undefined)
  await d.client.joinRoom(roomId)
  await awaitInSync(async () => {
    const room = d.client.getRoom(roomId)
    if (room?.getMyMembership() !== 'join' || !room.currentState.getStateEvents('m.room.create', '')) return false
    return !room.hasEncryptionStateEvent() || d.crypto.isEncryptionEnabledInRoom(roomId)
  }, `the joined room ${roomId}`)
}

/** Invites a person and shares the earlier room keys, so that the history can be read (MSC4268). An invitation that exists already is fine. */
export const invite = async (d: RoomDeps, roomId: RoomId, userId: UserId): Promise<void> => {
  await awaitInSync(async () => d.client.getRoom(roomId) !== null, `the room ${roomId}`)
  const membership = d.client.getRoom(roomId)?.getMember(userId)?.membership
  if (membership === 'join') return
  try {
    await d.client.invite(roomId, userId)
  } catch (e) {
    if (membership !== 'invite' || (e as { httpStatus?: number }).httpStatus !== 403) throw e
    return
  }
  // Whatever is encrypted from here on has them among its readers. The invitation stands, also when its echo is late: then the room must not wait any longer.
  const known = async () => ['invite', 'join'].includes(d.client.getRoom(roomId)?.getMember(userId)?.membership ?? '')
  await awaitInSync(known, `the invitation of ${userId}`, seconds(5)).catch(() => undefined)
}

/**
 * One after the other for each room. An invitation hands over the keys that there are and is known to this client a moment later: a room key made in between, by
 * the room's first message, would reach the invited neither way.
 */
export const roomTurns = () => {
  const last = new Map<RoomId, Promise<unknown>>()
  return <T>(roomId: RoomId, work: () => Promise<T>): Promise<T> => {
    const turn = (last.get(roomId) ?? Promise.resolve()).then(work)
    const over = turn
      .catch(() => undefined)
      .then(() => {
        if (last.get(roomId) === over) last.delete(roomId)
      })
    last.set(roomId, over)
    return turn
  }
}

/** Reacts with a key. The same `txnId` never reacts twice; a reaction that stands already gives null. */
export const react = async (
  d: RoomDeps,
  roomId: RoomId,
  eventId: EventId,
  key: string,
  txnId: string,
): Promise<EventId | null> => {
  const body = { 'm.relates_to': { rel_type: 'm.annotation', event_id: eventId, key } }
  const path = roomPath(roomId, `send/m.reaction/${encodeURIComponent(txnId)}`)
  try {
    const { event_id } = await d.homeserver.request<{ event_id: EventId }>('PUT', path, {
      userId: d.userId,
      deviceId: d.deviceId,
      body,
    })
    return event_id
  } catch (e) {
    if (e instanceof MatrixRefusal && e.errcode === 'M_DUPLICATE_ANNOTATION') return null
    throw e
  }
}

/** Redacts an event; needs power for other people's. @throws MatrixRefusal 403 where it may not. */
export const redact = async (
  d: RoomDeps,
  roomId: RoomId,
  eventId: EventId,
  txnId: string,
  reason?: string,
): Promise<void> => {
  const path = roomPath(roomId, `redact/${encodeURIComponent(eventId)}/${encodeURIComponent(txnId)}`)
  await d.homeserver.request('PUT', path, {
    userId: d.userId,
    deviceId: d.deviceId,
    body: reason === undefined ? {} : { reason },
  })
}

type Functional = { service_members?: string[] }

/** Names the bot as a functional member (`io.element.functional_members`), so that a chat of two people with it still looks like one of two. */
export const markFunctional = async (d: RoomDeps, roomId: RoomId): Promise<void> => {
  const path = roomPath(roomId, 'state/io.element.functional_members/')
  const acting = { userId: d.userId, deviceId: d.deviceId }
  const before = await d.homeserver.request<Functional>('GET', path, acting).catch(e => {
    if (e instanceof MatrixRefusal && e.status === 404) return {} as Functional
    throw e
  })
  const members = before.service_members ?? []
  if (members.includes(d.userId)) return
  await d.homeserver.request('PUT', path, { ...acting, body: { ...before, service_members: [...members, d.userId] } })
}
