import type { Instant } from '../../clock.ts'
import type { Shift } from '../shift.ts'
import type { Zones } from '../zones.ts'
import { layerShifts } from './layer.ts'
import { resolve } from './resolve.ts'
import { type Layer, type OnDuty, type Schedule, type Segment, sameDuty, type Why } from './schedule.ts'
import { layerWhy } from './who-is-on.ts'

type Span = { from: Instant; to: Instant }
type Era = Span & { temporary: string | undefined; layers: readonly Layer[] }

const touching = <T extends Span>(spans: readonly T[], { from, to }: Span): T[] =>
  spans.filter(s => s.from < to && s.to > from && s.from < s.to)

/** The instants at which something may change, in order, from the first to the last of a stretch. */
const edges = (within: Span, spans: readonly (readonly Span[])[]): Instant[] => {
  const found = [within.from, within.to]
  for (const list of spans) {
    for (const s of list) {
      if (s.from > within.from && s.from < within.to) found.push(s.from)
      if (s.to > within.from && s.to < within.to) found.push(s.to)
    }
  }
  return found.sort((a, b) => a - b).filter((at, i) => i === 0 || at !== found[i - 1])
}

/** Where which layers count: the schedule's own, or a temporary schedule's. */
const eras = (schedule: Schedule, within: Span): Era[] => {
  const temporary = touching(schedule.temporary, within)
  const cuts = edges(within, [temporary])
  return cuts.slice(1).map((to, i) => {
    const from = cuts[i] as Instant
    const t = temporary.findLast(s => s.from <= from && from < s.to)
    return { from, to, temporary: t?.id, layers: t?.layers ?? schedule.layers }
  })
}

type Track = { shifts: readonly Shift[]; why: Why; next: number }

/** Whom the tracks put on at an instant, topmost first; asked in the order of time. */
const candidatesAt = (tracks: readonly Track[], at: Instant): { person: string; why: Why }[] => {
  const found: { person: string; why: Why }[] = []
  for (const track of tracks) {
    let shift = track.shifts[track.next]
    while (shift && shift.to <= at) shift = track.shifts[++track.next]
    if (shift && shift.from <= at) found.push({ person: shift.person, why: track.why })
  }
  return found
}

/**
 * Who is on duty between two instants, and why: segments in order, each beginning where the one before ends, so that no instant is without one. Neighbours differ in
 * who is on or why. Empty when `to` is not after `from`. The work grows with the handoffs in between.
 */
export const shifts = (schedule: Schedule, from: Instant, to: Instant, zones: Zones): Segment[] => {
  const segments: Segment[] = []
  if (from >= to) return segments
  const append = (segment: Segment) => {
    const last = segments.at(-1)
    if (last && sameDuty(last, segment)) last.to = segment.to
    else segments.push(segment)
  }
  for (const era of eras(schedule, { from, to })) {
    const overrides = touching(schedule.overrides, era)
    const absences = touching(schedule.absences, era)
    const tracks = era.layers.toReversed().map(layer => ({
      shifts: layerShifts(layer, era.from, era.to, schedule.zone, zones),
      why: layerWhy(layer.id, era.temporary),
      next: 0,
    }))
    const cuts = edges(era, [...tracks.map(t => t.shifts), overrides, absences])
    for (let i = 0; i + 1 < cuts.length; i++) {
      const at = cuts[i] as Instant
      const now = (s: Span) => s.from <= at && at < s.to
      const away = (person: string) => absences.some(a => a.person === person && now(a))
      const duty: OnDuty = resolve(candidatesAt(tracks, at), overrides.filter(now), away, schedule.fallback)
      append({ from: at, to: cuts[i + 1] as Instant, person: duty.person, why: duty.why, also: duty.also })
    }
  }
  return segments
}

/** The time of everybody (or of one person) who is on in these segments, first called or added; what meets is one shift. In the order of their beginnings. */
export const shiftsOf = (segments: readonly Segment[], person?: string): Shift[] => {
  const open = new Map<string, Shift>()
  const all: Shift[] = []
  for (const segment of segments) {
    for (const on of [segment, ...segment.also]) {
      if (person !== undefined && on.person !== person) continue
      const shift = open.get(on.person)
      if (shift?.to === segment.from) shift.to = segment.to
      else {
        const begun = { from: segment.from, to: segment.to, person: on.person }
        open.set(on.person, begun)
        all.push(begun)
      }
    }
  }
  return all
}

export type Gap = Span & { fallback: string }

/** Where nobody but the fallback is on. */
export const gaps = (schedule: Schedule, from: Instant, to: Instant, zones: Zones): Gap[] =>
  shifts(schedule, from, to, zones)
    .filter(s => s.why.by === 'fallback')
    .map(s => ({ from: s.from, to: s.to, fallback: s.person }))
