import type { Knex } from 'knex'
import { days, type Instant } from '../../domain/clock.ts'
import type { EscalationPolicy } from '../../domain/oncall/paging/policy.ts'
import type { Absence, Layer, Override, Schedule, Temporary } from '../../domain/oncall/schedule/schedule.ts'
import type { Db } from '../db.ts'

/** What reading schedules needs; a `Tx` is one. */
export type OnCallReader = { sql: Db | Knex.Transaction; now: Instant; deps: { db: Db } }

/** A role that people write to. `user` is its Matrix user, `@role_cardiology:clinic.example`. */
export type OnCallRole = {
  key: string
  name: string
  unit: string
  user: string
  version: number
  createdAt: Instant
  createdBy: string
}

/** A role with its schedule as it is now, ready for `whoIsOn` (overrides and absences that ended more than 100 days ago are not in it), and how its pages escalate. Not to be changed in place. */
export type OnCallEntry = { role: OnCallRole; schedule: Schedule; policy: EscalationPolicy }

type RoleRow = {
  key: string
  name: string
  unit: string
  user_id: string
  zone: string
  fallback: string
  layers: Layer[]
  policy: EscalationPolicy
  version: number
  created_at: Instant
  created_by: string
}
type SpanRow = { id: string; from_at: Instant; to_at: Instant; withdrawn_at: Instant | null }
type OverrideRow = SpanRow & {
  role: string
  kind: Override['kind']
  person: string
  replaces: string | null
  swap: string | null
}
type TemporaryRow = SpanRow & { role: string; layers: Layer[] }
type AbsenceRow = SpanRow & { person: string }

/** What was withdrawn counts until then; undefined where that was before it began. */
const spanOf = (r: SpanRow): { id: string; from: Instant; to: Instant } | undefined => {
  const to = Math.min(r.to_at, r.withdrawn_at ?? r.to_at)
  return to > r.from_at ? { id: r.id, from: r.from_at, to } : undefined
}

const overrideOf = (r: OverrideRow): Override[] => {
  const span = spanOf(r)
  if (!span) return []
  if (r.kind !== 'replace') return [{ ...span, person: r.person, kind: r.kind }]
  const more = {
    ...(r.replaces === null ? {} : { replaces: r.replaces }),
    ...(r.swap === null ? {} : { swap: r.swap }),
  }
  return [{ ...span, person: r.person, kind: r.kind, ...more }]
}

const peopleIn = (layers: readonly Layer[]): string[] =>
  layers.flatMap(l => (l.rotation.kind === 'list' ? l.rotation.shifts.map(s => s.person) : l.rotation.people))

/** Everybody whom a schedule names, its fallback and overrides included. */
export const namedIn = (s: Schedule): Set<string> =>
  new Set([
    ...peopleIn(s.layers),
    ...s.temporary.flatMap(t => peopleIn(t.layers)),
    ...s.overrides.map(o => o.person),
    s.fallback,
  ])

/** What is kept of a role: `mark` is another after every change of it, also after one that was rolled back; `named` whom its schedule names. */
type KeptRole = OnCallEntry & { mark: string; named: ReadonlySet<string> }

/** Reads roles anew, still without absences. */
const loadRoles = async ({ sql, now }: OnCallReader, keys: readonly string[]): Promise<KeptRole[]> => {
  const since = now - days(100)
  const still = (table: string) => sql(table).whereIn('role', keys).where('to_at', '>', since).orderBy('seq')
  const roles: (RoleRow & { mark: string })[] = await sql('oncall_role').whereIn('key', keys).select('*', sql.raw(mark))
  const overrides = Map.groupBy((await still('oncall_override')) as OverrideRow[], r => r.role)
  const temporary = Map.groupBy((await still('oncall_temporary')) as TemporaryRow[], r => r.role)
  return roles.map(r => {
    const schedule: Schedule = {
      id: r.key,
      zone: r.zone,
      layers: r.layers,
      fallback: r.fallback,
      overrides: (overrides.get(r.key) ?? []).flatMap(overrideOf),
      temporary: (temporary.get(r.key) ?? []).flatMap((t): Temporary[] => {
        const span = spanOf(t)
        return span ? [{ ...span, layers: t.layers }] : []
      }),
      absences: [],
    }
    const { key, name, unit, version } = r
    const role = { key, name, unit, user: r.user_id, version, createdAt: r.created_at, createdBy: r.created_by }
    return { role, schedule, policy: r.policy, mark: r.mark, named: namedIn(schedule) }
  })
}

/** The transaction that wrote the row, and the version: of two changes in one transaction each has another. */
const mark = `xmin::text || '.' || version as mark`

const awayNow = async ({ sql, now }: OnCallReader): Promise<Map<string, Absence[]>> => {
  const rows: AbsenceRow[] = await sql('oncall_absence')
    .where('to_at', '>', now - days(100))
    .orderBy('seq')
  const absences = rows.flatMap((r): Absence[] => {
    const span = spanOf(r)
    return span ? [{ ...span, person: r.person }] : []
  })
  return Map.groupBy(absences, a => a.person)
}

type Kept = { stamp: string; roles: ReadonlyMap<string, KeptRole> }
/** By pool: after a change of any schedule a process reads once which roles changed, and those anew. */
const kept = new WeakMap<Db, Kept>()

const load = async (
  reader: OnCallReader,
  before: ReadonlyMap<string, KeptRole>,
): Promise<ReadonlyMap<string, KeptRole>> => {
  const marks: { key: string; mark: string }[] = await reader
    .sql('oncall_role')
    .whereNull('removed_at')
    .orderBy('key')
    .select('key', reader.sql.raw(mark))
  const changed = marks.filter(m => before.get(m.key)?.mark !== m.mark).map(m => m.key)
  const anew = new Map(changed.length === 0 ? [] : (await loadRoles(reader, changed)).map(r => [r.role.key, r]))
  const away = await awayNow(reader)
  const entries = marks.flatMap(({ key }): [string, KeptRole][] => {
    const role = anew.get(key) ?? before.get(key)
    if (!role) return []
    const absences = away.size === 0 ? [] : [...role.named].flatMap(person => away.get(person) ?? [])
    return [[key, { ...role, schedule: { ...role.schedule, absences } }]]
  })
  return new Map(entries)
}

const current = async (reader: OnCallReader): Promise<ReadonlyMap<string, KeptRole>> => {
  // Before the schedules: what changes in between leaves an old stamp, and they are read again.
  const { stamp } = await reader.sql('oncall_state').first('stamp')
  const known = kept.get(reader.deps.db)
  if (known && known.stamp === stamp) return known.roles
  const roles = await load(reader, known?.roles ?? new Map())
  kept.set(reader.deps.db, { stamp, roles })
  return roles
}

const entryOf = ({ role, schedule, policy }: KeptRole): OnCallEntry => ({ role, schedule, policy })

/** Every role, in the order of their keys. One small query where no schedule was changed since this process last asked. */
export const onCallRoles = async (reader: OnCallReader): Promise<OnCallEntry[]> =>
  [...(await current(reader)).values()].map(entryOf)

/** One role by its key (`cardiology`) or its Matrix user. */
export const onCallRole = async (reader: OnCallReader, key: string): Promise<OnCallEntry | undefined> => {
  const roles = await current(reader)
  const found = roles.get(key) ?? (key.startsWith('@') ? roles.values().find(r => r.role.user === key) : undefined)
  return found && entryOf(found)
}

/** What roles are called and which unit's they are, by key; of those that were removed as well, whose pages may still be open. */
export const roleUnits = async (
  { sql }: Pick<OnCallReader, 'sql'>,
  keys: readonly string[],
): Promise<Map<string, { name: string; unit: string }>> => {
  const rows: { key: string; name: string; unit: string }[] = await sql('oncall_role')
    .whereIn('key', [...keys])
    .select('key', 'name', 'unit')
  return new Map(rows.map(({ key, name, unit }) => [key, { name, unit }]))
}
