import { EventType, type MatrixEvent, type Room } from 'matrix-js-sdk'
import { DecryptionFailureCode, EventShieldColour } from 'matrix-js-sdk/lib/crypto-api/index.js'
import { eventually } from '../eventually.ts'
import type { OpenedClient } from './client.ts'

/** One event as this clinician's client shows it. */
export type Seen = {
  eventId: string
  roomId: string
  sender: string
  /** The decrypted type; `m.room.encrypted` while it cannot be read. */
  type: string
  stateKey: string | undefined
  content: Record<string, unknown>
  body: string
  html: string | undefined
  /** Was it encrypted on the wire? */
  encrypted: boolean
  /** Why it cannot be decrypted, as js-sdk's code; undefined when it can. */
  failure: string | undefined
  redacted: boolean
  /** The thread's root, and what a reaction or edit is about. */
  thread: string | undefined
  relatesTo: string | undefined
  reaction: string | undefined
  event: MatrixEvent
}

/** How long to wait (ms), and what for. */
export type Wait = { timeout?: number; what?: string }

/** What a client shows. */
export type Shows = {
  /** Everything received so far, oldest first, as it looks now. */
  seen(roomId?: string): Seen[]
  /** The first event, past or to come, that satisfies the predicate (60 s). */
  waitFor(predicate: (seen: Seen) => boolean, wait?: Wait): Promise<Seen>
  /** What a client would show beside the message: `none`, or a warning in `grey` or `red`. */
  shield(seen: Seen): Promise<'none' | 'grey' | 'red'>
}

const view = (room: Room | null, first: MatrixEvent): Seen => {
  const ev = room?.findEventById(first.getId() ?? '') ?? first
  const content = ev.getContent() as Record<string, unknown>
  // Relations stand in clear beside the ciphertext.
  const wire = { ...content, ...(ev.getWireContent() as Record<string, unknown>) }
  const relation = (wire['m.relates_to'] ?? {}) as { rel_type?: string; event_id?: string; key?: string }
  return {
    eventId: ev.getId() ?? '',
    roomId: ev.getRoomId() ?? '',
    sender: ev.getSender() ?? '',
    type: ev.isDecryptionFailure() ? EventType.RoomMessageEncrypted : ev.getType(),
    stateKey: ev.getStateKey(),
    content,
    body: typeof content.body === 'string' ? content.body : '',
    html: typeof content.formatted_body === 'string' ? content.formatted_body : undefined,
    encrypted: ev.isEncrypted(),
    failure: ev.isDecryptionFailure() ? (ev.decryptionFailureReason ?? DecryptionFailureCode.UNKNOWN_ERROR) : undefined,
    redacted: ev.isRedacted(),
    thread: relation.rel_type === 'm.thread' ? relation.event_id : undefined,
    relatesTo: relation.event_id,
    reaction: relation.rel_type === 'm.annotation' ? relation.key : undefined,
    event: ev,
  }
}

export const showsOf = ({ client, crypto, log, userId }: OpenedClient): Shows => {
  const seen: Shows['seen'] = roomId =>
    log
      .filter(ev => roomId === undefined || ev.getRoomId() === roomId)
      .map(ev => view(client.getRoom(ev.getRoomId() ?? ''), ev))
  return {
    seen,
    waitFor: (predicate, { timeout = 60_000, what = 'an event' } = {}) =>
      eventually(() => seen().find(predicate), { timeout, what: `${what}, awaited by ${userId}` }),
    shield: async ({ event }) => {
      const info = await crypto.getEncryptionInfoForEvent(event)
      if (!info) return 'red'
      return info.shieldColour === EventShieldColour.NONE
        ? 'none'
        : info.shieldColour === EventShieldColour.GREY
          ? 'grey'
          : 'red'
    },
  }
}
