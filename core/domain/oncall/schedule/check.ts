import type { Instant } from '../../clock.ts'
import { type Refusal, refuse } from '../../refusal.ts'
import { parseWall, showWall, type Wall, type Zones } from '../zones.ts'
import { layerShifts } from './layer.ts'
import { type Restriction, weekSpans } from './restriction.ts'
import type { Rotation, ShiftList, Turns } from './rotation.ts'
import type { Layer, Schedule } from './schedule.ts'

/** What a check needs to know: the time, the zones, and whether a person (or role) exists. */
export type CheckContext = { now: Instant; zones: Zones; known(person: string): boolean }

export const scheduleLimits = { layers: 20, people: 500, lengths: 100, units: 10_000, restrictions: 50, shifts: 20_000 }

const firstWall = parseWall('2000-01-01') as Wall
const lastWall = parseWall('2100-01-01') as Wall
const dayMs = 86_400_000

/** Is this an instant between 2000 and 2100? Anything else is a slip of the pen. */
export const plausible = (at: Instant): boolean =>
  Number.isInteger(at) && at >= firstWall * 60_000 && at < lastWall * 60_000

export const showAt = (at: Instant, zone: string, zones: Zones): string => `${showWall(zones.wall(at, zone))} (${zone})`

const whole = (n: number, from: number, to: number): boolean => Number.isInteger(n) && n >= from && n <= to

/** Refuses an end that is not after its beginning, and dates that nobody meant. `what` begins the sentence: `The override`. */
export const checkSpan = (what: string, span: { from?: Instant; to?: Instant }): Refusal | undefined => {
  const { from, to } = span
  if ([from, to].some(at => at !== undefined && !plausible(at))) {
    return refuse('implausible-date', `${what} has a date that is not between 2000 and 2100.`)
  }
  if (from !== undefined && to !== undefined && to <= from) {
    return refuse('ends-before-start', `${what} ends before it begins.`)
  }
  return undefined
}

export const checkPerson = (person: string, context: CheckContext): Refusal | undefined =>
  context.known(person) ? undefined : refuse('unknown-person', `${person} is not a person that Wardroom knows.`)

const checkTurns = (r: Turns, name: string): Refusal | undefined => {
  if (r.people.length === 0) return refuse('empty-rotation', `${name} has nobody who takes turns.`)
  if (r.people.length > scheduleLimits.people) {
    return refuse('too-many', `${name} has more than ${scheduleLimits.people} people.`)
  }
  const lengths = r.lengths.length > 0 && r.lengths.length <= scheduleLimits.lengths
  if (!lengths || !r.lengths.every(n => whole(n, 1, scheduleLimits.units))) {
    return refuse(
      'turn-length',
      `${name}: a turn lasts a whole number of ${r.unit}s, from 1 to ${scheduleLimits.units}.`,
    )
  }
  if (!whole(r.start, firstWall, lastWall)) {
    return refuse('implausible-date', `${name} begins at a date that is not between 2000 and 2100.`)
  }
  return undefined
}

const checkList = (r: ShiftList, name: string): Refusal | undefined => {
  if (r.shifts.length === 0) return refuse('empty-rotation', `${name} has no shifts.`)
  if (r.shifts.length > scheduleLimits.shifts) {
    return refuse('too-many', `${name} has more than ${scheduleLimits.shifts} shifts.`)
  }
  for (const [i, s] of r.shifts.entries()) {
    const wrong = checkSpan(`Shift ${i + 1} of ${name}`, s)
    if (wrong) return wrong
  }
  return undefined
}

const checkRestriction = (r: Restriction, name: string): Refusal | undefined => {
  if (!r.days.every(d => whole(d, 0, 6)) || !whole(r.from, 0, 1440) || !whole(r.to, 0, 1440)) {
    return refuse('bad-restriction', `${name}: a restriction has weekdays, and times from 00:00 to 24:00.`)
  }
  if (weekSpans([r]).length > 0) return undefined
  const why = r.days.length === 0 ? 'it names no weekday' : 'it ends when it begins'
  return refuse('never-holds', `${name}: a restriction would never hold, because ${why}.`)
}

/** A stretch in which a layer that is ever on is on: its list's, or eight days from its first handoff. */
const trial = (layer: Layer, zone: string, zones: Zones): [Instant, Instant] => {
  const r: Rotation = layer.rotation
  if (r.kind === 'list') {
    return r.shifts.reduce<[Instant, Instant]>(
      ([from, to], s) => [Math.min(from, s.from), Math.max(to, s.to)],
      [Number.POSITIVE_INFINITY, 0],
    )
  }
  const begins = Math.max(zones.instant(r.start, zone), layer.from ?? 0)
  return [begins, begins + 9 * dayMs]
}

/** Is every part of a layer possible, does it name only people who exist, and is it ever in force? */
export const checkLayer = (layer: Layer, zone: string, context: CheckContext): Refusal | undefined => {
  const name = `Layer "${layer.id}"`
  const r = layer.rotation
  const wrong = (r.kind === 'list' ? checkList(r, name) : checkTurns(r, name)) ?? checkSpan(name, layer)
  if (wrong) return wrong
  if (layer.restrictions.length > scheduleLimits.restrictions) {
    return refuse('too-many', `${name} has more than ${scheduleLimits.restrictions} restrictions.`)
  }
  for (const restriction of layer.restrictions) {
    const refused = checkRestriction(restriction, name)
    if (refused) return refused
  }
  for (const person of new Set(r.kind === 'list' ? r.shifts.map(s => s.person) : r.people)) {
    const refused = checkPerson(person, context)
    if (refused) return refused
  }
  const [from, to] = trial(layer, zone, context.zones)
  if (layerShifts(layer, from, to, zone, context.zones).length > 0) return undefined
  return refuse(
    'never-holds',
    `${name} would never put anybody on duty: its times and its restrictions have nothing in common.`,
  )
}

/** Layers of a schedule, or of a temporary one. */
export const checkLayers = (layers: readonly Layer[], zone: string, context: CheckContext): Refusal | undefined => {
  if (layers.length > scheduleLimits.layers) {
    return refuse('too-many', `A schedule has at most ${scheduleLimits.layers} layers.`)
  }
  for (const [i, layer] of layers.entries()) {
    if (layers.findIndex(l => l.id === layer.id) < i) {
      return refuse('layer-twice', `There are two layers "${layer.id}".`)
    }
    const refused = checkLayer(layer, zone, context)
    if (refused) return refused
  }
  return undefined
}

/** May this schedule take effect? Says what is wrong first; its overrides, temporary schedules and absences are checked when they are made. */
export const checkSchedule = (schedule: Schedule, context: CheckContext): Refusal | undefined => {
  if (!context.zones.known(schedule.zone)) {
    return refuse('unknown-zone', `"${schedule.zone}" is not a time zone; write it like America/New_York.`)
  }
  if (schedule.fallback === '') {
    return refuse('no-fallback', 'A schedule names somebody who is on duty whenever nobody else is.')
  }
  return checkPerson(schedule.fallback, context) ?? checkLayers(schedule.layers, schedule.zone, context)
}
