import { days, type Instant } from '../../domain/clock.ts'
import type { Schedule } from '../../domain/oncall/schedule/schedule.ts'
import type { Tx } from '../tx.ts'
import type { OnCallEntry, OnCallReader } from './read.ts'

export const changeKinds = [
  'role',
  'layers',
  'zone',
  'fallback',
  'policy',
  'override',
  'temporary',
  'absence',
  'swap',
  'import',
  'removed',
] as const
export type ChangeKind = (typeof changeKinds)[number]

/** One change of a schedule: what was before and is after, as stored; null for what was not or is no more. `about`: the id of an override, absence, … */
export type OnCallChange = {
  n: number
  role: string | null
  person: string | null
  kind: ChangeKind
  about: string | null
  before: unknown
  after: unknown
  at: Instant
  by: string
}

/** All changes of schedules wait for each other, so that each is checked against what it changes. */
export const lockOnCall = (tx: Tx): Promise<unknown> => tx.sql.raw(`select pg_advisory_xact_lock(hashtext('oncall'))`)

const json = (v: unknown) => (v === null || v === undefined ? null : JSON.stringify(v))

/** Notes a change in the history and in the audit log. */
export const noteChange = async (
  tx: Tx,
  c: { role?: string; person?: string; kind: ChangeKind; about?: string; before: unknown; after: unknown; by: string },
): Promise<void> => {
  await tx.sql('oncall_history').insert({
    role: c.role ?? null,
    person: c.person ?? null,
    kind: c.kind,
    about: c.about ?? null,
    before: json(c.before),
    after: json(c.after),
    changed_at: tx.now,
    changed_by: c.by,
  })
  await tx.audit({
    actor: { kind: c.by.startsWith('@') ? 'user' : 'service', id: c.by },
    action: c.kind === 'role' || c.kind === 'removed' ? 'oncall.role' : 'oncall.change',
    object: { kind: 'oncall', id: c.role ?? c.person ?? '' },
    outcome: 'done',
    detail: { what: c.kind, about: c.about ?? null, removed: c.after === null },
  })
}

/** The latest changes of a role's schedule, and absences of the people given, newest first. */
export const onCallHistory = async (
  { sql }: Pick<OnCallReader, 'sql'>,
  { role, people = [], limit = 20 }: { role: string; people?: readonly string[]; limit?: number },
): Promise<OnCallChange[]> => {
  const rows = await sql('oncall_history')
    .where(q => q.where({ role }).orWhere(p => p.whereNull('role').whereIn('person', people)))
    .orderBy('id', 'desc')
    .limit(limit)
  return rows.map(r => ({
    n: Number(r.id),
    role: r.role,
    person: r.person,
    kind: r.kind,
    about: r.about,
    before: r.before,
    after: r.after,
    at: r.changed_at,
    by: r.changed_by,
  }))
}

type Before = Partial<Schedule> | null

const putBack = (was: Schedule, before: Before): Schedule => {
  const { layers = was.layers, zone = was.zone, fallback = was.fallback } = before ?? {}
  return { ...was, layers, zone, fallback }
}

/** What was changed of a schedule after an instant, the latest first. */
const changesAfter = (reader: OnCallReader, role: string, at: Instant): Promise<{ before: Before; at: Instant }[]> =>
  reader
    .sql('oncall_history')
    .where({ role })
    .whereIn('kind', ['layers', 'zone', 'fallback', 'import', 'role'])
    .where('changed_at', '>', at)
    .orderBy('id', 'desc')
    .select('before', 'changed_at as at')

/** How far back who was on is known. */
export const knownFor = days(100)

/**
 * The schedule as it was at an instant of the last 100 days: layers, zone and fallback that were changed since are put back. Overrides, absences and temporary schedules
 * never reach into the past when they are made, so that they are right as they are. Undefined where the role was made later.
 */
export const scheduleAsOf = async (
  reader: OnCallReader,
  { role, schedule }: Pick<OnCallEntry, 'role' | 'schedule'>,
  at: Instant,
): Promise<Schedule | undefined> => {
  if (at >= reader.now) return schedule
  if (at < role.createdAt || at < reader.now - knownFor) return undefined
  const later = await changesAfter(reader, role.key, at)
  return later.reduce((was, { before }) => putBack(was, before), schedule)
}

/** Which schedule was (and will be) in force between two instants, in order; what is not known any more, or was before the role, is left out. */
export const schedulesBetween = async (
  reader: OnCallReader,
  { role, schedule }: Pick<OnCallEntry, 'role' | 'schedule'>,
  from: Instant,
  to: Instant,
): Promise<{ from: Instant; to: Instant; schedule: Schedule }[]> => {
  const begin = Math.max(from, role.createdAt, reader.now - knownFor)
  if (begin >= to) return []
  const parts: { from: Instant; to: Instant; schedule: Schedule }[] = []
  let [was, end] = [schedule, to]
  for (const { before, at } of await changesAfter(reader, role.key, begin)) {
    if (at < end) {
      parts.unshift({ from: at, to: end, schedule: was })
      end = at
    }
    was = putBack(was, before)
  }
  return [{ from: begin, to: end, schedule: was }, ...parts]
}
