import type { Instant } from '../clock.ts'
import { type ImportDiff, importDiff, type SourcedShift } from './import-diff.ts'
import { type Conflict, conflicts } from './schedule/conflicts.ts'
import { type Difference, differences } from './schedule/differences.ts'
import type { Layer, Override, Schedule } from './schedule/schedule.ts'
import { type Gap, gaps } from './schedule/shifts.ts'
import type { Shift } from './shift.ts'
import type { Zones } from './zones.ts'

/**
 * Where a change of the source meets an override, which stays in force: `stands` (the source would put somebody else on),
 * `agrees` (both now say the same person), `idle` (whom the override takes off or replaces is no longer on there).
 */
export type OverrideMeets = {
  override: Override
  meets: 'stands' | 'agrees' | 'idle'
  from: Instant
  to: Instant
  person: string
}

/** What taking an import would do, before it is taken; nothing but the layer's list of shifts would be another. */
export type ImportPlan = ImportDiff & {
  /** The schedule as it would be. */
  schedule: Schedule
  /** Where other people would be on duty: what counts, after overrides and absences. */
  differences: Difference[]
  overrides: OverrideMeets[]
  /** All that there would be in the window; `fresh` are those that the import makes. */
  gaps: (Gap & { fresh: boolean })[]
  conflicts: (Conflict & { fresh: boolean })[]
  /** The same as is in force: nothing to take. */
  nothing: boolean
  /** The source had shifts in the window, and now has none: more likely a broken feed than a clinic without duties. */
  emptied: boolean
}

export type ImportInput = {
  schedule: Schedule
  /** The id of the layer that the source fills; a layer that does not exist is put below the others. */
  layer: string
  /** What was taken from the source before. */
  current: readonly SourcedShift[]
  imported: readonly SourcedShift[]
  /** Now, or later: what is past is not changed any more. */
  from: Instant
  to: Instant
}

type Span = { from: Instant; to: Instant }

const common = (a: Span, b: Span): Span | undefined => {
  const span = { from: Math.max(a.from, b.from), to: Math.min(a.to, b.to) }
  return span.from < span.to ? span : undefined
}

const withList = (schedule: Schedule, id: string, list: readonly SourcedShift[]): Schedule => {
  const rotation = { kind: 'list' as const, shifts: list.map(({ from, to, person }) => ({ from, to, person })) }
  const found = schedule.layers.some(layer => layer.id === id)
  const made: Layer = { id, rotation, restrictions: [] }
  const layers = schedule.layers.map(layer => (layer.id === id ? { ...layer, rotation } : layer))
  return { ...schedule, layers: found ? layers : [made, ...layers] }
}

const meetings = (diff: ImportDiff, overrides: readonly Override[], from: Instant): OverrideMeets[] => {
  const comes = [...diff.added, ...diff.moved.map(m => m.after)]
  const goes = [...diff.removed, ...diff.moved.map(m => m.before)]
  const found: OverrideMeets[] = []
  for (const override of overrides.filter(o => o.to > from)) {
    const meet = (meets: OverrideMeets['meets'], shift: Shift) => {
      const span = common(override, shift)
      if (span) found.push({ override, meets, ...span, person: shift.person })
    }
    const takesOff =
      override.kind === 'remove' ? override.person : override.kind === 'replace' ? override.replaces : undefined
    for (const shift of comes) {
      if (override.kind !== 'remove' && shift.person === override.person) meet('agrees', shift)
      else if (
        override.kind === 'replace' ? takesOff === undefined || takesOff === shift.person : shift.person === takesOff
      )
        meet('stands', shift)
    }
    for (const shift of goes.filter(s => s.person === takesOff)) {
      const still = diff.shifts.some(s => s.person === takesOff && common(override, s) && common(shift, s))
      if (!still) meet('idle', shift)
    }
  }
  return found.sort((a, b) => a.from - b.from)
}

const unlike = <T>(before: readonly T[]) => {
  const known = new Set(before.map(x => JSON.stringify(x)))
  return (x: T) => ({ ...x, fresh: !known.has(JSON.stringify(x)) })
}

/**
 * What would change if an import were taken: shifts by name, people on duty, where overrides meet it, gaps, double cover.
 * Overrides are the schedule's own and lie above every layer: no import touches them. Taking the same import twice
 * changes nothing the second time.
 */
export const planImport = (input: ImportInput, zones: Zones): ImportPlan => {
  const { schedule, from, to } = input
  const diff = importDiff(input.current, input.imported, input)
  const before = withList(schedule, input.layer, input.current)
  const after = withList(schedule, input.layer, diff.shifts)
  const options = { zones, known: () => true, reportTwoRoles: false }
  const nothing = diff.added.length + diff.removed.length + diff.moved.length === 0
  return {
    ...diff,
    schedule: after,
    differences: differences(before, after, from, to, zones),
    overrides: meetings(diff, schedule.overrides, from),
    gaps: gaps(after, from, to, zones).map(unlike(gaps(before, from, to, zones))),
    conflicts: conflicts([after], from, to, options).map(unlike(conflicts([before], from, to, options))),
    nothing,
    emptied: !nothing && !diff.shifts.some(s => common(s, input)),
  }
}
