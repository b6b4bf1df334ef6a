import { randomBytes } from 'node:crypto'
import { EventType, type Room } from 'matrix-js-sdk'
import { decryptAttachment, type EncryptedFile, encryptAttachment } from '../attachment.ts'
import { eventually } from '../eventually.ts'
import type { OpenedClient } from './client.ts'
import type { Seen, Wait } from './seen.ts'

/** What a person does with a client. */
export type Acts = {
  /** Sends text encrypted; waits until the room is known as encrypted, and throws if it is not. Gives the event id. */
  send(roomId: string, text: string, options?: { thread?: string; replyTo?: string }): Promise<string>
  sendContent(roomId: string, type: string, content: Record<string, unknown>): Promise<string>
  /** Sends in clear past the client's encryption, as a careless bot would; the homeserver's status and answer. */
  sendPlaintext(roomId: string, text: string): Promise<{ status: number; eventId: string | undefined }>
  sendImage(roomId: string, bytes: Uint8Array<ArrayBuffer>, info: { name: string; mimetype: string }): Promise<string>
  /** The bytes of an encrypted attachment, checked and decrypted. */
  download(seen: Seen): Promise<Uint8Array<ArrayBuffer>>
  react(roomId: string, eventId: string, key: string): Promise<string>
  redact(roomId: string, eventId: string): Promise<void>
  read(roomId: string, eventId: string): Promise<void>
  createRoom(options?: { name?: string; invite?: string[]; direct?: boolean }): Promise<string>
  /** An encrypted direct chat with one user; resolves when that user has joined. */
  direct(userId: string, wait?: Wait): Promise<string>
  /** Invites and shares the room's earlier keys with the guest (MSC4268). */
  invite(roomId: string, userId: string): Promise<void>
  /** Waits for the invitation where needed, joins, and waits until the room is known. */
  join(roomId: string, wait?: Wait): Promise<void>
  room(roomId: string): Promise<Room>
}

export const actsOf = ({ client, crypto, url, userId, accessToken }: OpenedClient): Acts => {
  const room = (roomId: string, { timeout = 60_000 }: Wait = {}) =>
    eventually(
      () => {
        const r = client.getRoom(roomId)
        return r?.getMyMembership() === 'join' ? r : undefined
      },
      { timeout, what: `${userId} in ${roomId}` },
    )
  const encryptedRoom = async (roomId: string) => {
    await room(roomId)
    await eventually(() => crypto.isEncryptionEnabledInRoom(roomId), { what: `encryption in ${roomId}` })
  }
  const sendContent = async (roomId: string, type: string, content: Record<string, unknown>) => {
    await encryptedRoom(roomId)
    const { event_id } = await client.sendEvent(roomId, type as EventType.RoomMessage, content as never)
    return event_id
  }
  const relation = ({ thread, replyTo }: { thread?: string; replyTo?: string }) =>
    thread
      ? { rel_type: 'm.thread', event_id: thread, is_falling_back: true, 'm.in_reply_to': { event_id: thread } }
      : replyTo
        ? { 'm.in_reply_to': { event_id: replyTo } }
        : undefined
  const createRoom: Acts['createRoom'] = async ({ name, invite = [], direct = false } = {}) => {
    const { room_id } = await client.createRoom({
      name,
      invite,
      is_direct: direct,
      preset: (direct ? 'trusted_private_chat' : 'private_chat') as never,
      initial_state: [
        { type: 'm.room.encryption', state_key: '', content: { algorithm: 'm.megolm.v1.aes-sha2' } },
      ] as never,
    })
    await encryptedRoom(room_id)
    return room_id
  }

  return {
    send: (roomId, text, o = {}) => {
      const related = relation(o)
      return sendContent(roomId, 'm.room.message', {
        msgtype: 'm.text',
        body: text,
        ...(related ? { 'm.relates_to': related } : {}),
      })
    },
    sendContent,
    sendPlaintext: async (roomId, text) => {
      const path = `/_matrix/client/v3/rooms/${encodeURIComponent(roomId)}/send/m.room.message/${randomBytes(8).toString('hex')}`
      const response = await fetch(url + path, {
        method: 'PUT',
        headers: { authorization: `Bearer ${accessToken}`, 'content-type': 'application/json' },
        body: JSON.stringify({ msgtype: 'm.text', body: text }),
      })
      const answer = (await response.json()) as { event_id?: string }
      return { status: response.status, eventId: answer.event_id }
    },
    sendImage: async (roomId, bytes, { name, mimetype }) => {
      const { data, file } = await encryptAttachment(bytes)
      const { content_uri } = await client.uploadContent(new Blob([data]), {
        type: 'application/octet-stream',
        includeFilename: false,
      })
      return sendContent(roomId, 'm.room.message', {
        msgtype: 'm.image',
        body: name,
        info: { mimetype, size: bytes.length },
        file: { ...file, url: content_uri },
      })
    },
    download: async ({ content }) => {
      const file = content.file as EncryptedFile
      const media = client.mxcUrlToHttp(file.url, undefined, undefined, undefined, true, true, true)
      const response = await fetch(media ?? '', { headers: { authorization: `Bearer ${accessToken}` } })
      if (!response.ok) throw new Error(`the attachment answered ${response.status}`)
      return decryptAttachment(new Uint8Array(await response.arrayBuffer()), file)
    },
    react: async (roomId, eventId, key) => {
      const content = { 'm.relates_to': { rel_type: 'm.annotation', event_id: eventId, key } }
      const { event_id } = await client.sendEvent(roomId, EventType.Reaction, content as never)
      return event_id
    },
    redact: async (roomId, eventId) => {
      await client.redactEvent(roomId, eventId)
    },
    read: async (roomId, eventId) => {
      const ev = (await room(roomId)).findEventById(eventId)
      if (!ev) throw new Error(`${eventId} is not known to ${userId}`)
      await client.sendReadReceipt(ev)
    },
    createRoom,
    direct: async (other, wait) => {
      const roomId = await createRoom({ invite: [other], direct: true })
      await eventually(() => client.getRoom(roomId)?.getMember(other)?.membership === 'join', {
        timeout: wait?.timeout ?? 60_000,
        what: `${other} joining the direct chat`,
      })
      return roomId
    },
    invite: async (roomId, guest) => {
      await encryptedRoom(roomId)
      await client.invite(roomId, guest)
    },
    join: async (roomId, wait) => {
      await eventually(() => client.getRoom(roomId) !== null, {
        timeout: wait?.timeout ?? 60_000,
        what: `the invitation of ${userId}`,
      })
      await client.joinRoom(roomId)
      await room(roomId, wait)
    },
    room,
  }
}
