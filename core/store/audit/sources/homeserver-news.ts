import type { AuditEvent } from '../../../domain/audit/event.ts'
import {
  auditOfEvent,
  auditOfReceipt,
  type EventShape,
  type Known,
  type Names,
  type Receipt,
} from '../../../domain/audit/room-event.ts'
import type { Tx } from '../../tx.ts'

/** How long changes of one person's devices are waited for, so that a sign-in's several changes are looked at together. */
const settle = 1000

type NameRow = {
  room: string | null
  ghost: string | null
  patient: string
  person: string | null
  kind: Known['person'] | null
}

/** One odd name must not make the homeserver repeat its transaction for ever: text columns hold no NUL. */
const storable = (name: string) => name.length <= 255 && !name.includes('\0')

/** Patients' care rooms and people's ghosts among these, in one question. */
export const namesIn = async (
  tx: Tx,
  rooms: readonly string[],
  users: readonly string[],
  serverName: string,
): Promise<Names> => {
  const end = `:${serverName}`
  const ours = (prefix: RegExp, user: string) => user.endsWith(end) && prefix.test(user)
  const ghosts = users.filter(u => ours(/^@p_/, u) && storable(u))
  const { rows } = await tx.sql.raw(
    `select room_id as room, null as ghost, id as patient, null as person, null as kind from patient where room_id = any(?::text[])
     union all select null, ghost, patient_id, id, kind from person where ghost = any(?::text[])`,
    [rooms.filter(storable), ghosts],
  )
  const found = rows as NameRow[]
  const patients = new Map(found.flatMap(r => (r.room ? [[r.room, r.patient] as const] : [])))
  const persons = new Map(
    found.flatMap(({ ghost, person, patient, kind }): [string, Known][] =>
      ghost && person ? [[ghost, { actor: { kind: 'person', id: person }, person: kind ?? 'patient', patient }]] : [],
    ),
  )
  return {
    patientOf: room => patients.get(room),
    user: id => {
      const person = persons.get(id)
      if (person) return person
      if (ours(/^@p_/, id)) return { actor: { kind: 'person', id }, person: 'patient' }
      if (ours(/^@r_/, id)) return { actor: { kind: 'service', id: 'bridge' } }
      if (ours(/^@(wardroom(_.*)?|role_.*):/, id)) return { actor: { kind: 'service', id: 'wardroom' } }
      return { actor: { kind: 'user', id } }
    },
  }
}

/** Those receipts that are newer than what was seen of the same person in the same room and thread, each noted. */
const newReceipts = async (tx: Tx, receipts: readonly Receipt[]): Promise<Receipt[]> => {
  const latest = new Map<string, Receipt>()
  for (const r of receipts) {
    if (![r.room, r.user, r.thread, r.event].every(storable)) continue
    const key = JSON.stringify([r.room, r.user, r.thread])
    if ((latest.get(key)?.at ?? -1) < r.at) latest.set(key, r)
  }
  // Always in the same order, so that two transactions at once never wait for each other in a circle.
  if (latest.size === 0) return []
  const rows = [...latest.entries()].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, r]) => r)
  const seen = await tx.sql.raw(
    `insert into receipt_seen as seen (room_id, user_id, thread, event_id, at)
     select * from unnest(?::text[], ?::text[], ?::text[], ?::text[], ?::bigint[])
     on conflict (room_id, user_id, thread) do update set event_id = excluded.event_id, at = excluded.at
       where excluded.at > seen.at or (excluded.at = seen.at and excluded.event_id <> seen.event_id)
     returning room_id as room, user_id as user, thread, event_id as event, at`,
    [
      rows.map(r => r.room),
      rows.map(r => r.user),
      rows.map(r => r.thread),
      rows.map(r => r.event),
      rows.map(r => r.at),
    ],
  )
  return seen.rows
}

/**
 * Writes into the log what the homeserver reported: events that are new in the inbox and receipts that were not seen before, in the transaction that stores
 * them; three statements, however many there are. Whose devices changed is looked up by the job `desk.devices`. Safe to repeat.
 */
export const recordNews = async (
  tx: Tx,
  news: { events: readonly EventShape[]; receipts: readonly Receipt[]; deviceLists: readonly string[] },
  serverName: string,
): Promise<void> => {
  for (const user of new Set(news.deviceLists))
    if (storable(user) && (!/^@(r_|wardroom|role_)/.test(user) || !user.endsWith(`:${serverName}`)))
      await tx.enqueue({
        queue: 'bots',
        kind: 'desk.devices',
        key: `devices:${user}:${Math.floor(tx.now / settle)}`,
        lane: `devices:${user}`,
        due: tx.now + settle,
        payload: { user },
      })
  const receipts = await newReceipts(tx, news.receipts)
  if (news.events.length + receipts.length === 0) return
  const rooms = new Set([...news.events.map(e => e.room_id), ...receipts.map(r => r.room)])
  const users = new Set([
    ...news.events.flatMap(e => [e.sender, ...(e.type === 'm.room.member' && e.state_key ? [e.state_key] : [])]),
    ...receipts.map(r => r.user),
  ])
  const names = await namesIn(tx, [...rooms], [...users], serverName)
  const found: (Omit<AuditEvent, 'at'> | undefined)[] = [
    ...news.events.map(e => auditOfEvent(e, names, tx.now)),
    ...receipts.map(r => auditOfReceipt(r, names)),
  ]
  await tx.auditAll(found.filter(e => e !== undefined))
}
