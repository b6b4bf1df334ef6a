import type { Knex } from 'knex'
import type { QueuedEvent } from '../../domain/audit/leaf.ts'

/** Patients by what belongs to them: kind and identifier, as `room !…`. */
export type Owners = ReadonlyMap<string, string>

const ghost = /^@[pr]_/
const named = (kind: string, id: string) => `${kind} ${id}`

/** What of an event may lead to its patient, the surest first. */
const leads = (e: QueuedEvent): [string, string][] => {
  const found: [string, string][] = [[e.object.kind, e.object.id]]
  if (e.actor.kind === 'person') found.push(['person', e.actor.id])
  if (e.room !== undefined) found.push(['room', e.room])
  for (const id of [e.actor.id, e.object.id]) if (ghost.test(id)) found.push(['user', id])
  return found
}

const sources = {
  room: 'select room_id as id, patient_id from room where patient_id is not null and room_id',
  person: 'select id, patient_id from person where id',
  link: 'select id, patient_id from link where id',
  session: 'select id, patient_id from session where id',
  text: 'select id, patient_id from text_message where patient_id is not null and id',
  device:
    'select d.device_id as id, s.patient_id from session_device d join session s on s.id = d.session_id where d.device_id',
  user: 'select ghost as id, patient_id from person where ghost',
  owner: 'select service_user as id, id as patient_id from patient where service_user',
} as const

/** To whom the rooms, persons, links, sessions, texts and ghosts belong that these events name. */
export const ownersOf = async (sql: Knex, events: readonly QueuedEvent[]): Promise<Owners> => {
  const wanted = new Map<keyof typeof sources, Set<string>>()
  const want = (kind: keyof typeof sources, id: string) => wanted.set(kind, (wanted.get(kind) ?? new Set()).add(id))
  for (const [kind, id] of events.flatMap(leads)) {
    if (kind === 'user') want(id.startsWith('@p_') ? 'user' : 'owner', id)
    else if (Object.hasOwn(sources, kind)) want(kind as keyof typeof sources, id)
  }
  if (wanted.size === 0) return new Map()
  const kinds = [...wanted.keys()]
  const { rows } = await sql.raw<{ rows: { kind: string; id: string; patient_id: string }[] }>(
    kinds.map(kind => `select '${kind}' as kind, x.* from (${sources[kind]} = any(?::text[])) x`).join(' union all '),
    kinds.map(kind => [...(wanted.get(kind) ?? [])]),
  )
  return new Map(rows.map(r => [named(r.kind === 'owner' ? 'user' : r.kind, r.id), r.patient_id]))
}

/** The event with its patient, where it lacks one and something in it belongs to a patient. */
export const withPatient = (e: QueuedEvent, owners: Owners): QueuedEvent => {
  if (e.patient !== undefined) return e
  if (e.object.kind === 'patient') return { ...e, patient: e.object.id }
  const patient = leads(e)
    .map(([kind, id]) => owners.get(named(kind, id)))
    .find(found => found !== undefined)
  return patient === undefined ? e : { ...e, patient }
}

// What may stand in one patient's event and still be everybody's, such as the staff's room in which a command was written.
const shared: ReadonlySet<string> = new Set(['room', 'user', 'service', 'peer', 'anonymous', 'unknown'])

/** To which patient a subject of this event belongs: with it, it is erased. */
export const ownerOf = (e: QueuedEvent, kind: string, value: string, owners: Owners): string | undefined =>
  owners.get(named(kind, value)) ?? (kind === 'patient' ? value : shared.has(kind) ? undefined : e.patient)
