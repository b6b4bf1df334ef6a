import { EventType, type MatrixEvent, MsgType, RelationType } from 'matrix-js-sdk'
import type { Content, Item } from '../../shared/conversation/item.ts'
import type { EncryptedFile } from './attachment.ts'

export type Info = { mimetype?: string; size?: number; w?: number; h?: number; duration?: number }
export type MessageContent = {
  msgtype?: string
  body?: string
  filename?: string
  file?: EncryptedFile
  url?: string
  info?: Info
} & Record<string, unknown>

export type Reading = {
  me: string
  /** How long an event that cannot be decrypted has been waiting: still opening, or given up. */
  gaveUp: (eventId: string) => boolean
  find: (eventId: string) => MatrixEvent | undefined
  /** What the bridge says for its own records, e.g. the card: the staff's client shows it, the patient's does not. */
  hidden: string[]
}

/** The last instant that every clock and calendar can show: the end of the year 9999. */
const lastInstant = 253_402_300_799_999
/** What the sender's server says of the time, which may be anything. */
const instant = (at: unknown): number => Math.min(Math.max(amount(at) ?? 0, 0), lastInstant)
const amount = (value: unknown): number | undefined =>
  typeof value === 'number' && Number.isFinite(value) ? value : undefined
const text = (value: unknown): string => (typeof value === 'string' ? value : '')

/**
 * One event of the room as a message, or null when it is none (state, reactions, edits, the bridge's card). Whatever a sender's client has written: one message
 * that makes no sense must not keep a patient from the others.
 */
export const itemOf = (event: MatrixEvent, reading: Reading): Item | null => {
  const id = event.getId()
  if (!id || event.isState() || event.isRelation(RelationType.Replace) || event.isRelation(RelationType.Annotation))
    return null
  if (event.status !== null && event.status !== 'sent') return null
  const sender = event.getSender() ?? ''
  const mine = sender === reading.me
  const base = {
    id,
    key: event.getTxnId() ?? id,
    sender,
    at: instant(event.getTs()),
    mark: mine ? ('sent' as const) : ('received' as const),
  }
  if (event.isRedacted())
    return event.getType() === EventType.Reaction ? null : { ...base, content: { kind: 'removed' } }
  if (event.getType() === EventType.RoomMessageEncrypted || event.isDecryptionFailure())
    return { ...base, content: { kind: reading.gaveUp(id) ? 'unreadable' : 'opening' } }
  if (ignored.has(event.getType())) return null
  if (event.getType() !== EventType.RoomMessage)
    return shows(event) ? { ...base, content: { kind: 'unsupported' } } : null
  const content = event.getContent<MessageContent>()
  if (content.msgtype === MsgType.KeyVerificationRequest || reading.hidden.some(key => content[key] === true))
    return null
  if (content['io.wardroom.sms'] === true && !mine)
    return {
      ...base,
      sender: reading.me,
      mark: 'sent',
      bySms: true,
      content: { kind: 'text', body: withoutFirstLine(text(content.body)) },
    }
  return {
    ...base,
    content: contentOf(id, content),
    edited: event.replacingEvent() !== null && event.replacingEvent() !== undefined,
    automatic: content.msgtype === MsgType.Notice,
    quote: quoteOf(event, reading),
  }
}

const ignored = new Set<string>([EventType.RoomRedaction, EventType.Reaction])

/** Message-like events that a person would expect to see something of. */
const shows = (event: MatrixEvent): boolean =>
  /^(m\.sticker|(m|org\.matrix\.msc3381)\.poll\.start)$/.test(event.getType())

const contentOf = (id: string, content: MessageContent): Content => {
  const body = text(content.body)
  // Written by the sender's client, so that none of it need be what its type says.
  const info: Record<string, unknown> = { ...(content.info as object | null | undefined) }
  const file = content.file !== null && typeof content.file === 'object'
  const duration = amount(info.duration)
  const media = {
    id,
    name: text(content.filename) || body || 'file',
    mime: text(info.mimetype),
    bytes: amount(info.size) ?? 0,
    width: amount(info.w),
    height: amount(info.h),
    seconds: duration === undefined ? undefined : duration / 1000,
  }
  switch (content.msgtype) {
    case MsgType.Text:
    case MsgType.Notice:
    case MsgType.Emote:
      return { kind: 'text', body: withoutReplyFallback(body) }
    case MsgType.Image:
      return file ? { kind: 'image', media } : { kind: 'unsupported' }
    case MsgType.Audio:
      return file ? { kind: 'voice', media } : { kind: 'unsupported' }
    case MsgType.File:
    case MsgType.Video:
      return file ? { kind: 'file', media } : { kind: 'unsupported' }
    default:
      return { kind: 'unsupported' }
  }
}

const quoteOf = (event: MatrixEvent, { find }: Reading): Item['quote'] => {
  const answered = event.replyEventId ? find(event.replyEventId) : undefined
  if (!answered || answered.getType() !== EventType.RoomMessage || event.threadRootId === event.replyEventId)
    return undefined
  const body = withoutReplyFallback(text(answered.getContent<MessageContent>().body))
  return { sender: answered.getSender() ?? '', body: body.length > 160 ? `${body.slice(0, 157)}…` : body }
}

const withoutReplyFallback = (body: string): string =>
  body.startsWith('> <') ? body.replace(/^(> .*\n?)+\n?/, '') : body

/** The bridge puts "received by unencrypted SMS" above the words for the staff; the patient sees that as a note of its own. */
const withoutFirstLine = (body: string): string => body.slice(body.indexOf('\n') + 1)
