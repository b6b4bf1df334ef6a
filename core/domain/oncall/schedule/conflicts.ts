import type { Instant } from '../../clock.ts'
import type { Shift } from '../shift.ts'
import type { Zones } from '../zones.ts'
import { isOn } from './check-change.ts'
import type { Override, Schedule, Segment } from './schedule.ts'
import { shifts, shiftsOf } from './shifts.ts'

type Span = { from: Instant; to: Instant }

/** Something that a person should look at before it happens. `schedule` is an id. */
export type Conflict =
  /** Two people were put on the same time; the last of `people` counts. */
  | (Span & { kind: 'double-cover'; schedule: string; people: readonly [string, string] })
  | (Span & { kind: 'two-roles'; person: string; schedules: readonly [string, string] })
  /** Would be on duty while away; `covering` is on instead, and is the same person where an override or the fallback names them all the same. */
  | (Span & { kind: 'absent'; schedule: string; person: string; covering: string })
  /** Is named but does not exist; the span is their first time on duty, or empty at its beginning. */
  | (Span & { kind: 'unknown-person'; schedule: string; person: string })

export type ConflictOptions = {
  zones: Zones
  known(person: string): boolean
  /** Is it worth a report that one person is on in two schedules at once? */
  reportTwoRoles: boolean
}

const common = (a: Span, b: Span): Span | undefined => {
  const span = { from: Math.max(a.from, b.from), to: Math.min(a.to, b.to) }
  return span.from < span.to ? span : undefined
}

const layersOf = (s: Schedule) => [...s.layers, ...s.temporary.flatMap(t => t.layers)]

const twiceInList = (schedule: string, list: readonly Shift[], within: Span): Conflict[] => {
  const found: Conflict[] = []
  let longest: Shift | undefined
  for (const s of list.filter(s => common(s, within)).sort((a, b) => a.from - b.from)) {
    const both = longest && longest.person !== s.person ? common(longest, s) : undefined
    if (longest && both) found.push({ kind: 'double-cover', schedule, people: [longest.person, s.person], ...both })
    if (!longest || s.to > longest.to) longest = s
  }
  return found
}

const replaced = (o: Override) => (o.kind === 'replace' ? (o.replaces ?? '') : undefined)

const twiceOverridden = (schedule: Schedule, within: Span): Conflict[] => {
  const found: Conflict[] = []
  const replacing = schedule.overrides.filter(o => o.kind === 'replace' && common(o, within))
  for (const [i, later] of replacing.entries()) {
    for (const earlier of replacing.slice(0, i)) {
      const both = common(earlier, later)
      if (!both || earlier.person === later.person || replaced(earlier) !== replaced(later)) continue
      found.push({ kind: 'double-cover', schedule: schedule.id, people: [earlier.person, later.person], ...both })
    }
  }
  return found
}

const whileAway = (schedule: Schedule, actual: readonly Segment[], within: Span, zones: Zones): Conflict[] => {
  const away = schedule.absences.filter(a => common(a, within))
  if (away.length === 0) return []
  const found: Conflict[] = []
  for (const planned of shifts({ ...schedule, absences: [] }, within.from, within.to, zones)) {
    for (const absence of away.filter(a => isOn(planned, a.person))) {
      const span = common(planned, absence)
      if (!span) continue
      for (const s of actual.filter(s => common(s, span))) {
        const part = common(s, span) as Span
        const covering = isOn(s, absence.person) ? absence.person : s.person
        found.push({ kind: 'absent', schedule: schedule.id, person: absence.person, covering, ...part })
      }
    }
  }
  return found
}

const unknown = (schedule: Schedule, actual: readonly Segment[], within: Span, known: (p: string) => boolean) => {
  const named = [
    ...layersOf(schedule).flatMap(l =>
      l.rotation.kind === 'list' ? l.rotation.shifts.map(s => s.person) : l.rotation.people,
    ),
    ...schedule.overrides.filter(o => o.kind !== 'remove').map(o => o.person),
    schedule.fallback,
  ]
  return [...new Set(named)]
    .filter(person => !known(person))
    .map((person): Conflict => {
      const first = shiftsOf(actual, person)[0] ?? { from: within.from, to: within.from }
      return { kind: 'unknown-person', schedule: schedule.id, person, from: first.from, to: first.to }
    })
}

/** Time on duty in several schedules, other than as a fallback. */
const twoRoles = (duties: readonly (Shift & { schedule: string })[]): Conflict[] => {
  const found: Conflict[] = []
  const still = new Map<string, (Shift & { schedule: string })[]>()
  for (const duty of duties.toSorted((a, b) => a.from - b.from)) {
    const open = (still.get(duty.person) ?? []).filter(d => d.to > duty.from)
    for (const other of open) {
      const both = other.schedule === duty.schedule ? undefined : common(other, duty)
      if (both)
        found.push({ kind: 'two-roles', person: duty.person, schedules: [other.schedule, duty.schedule], ...both })
    }
    still.set(duty.person, [...open, duty])
  }
  return found
}

/** What is wrong with these schedules between two instants, in the order of time. Gaps are `gaps`' to report. */
export const conflicts = (
  schedules: readonly Schedule[],
  from: Instant,
  to: Instant,
  options: ConflictOptions,
): Conflict[] => {
  const within = { from, to }
  const found: Conflict[] = []
  const duties: (Shift & { schedule: string })[] = []
  for (const schedule of schedules) {
    const actual = shifts(schedule, from, to, options.zones)
    for (const { rotation } of layersOf(schedule)) {
      if (rotation.kind === 'list') found.push(...twiceInList(schedule.id, rotation.shifts, within))
    }
    found.push(...twiceOverridden(schedule, within))
    found.push(...whileAway(schedule, actual, within, options.zones))
    found.push(...unknown(schedule, actual, within, options.known))
    const planned = actual.filter(s => s.why.by !== 'fallback')
    duties.push(...shiftsOf(planned).map(s => ({ ...s, schedule: schedule.id })))
  }
  if (options.reportTwoRoles) found.push(...twoRoles(duties))
  return found.sort((a, b) => a.from - b.from)
}
