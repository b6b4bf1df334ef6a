import type { Instant } from '../../domain/clock.ts'
import { newId } from '../../domain/ids.ts'
import { checkAbsence, checkOverride, checkTemporary } from '../../domain/oncall/schedule/check-change.ts'
import type { Absence, Override, Schedule, Temporary } from '../../domain/oncall/schedule/schedule.ts'
import { isRefusal, type Refusal, refuse } from '../../domain/refusal.ts'
import type { Tx } from '../tx.ts'
import { checkContext } from './directory.ts'
import { lockOnCall, noteChange } from './history.ts'
import { type OnCallEntry, onCallRoles } from './read.ts'
import { nextVersion, unchanged } from './roles.ts'

type Made<T> = { made: T; entry: OnCallEntry }
type How = { by: string; version?: number }
type WithoutId<T> = T extends unknown ? Omit<T, 'id'> : never
export type NewOverride = WithoutId<Override>

/** No schedule needs as many at once; each costs every question who is on. */
const mostAhead = 500

const columns = (c: { id: string; from: Instant; to: Instant }, tx: Tx, by: string) => ({
  id: c.id,
  from_at: c.from,
  to_at: c.to,
  made_at: tx.now,
  made_by: by,
})

/** Writes overrides that were checked. */
export const insertOverrides = async (
  tx: Tx,
  role: string,
  overrides: readonly Override[],
  by: string,
): Promise<void> => {
  for (const o of overrides) {
    const more = o.kind === 'replace' ? { replaces: o.replaces ?? null, swap: o.swap ?? null } : {}
    await tx.sql('oncall_override').insert({ ...columns(o, tx, by), role, kind: o.kind, person: o.person, ...more })
    await noteChange(tx, { role, kind: 'override', about: o.id, before: null, after: o, by })
  }
  if (overrides.length > 0) await nextVersion(tx, role, by)
}

/** Puts an override in force from now on at the earliest. Refuses what `checkOverride` refuses, and one on a schedule that changed since `version`. */
export const addOverride = async (
  tx: Tx,
  key: string,
  override: NewOverride,
  { by, version }: How,
): Promise<Made<Override> | Refusal> => {
  await lockOnCall(tx)
  const entry = await unchanged(tx, key, version)
  if (isRefusal(entry)) return entry
  if (entry.schedule.overrides.filter(o => o.to > tx.now).length >= mostAhead)
    return refuse('too-many', `There are ${mostAhead} overrides ahead already.`)
  const id = newId<string>('ov', tx.deps.random)
  const made = checkOverride({ ...override, id } as Override, entry.schedule, await checkContext(tx))
  if (isRefusal(made)) return made
  await insertOverrides(tx, key, [made], by)
  return { made, entry }
}

/** Puts other layers in force for a while. */
export const addTemporary = async (
  tx: Tx,
  key: string,
  temporary: Omit<Temporary, 'id'>,
  { by, version }: How,
): Promise<Made<Temporary> | Refusal> => {
  await lockOnCall(tx)
  const entry = await unchanged(tx, key, version)
  if (isRefusal(entry)) return entry
  const id = newId<string>('tp', tx.deps.random)
  const made = checkTemporary({ ...temporary, id }, entry.schedule, await checkContext(tx))
  if (isRefusal(made)) return made
  await tx.sql('oncall_temporary').insert({ ...columns(made, tx, by), role: key, layers: JSON.stringify(made.layers) })
  await noteChange(tx, { role: key, kind: 'temporary', about: id, before: null, after: made, by })
  await nextVersion(tx, key, by)
  return { made, entry }
}

/** Notes that somebody is away, in every schedule. `zone` is for sentences. */
export const addAbsence = async (
  tx: Tx,
  absence: Omit<Absence, 'id'>,
  { by, zone }: { by: string; zone: string },
): Promise<Absence | Refusal> => {
  await lockOnCall(tx)
  const id = newId<string>('ab', tx.deps.random)
  const made = checkAbsence({ ...absence, id }, zone, await checkContext(tx))
  if (isRefusal(made)) return made
  const ahead = await tx
    .sql('oncall_absence')
    .where({ person: made.person })
    .where('to_at', '>', tx.now)
    .whereNull('withdrawn_at')
    .count()
  if (Number(ahead[0]?.count) >= 50) return refuse('too-many', 'There are 50 absences ahead already.')
  await tx.sql('oncall_absence').insert({ ...columns(made, tx, by), person: made.person })
  await noteChange(tx, { person: made.person, kind: 'absence', about: id, before: null, after: made, by })
  return made
}

const tables = { ov: 'oncall_override', tp: 'oncall_temporary', ab: 'oncall_absence' } as const
const kinds = { ov: 'override', tp: 'temporary', ab: 'absence' } as const

/** Something that was put into a schedule by hand and can be taken back. `ids`: what goes together; a swap's two halves do. */
export type Withdrawable = {
  ids: readonly string[]
  kind: 'override' | 'temporary' | 'absence' | 'swap'
  role: string | null
  person: string | null
  from: Instant
  to: Instant
}

const tableOf = (id: string): (typeof tables)[keyof typeof tables] | undefined =>
  /^sw_\w+(-\d)?$/.test(id) ? tables.ov : tables[id.slice(0, 2) as keyof typeof tables]

/** An override, temporary schedule, absence or swap by its id that is still in force or ahead. */
export const withdrawable = async (tx: Pick<Tx, 'sql' | 'now'>, id: string): Promise<Withdrawable | undefined> => {
  const table = tableOf(id)
  const swap = /^sw_\w+/.exec(id)?.[0]
  if (table === undefined) return undefined
  const rows = await tx
    .sql(table)
    .where(swap === undefined ? { id } : { swap })
    .whereNull('withdrawn_at')
    .where('to_at', '>', tx.now)
    .orderBy('from_at')
  const [first] = rows
  if (!first) return undefined
  const { role = null, person = null } = first
  const kind = swap === undefined ? kinds[id.slice(0, 2) as keyof typeof kinds] : 'swap'
  const to = Math.max(...rows.map(r => r.to_at as Instant))
  return { ids: rows.map(r => r.id as string), kind, role, person, from: first.from_at, to }
}

/** Ends it now, or as if it had never been where it has not begun. The past stays. */
export const withdraw = async (tx: Tx, id: string, by: string): Promise<Withdrawable | Refusal> => {
  await lockOnCall(tx)
  const found = await withdrawable(tx, id)
  const table = tableOf(id)
  if (!found || !table) return refuse('unknown-change', `There is no ${id} in force or ahead.`)
  await tx
    .sql(table)
    .whereIn('id', [...found.ids])
    .update({ withdrawn_at: tx.now, withdrawn_by: by })
  const { role, person, kind, from, to } = found
  const where = role === null ? { person: person ?? '' } : { role }
  await noteChange(tx, { ...where, kind, about: id, before: { person, from, to }, after: null, by })
  if (role !== null) await nextVersion(tx, role, by)
  return found
}

/** The schedule without some of its changes: for the preview of taking them back. */
export const without = (schedule: Schedule, ids: readonly string[], now: Instant): Schedule => {
  const cut = <T extends { id: string; from: Instant; to: Instant }>(list: readonly T[]): T[] =>
    list.map(c => (ids.includes(c.id) ? { ...c, to: Math.min(c.to, now) } : c)).filter(c => c.to > c.from)
  return {
    ...schedule,
    overrides: cut(schedule.overrides),
    temporary: cut(schedule.temporary),
    absences: cut(schedule.absences),
  }
}

/** The roles whose schedules name a person, other than as a fallback alone. */
export const rolesOf = async (tx: Tx, person: string): Promise<OnCallEntry[]> =>
  (await onCallRoles(tx)).filter(
    ({ schedule: s }) =>
      [...s.layers, ...s.temporary.flatMap(t => t.layers)].some(l =>
        l.rotation.kind === 'list'
          ? l.rotation.shifts.some(x => x.person === person)
          : l.rotation.people.includes(person),
      ) || s.overrides.some(o => o.person === person),
  )
