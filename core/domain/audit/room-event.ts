import type { Actor, AuditAction, AuditEvent } from './event.ts'

/** What a Matrix event shows without its content. */
export type EventShape = {
  event_id: string
  room_id: string
  type: string
  sender: string
  origin_server_ts: number
  state_key?: string
  content: Record<string, unknown>
  unsigned?: Record<string, unknown>
  redacts?: unknown
}

/** Who a Matrix user is to us: staff and strangers are themselves, a patient's or caregiver's ghost is the person, and what we run is a service. */
export type Known = { actor: Actor; person?: 'patient' | 'caregiver'; patient?: string }
/** What the database knows of the users and rooms that a transaction names. */
export type Names = {
  user(userId: string): Known
  /** The patient whose care room it is. */
  patientOf(roomId: string): string | undefined
}

type New = Omit<AuditEvent, 'at'>

const messageTypes = new Set(['m.room.encrypted', 'm.room.message', 'm.sticker', 'm.reaction', 'm.call.invite'])
const ruleTypes = new Set([
  'm.room.power_levels',
  'm.room.join_rules',
  'm.room.history_visibility',
  'm.room.guest_access',
  'm.room.server_acl',
])

const object = (v: unknown): Record<string, unknown> =>
  typeof v === 'object' && v !== null ? (v as Record<string, unknown>) : {}
const text = (v: unknown): string | undefined => (typeof v === 'string' && v !== '' ? v : undefined)

/** Times that differ by less are the homeserver's ordinary delay. */
const lateMs = 5000

const membershipAction = (now: unknown, before: unknown, self: boolean): AuditAction | undefined => {
  switch (now) {
    case 'join':
      return before === 'join' ? undefined : 'room.join'
    case 'invite':
      return 'room.invite'
    case 'ban':
      return 'room.ban'
    case 'knock':
      return 'room.knock'
    case 'leave':
      return before === 'ban' ? 'room.unban' : self ? 'room.leave' : 'room.kick'
    default:
      return undefined
  }
}

/** How many people's power rose and fell; codes and counts only. */
const powerDetail = (now: Record<string, unknown>, before: Record<string, unknown>) => {
  const users = object(now.users)
  const former = object(before.users)
  const level = (of: Record<string, unknown>, standard: unknown, user: string) => Number(of[user] ?? standard ?? 0) || 0
  const change = [...new Set([...Object.keys(users), ...Object.keys(former)])].map(
    u => level(users, now.users_default, u) - level(former, before.users_default, u),
  )
  return { raised: change.filter(c => c > 0).length, lowered: change.filter(c => c < 0).length }
}

const what = (e: EventShape, names: Names): Pick<New, 'action' | 'object' | 'detail'> | undefined => {
  const room = { kind: 'room' as const, id: e.room_id }
  if (e.type === 'm.room.redaction') {
    const gone = text(e.content.redacts) ?? text(e.redacts) ?? e.event_id
    return { action: 'message.redact', object: { kind: 'event', id: gone } }
  }
  if (messageTypes.has(e.type) && e.state_key === undefined) {
    const relation = object(e.content['m.relates_to'])
    const edited = relation.rel_type === 'm.replace' ? text(relation.event_id) : undefined
    if (edited) return { action: 'message.edit', object: { kind: 'event', id: edited }, detail: { type: e.type } }
    return { action: 'message.sent', object: { kind: 'event', id: e.event_id }, detail: { type: e.type } }
  }
  const before = object(e.unsigned?.prev_content)
  if (e.type === 'm.room.member' && e.state_key !== undefined) {
    const action = membershipAction(e.content.membership, before.membership, e.sender === e.state_key)
    if (!action) return undefined
    const subject = names.user(e.state_key)
    const said = subject.person ?? (subject.actor.kind === 'service' ? 'wardroom' : e.state_key)
    return {
      action,
      object: room,
      detail: { subject: said, ...(text(before.membership) ? { before: String(before.membership) } : {}) },
    }
  }
  // What a room is made with is part of making it.
  if (
    ruleTypes.has(e.type) &&
    e.state_key === '' &&
    (e.unsigned?.prev_content ?? e.unsigned?.replaces_state) !== undefined
  ) {
    const detail = e.type === 'm.room.power_levels' ? powerDetail(e.content, before) : {}
    return { action: 'power.change', object: room, detail: { what: e.type, ...detail } }
  }
  if (e.type === 'm.room.create' && names.user(e.sender).actor.kind === 'user')
    return { action: 'room.create', object: room, detail: { class: 'other' } }
  return undefined
}

/**
 * What the log says of an event of the homeserver, from its metadata alone: messages sent, edited, removed, comings and goings, who may do what. Undefined for
 * everything else, and for the marks that our own services put on messages: what they show has entries of its own.
 */
export const auditOfEvent = (e: EventShape, names: Names, now: number): New | undefined => {
  const found = what(e, names)
  const { actor, person, patient: own } = names.user(e.sender)
  if (!found || (actor.kind === 'service' && e.type === 'm.reaction')) return undefined
  const device = text(e.content.device_id)
  const late = Math.abs(now - e.origin_server_ts) > lateMs
  const patient = names.patientOf(e.room_id) ?? own
  return {
    ...found,
    actor: device && !person ? { ...actor, device } : actor,
    outcome: 'done',
    room: e.room_id,
    ...(patient ? { patient } : {}),
    detail: { ...found.detail, ...(late ? { sent: e.origin_server_ts } : {}) },
  }
}

export type Receipt = { room: string; user: string; event: string; thread: string; at: number }

/** The public read receipts in an `m.receipt` (Matrix spec, MSC2409 for how it is pushed); private ones never leave their owner's devices. */
export const receiptsIn = (edu: { type: string; room_id?: string; content?: unknown }): Receipt[] => {
  const room = text(edu.room_id)
  if (edu.type !== 'm.receipt' || !room) return []
  return Object.entries(object(edu.content)).flatMap(([event, kinds]) =>
    Object.entries(object(object(kinds)['m.read'])).map(([user, data]) => {
      const { ts, thread_id } = object(data)
      return { room, user, event, thread: text(thread_id) ?? '', at: Number.isSafeInteger(ts) ? Number(ts) : 0 }
    }),
  )
}

/** What the log says of a receipt. Our own services read nothing. */
export const auditOfReceipt = (r: Receipt, names: Names): New | undefined => {
  const { actor, patient: own } = names.user(r.user)
  if (actor.kind === 'service') return undefined
  const patient = names.patientOf(r.room) ?? own
  return {
    actor,
    action: 'message.receipt',
    object: { kind: 'event', id: r.event },
    outcome: 'done',
    room: r.room,
    ...(patient ? { patient } : {}),
  }
}
