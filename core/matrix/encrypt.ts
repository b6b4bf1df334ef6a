import { type MatrixClient, MatrixEvent, type Room } from 'matrix-js-sdk'
import type { CryptoApi } from 'matrix-js-sdk/lib/crypto-api/index.js'
import type { EventId, RoomId, UserId } from '../domain/ids.ts'
import type { Homeserver } from './homeserver.ts'

/** The SDK's own step that turns a message into `m.room.encrypted`; not in its public types (a test checks that it exists). */
type Encrypting = { encryptEvent(event: MatrixEvent, room: Room): Promise<void> }

/** The key of the cleartext job id beside a ciphertext, by which a resend is recognised. It holds a hash, never words. */
export const jobKey = 'org.wardroom.job'

/** Is the room known to this client, joined, encrypted, and is its crypto aware of that? Only then may it speak. */
export const canEncryptIn = async (client: MatrixClient, crypto: CryptoApi, roomId: RoomId): Promise<boolean> =>
  client.getRoom(roomId)?.getMyMembership() === 'join' && (await crypto.isEncryptionEnabledInRoom(roomId))

/**
 * Encrypts a message for the room's members and returns what goes over the wire, with relations in clear as the specification says.
 * There is no path from here to a plaintext message. @throws when the room is not known as an encrypted one.
 */
export const encryptFor = async (
  client: MatrixClient,
  crypto: CryptoApi,
  roomId: RoomId,
  type: string,
  content: object,
): Promise<Record<string, unknown>> => {
  const room = client.getRoom(roomId)
  if (!room || !(await canEncryptIn(client, crypto, roomId))) throw new Error(`no encrypted room ${roomId} to speak in`)
  const event = new MatrixEvent({ type, content, room_id: roomId, sender: client.getSafeUserId() })
  await (crypto as unknown as Encrypting).encryptEvent(event, room)
  const wire = event.getWireContent()
  if (event.getWireType() !== 'm.room.encrypted' || typeof wire.ciphertext !== 'string')
    throw new Error(`a message for ${roomId} was not encrypted`)
  return wire
}

/** Puts an encrypted event under a transaction id: the same id from the same device gives the same event (for 24 h in Synapse). */
export const putEncrypted = async (
  homeserver: Homeserver,
  acting: { userId: UserId; deviceId: string },
  roomId: RoomId,
  txnId: string,
  wire: Record<string, unknown>,
): Promise<EventId> => {
  const path = `/_matrix/client/v3/rooms/${encodeURIComponent(roomId)}/send/m.room.encrypted/${encodeURIComponent(txnId)}`
  const { event_id } = await homeserver.request<{ event_id: EventId }>('PUT', path, { ...acting, body: wire })
  return event_id
}

type Message = { event_id: EventId; content: Record<string, unknown> }

/** Looks up which jobs `userId` has already spoken in a room, newest first, at most 500 of its own events back: job id → event. */
export const findSpoken = async (
  homeserver: Homeserver,
  userId: UserId,
  roomId: RoomId,
  jobs: readonly string[],
): Promise<Map<string, EventId>> => {
  const found = new Map<string, EventId>()
  const filter = JSON.stringify({ senders: [userId], types: ['m.room.encrypted'], lazy_load_members: true })
  let from: string | undefined
  for (let page = 0; page < 5; page++) {
    const answer = await homeserver.request<{ chunk: Message[]; end?: string }>(
      'GET',
      `/_matrix/client/v3/rooms/${encodeURIComponent(roomId)}/messages`,
      { userId, query: { dir: 'b', limit: 100, filter, ...(from ? { from } : {}) } },
    )
    for (const { content, event_id } of answer.chunk) {
      const job = content[jobKey]
      if (typeof job === 'string' && jobs.includes(job)) found.set(job, event_id)
    }
    from = answer.end
    if (!from || found.size === jobs.length) break
  }
  return found
}
