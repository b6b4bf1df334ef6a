import { createHash } from 'node:crypto'
import type { Knex } from 'knex'
import { days, type Instant, isInstant, minutes } from '../../domain/clock.ts'
import type { EventId, RoomId, UserId } from '../../domain/ids.ts'
import type { Seal } from '../../seal.ts'
import type { StoreDeps, Tx } from '../tx.ts'

/** Which registration delivered it: the bots' and service users', or the patient ghosts'. `records`: what the records bot reads once more; `roles`: what people write to roles. */
export type InboxSource = 'bots' | 'ghosts' | 'records' | 'roles'

export type RawEvent = Record<string, unknown> & {
  event_id: string
  room_id: string
  type: string
  sender: string
  origin_server_ts: number
  content: Record<string, unknown>
  state_key?: string
  unsigned?: Record<string, unknown>
}

export type InboxEvent = {
  /** Grows with arrival. */
  id: number
  source: InboxSource
  eventId: EventId
  roomId: RoomId
  type: string
  sender: UserId
  stateKey: string | undefined
  originServerTs: Instant
  content: Record<string, unknown>
  /** The event as the homeserver sent it. */
  raw: RawEvent
  receivedAt: Instant
  attempts: number
  /** Parked till its deadline: this is the last call, and another 'park' gives it up. */
  expired: boolean
}

type Row = {
  id: number
  source: InboxSource
  event_id: string
  room_id: string
  type: string
  sender: string
  origin_server_ts: number
  event: string
  sealed: boolean
  received_at: number
  attempts: number
  park_until: number | null
}

const sealContext = 'inbox.event'
const cipherKeys = new Set(['algorithm', 'ciphertext', 'device_id', 'sender_key', 'session_id'])
const outerKeys = new Set([
  'event_id',
  'room_id',
  'type',
  'sender',
  'origin_server_ts',
  'content',
  'unsigned',
  'age',
  'user_id',
])
const unsignedKeys = new Set(['age', 'transaction_id', 'membership', 'io.element.msc4115.membership'])

const only = (o: unknown, keys: Set<string>) => Object.keys((o as object | undefined) ?? {}).every(k => keys.has(k))

/** Is nothing in it but ciphertext and routing? Everything else can hold a patient's words (topics, names, reaction keys, relations) and is sealed. */
export const isCiphertextOnly = (e: RawEvent): boolean =>
  e.type === 'm.room.encrypted' && only(e, outerKeys) && only(e.content, cipherKeys) && only(e.unsigned, unsignedKeys)

/** NUL cannot be in a text column; one odd event must not make the homeserver repeat its transaction for ever. */
const column = (v: unknown) => String(v ?? '').replaceAll('\0', '\ufffd')

/** The homeserver always gives an id; without one its content is its identity. */
const idOf = (e: RawEvent, json: string) =>
  e.event_id ? column(e.event_id) : `$sha256:${createHash('sha256').update(json).digest('base64url')}`

/** What its server says, unless that is no time or lies ahead: an answer "from tomorrow" would make what a patient writes today look answered. */
const sentAt = ({ origin_server_ts: at }: RawEvent, now: Instant): Instant =>
  isInstant(at) && at <= now + minutes(5) ? at : now

/** Adds raw events in order, each once by its event id, and wakes the worker. Returns those that were new. */
export const putEvents = async (tx: Tx, source: InboxSource, events: readonly RawEvent[]): Promise<RawEvent[]> => {
  if (events.length === 0) return []
  const rows = await Promise.all(
    events.map(async e => {
      const json = JSON.stringify(e)
      const sealed = !isCiphertextOnly(e)
      return {
        event_id: idOf(e, json),
        room_id: column(e.room_id),
        type: column(e.type),
        sender: column(e.sender),
        ts: sentAt(e, tx.now),
        sealed,
        event: sealed ? await tx.deps.seal.close(sealContext, json) : json,
      }
    }),
  )
  const { rows: inserted } = await tx.sql.raw(
    `insert into inbox (source, event_id, room_id, type, sender, origin_server_ts, sealed, event, received_at, due_at)
     select ?, e, r, t, s, ts, sealed, ev, ?::bigint, ?::bigint
     from unnest(?::text[], ?::text[], ?::text[], ?::text[], ?::bigint[], ?::bool[], ?::text[])
       with ordinality as x(e, r, t, s, ts, sealed, ev, n) order by n
     on conflict (source, event_id) do nothing returning event_id`,
    [
      source,
      tx.now,
      tx.now,
      rows.map(r => r.event_id),
      rows.map(r => r.room_id),
      rows.map(r => r.type),
      rows.map(r => r.sender),
      rows.map(r => r.ts),
      rows.map(r => r.sealed),
      rows.map(r => r.event),
    ],
  )
  await tx.sql.raw(`select pg_notify('inbox', ?)`, [source])
  const fresh = new Set((inserted as { event_id: string }[]).map(r => r.event_id))
  // Of an event that one transaction has twice, the first was stored.
  return events.filter((_, i) => fresh.delete(rows[i]?.event_id ?? ''))
}

/** An event as far as it can be told without opening its seal. */
export type ClosedEvent = Omit<InboxEvent, 'raw' | 'content' | 'stateKey'> & {
  /** @throws when the key file lacks the key that sealed it. */
  open(): Promise<InboxEvent>
}

const toClosed = (seal: Seal, r: Row, now: Instant): ClosedEvent => {
  const known = {
    id: r.id,
    source: r.source,
    eventId: r.event_id as EventId,
    roomId: r.room_id as RoomId,
    type: r.type,
    sender: r.sender as UserId,
    originServerTs: r.origin_server_ts,
    receivedAt: r.received_at,
    attempts: r.attempts,
    expired: r.park_until !== null && r.park_until <= now,
  }
  const open = async (): Promise<InboxEvent> => {
    const raw = JSON.parse(r.sealed ? await seal.open(sealContext, r.event) : r.event) as RawEvent
    return { ...known, raw, content: raw.content ?? {}, stateKey: raw.state_key }
  }
  return { ...known, open }
}

/** Rooms in which something may be due, by their oldest event, without the rooms of `busy`. A room whose first event waits for its retry can be among them. */
export const dueRooms = async (
  deps: StoreDeps,
  source: InboxSource,
  busy: readonly string[],
  limit: number,
): Promise<string[]> => {
  // A bounded look at the oldest: finding every room's head costs more the longer the backlog is.
  const { rows } = await deps.db.raw(
    `select room_id as room from (
       select id, room_id from inbox where source = ? and state = 'pending' and due_at <= ? and room_id <> all(?::text[])
       order by id limit 200) oldest
     group by room_id order by min(id) limit ?`,
    [source, deps.clock.now(), [...busy], limit],
  )
  return (rows as { room: string }[]).map(r => r.room)
}

const columns =
  'id, source, event_id, room_id, type, sender, origin_server_ts, event, sealed, received_at, attempts, park_until'

/** Takes a room for this transaction; undefined when another process has it. Freed by commit, rollback or the process's death. */
export const claimRoom = async (sql: Knex.Transaction, source: InboxSource, room: string): Promise<boolean> => {
  const { rows } = await sql.raw('select pg_try_advisory_xact_lock(hashtextextended(?, 1)) as got', [
    `inbox ${source} ${room}`,
  ])
  return rows[0].got
}

/** The claimed room's pending events in order, up to the first that is not due yet. */
export const pendingInRoom = async (
  deps: StoreDeps,
  sql: Knex.Transaction,
  source: InboxSource,
  room: string,
  limit: number,
): Promise<ClosedEvent[]> => {
  const { rows } = await sql.raw(
    `select ${columns}, due_at from inbox where source = ? and room_id = ? and state = 'pending' order by id limit ?`,
    [source, room, limit],
  )
  const now = deps.clock.now()
  const notDue = (rows as (Row & { due_at: number })[]).findIndex(r => r.due_at > now)
  return (rows as Row[]).slice(0, notDue < 0 ? undefined : notDue).map(r => toClosed(deps.seal, r, now))
}

/** What stays of an event that was handled: nothing where it was to be forgotten meanwhile. */
const remains = `case when forget then '' else event end`

export const finishEvents = async (sql: Knex.Transaction, ids: readonly number[], now: Instant): Promise<void> => {
  await sql.raw(
    `update inbox set state = 'done', done_at = ?, reason = null, event = ${remains} where id = any(?::bigint[])`,
    [now, [...ids]],
  )
}

/** Sets it aside until a wake or its first deadline. */
export const parkEvent = async (sql: Knex.Transaction, id: number, reason: string, until: Instant): Promise<void> => {
  await sql.raw(
    `update inbox set state = 'parked', reason = ?, park_until = least(park_until, ?::bigint) where id = ?`,
    [reason, until, id],
  )
}

/** Tries it again at `due`; `counts` is what this try adds to its attempts. */
export const retryEvent = async (
  sql: Knex.Transaction,
  id: number,
  due: Instant,
  reason: string,
  counts: 0 | 1,
): Promise<void> => {
  await sql.raw('update inbox set attempts = attempts + ?, due_at = ?, reason = ? where id = ?', [
    counts,
    due,
    reason,
    id,
  ])
}

/** Gives an event up, visibly: state 'dead' and the audit event `event.poison`. */
export const buryEvent = async (tx: Tx, event: ClosedEvent, reason: string): Promise<void> => {
  await tx.sql.raw(`update inbox set state = 'dead', done_at = ?, reason = ?, event = ${remains} where id = ?`, [
    tx.now,
    reason,
    event.id,
  ])
  await tx.audit({
    actor: { kind: 'service', id: `inbox.${event.source}` },
    action: 'event.poison',
    object: { kind: 'event', id: event.eventId },
    outcome: 'failed',
    room: event.roomId,
    reason,
    detail: { attempts: event.attempts, type: event.type.startsWith('m.') ? event.type : 'custom' },
  })
}

/** Makes parked events pending again: all of a source, one room's, or (`due`) those past their deadline. Returns how many. */
export const unparkEvents = async (
  deps: StoreDeps,
  source: InboxSource,
  which: { room?: string; due?: true } = {},
): Promise<number> => {
  const now = deps.clock.now()
  const q = deps.db('inbox').where({ source, state: 'parked', ...(which.room ? { room_id: which.room } : {}) })
  if (which.due) q.where('park_until', '<=', now)
  return q.update({ state: 'pending', due_at: now })
}

export type InboxCounts = { pending: number; due: number; parked: number; dead: number }

export const countInbox = async (deps: StoreDeps, source: InboxSource): Promise<InboxCounts> => {
  const { rows } = await deps.db.raw(
    `select count(*) filter (where state = 'pending')::int as pending,
            count(*) filter (where state = 'pending' and due_at <= ?)::int as due,
            count(*) filter (where state = 'parked')::int as parked, count(*) filter (where state = 'dead')::int as dead
     from inbox where source = ? and state <> 'done'`,
    [deps.clock.now(), source],
  )
  return rows[0]
}

/** Longer than any key that could open it again is likely to be kept. */
const keepSeenMs = days(730)

/**
 * Is this the first time that this ciphertext is obeyed? Each message of a Megolm session has one of its own, which nobody else can make or change; its sender's
 * client repeats none. True for what is not encrypted.
 */
export const firstSight = async (
  sql: Knex.Transaction,
  { source, content }: Pick<InboxEvent, 'source' | 'content'>,
  now: Instant,
): Promise<boolean> => {
  if (typeof content.ciphertext !== 'string') return true
  // Of the bytes: base64 has more than one way to write them.
  const hash = createHash('sha256').update(Buffer.from(content.ciphertext, 'base64')).digest()
  const { rows } = await sql.raw(
    'insert into seen_ciphertext (source, hash, seen_at) values (?, ?, ?) on conflict do nothing returning 1',
    [source, hash, now],
  )
  return rows.length > 0
}

/** The inbox's own retention: deletes what was finished longer than `keepMs` ago. Keep longer than the homeserver could repeat a transaction. */
export const sweepInbox = async (deps: StoreDeps, keepMs: number): Promise<number> => {
  const now = deps.clock.now()
  await deps
    .db('seen_ciphertext')
    .where('seen_at', '<', now - keepSeenMs)
    .delete()
  return deps
    .db('inbox')
    .where('done_at', '<', now - keepMs)
    .delete()
}

/**
 * Deletes what the inbox still has of events whose content is gone. One that a bot is still to handle stays until it is, and then nothing of it; the records bot,
 * which would only note its files, need not handle it.
 */
export const forgetEvents = async (tx: Tx, events: readonly string[]): Promise<void> => {
  await tx.sql.raw(
    `delete from inbox where event_id = any(?::text[]) and (state in ('done', 'dead') or source = 'records')`,
    [[...events]] as never,
  )
  await tx.sql.raw(`update inbox set forget = true where event_id = any(?::text[])`, [[...events]] as never)
}
