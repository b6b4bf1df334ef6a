import type { Instant } from '../../clock.ts'
import type { Shift } from '../shift.ts'
import type { Wall, Zones } from '../zones.ts'
import { holding, holds, weekSpans } from './restriction.ts'
import { personOfTurn, turnNumber, turnsBetween } from './rotation.ts'
import type { Layer } from './schedule.ts'

/** Of shifts that overlap, the one that began last; of those, the one further down the list. */
const listed = (shifts: readonly Shift[], at: Instant): string | undefined => {
  let on: Shift | undefined
  for (const s of shifts) if (s.from <= at && at < s.to && (!on || s.from >= on.from)) on = s
  return on?.person
}

/** Whom a layer puts on at an instant; `reached` is the schedule's zone's wall by then. */
export const layerAt = (layer: Layer, at: Instant, reached: Wall): string | undefined => {
  if (at < (layer.from ?? at) || at >= (layer.to ?? Number.POSITIVE_INFINITY)) return undefined
  if (layer.restrictions.length > 0 && !holds(weekSpans(layer.restrictions), reached)) return undefined
  const r = layer.rotation
  if (r.kind === 'list') return listed(r.shifts, at)
  const turn = turnNumber(r, reached)
  return turn < 0 ? undefined : personOfTurn(r, turn)
}

/** A list without its overlaps, by the rule of `listed`, cut to a stretch. */
const flattened = (shifts: readonly Shift[], from: Instant, to: Instant): Shift[] => {
  const sorted = shifts.filter(s => s.from < to && s.to > from && s.from < s.to).sort((a, b) => a.from - b.from)
  const flat: Shift[] = []
  const begun: Shift[] = []
  let cursor = from
  const advance = (until: Instant) => {
    for (let on = begun.at(-1); on && cursor < until; on = begun.at(-1)) {
      const end = Math.min(on.to, until)
      if (end > cursor) flat.push({ from: cursor, to: end, person: on.person })
      if (on.to <= until) begun.pop()
      cursor = Math.max(cursor, end)
    }
    cursor = Math.max(cursor, until)
  }
  for (const s of sorted) {
    advance(Math.max(from, s.from))
    begun.push(s)
  }
  advance(to)
  return flat
}

/** Both in order without overlaps: what they have in common. */
const within = (shifts: readonly Shift[], open: readonly { from: Instant; to: Instant }[]): Shift[] => {
  const common: Shift[] = []
  let i = 0
  for (const s of shifts) {
    while (i < open.length && (open[i]?.to ?? 0) <= s.from) i++
    for (let j = i; j < open.length; j++) {
      const o = open[j]
      if (!o || o.from >= s.to) break
      common.push({ from: Math.max(s.from, o.from), to: Math.min(s.to, o.to), person: s.person })
    }
  }
  return common
}

/**
 * Whom a layer puts on between two instants, in order, without overlaps. Handoffs and restrictions are wall times of `zone`; as a later wall time is never an
 * earlier instant, whoever is on stays on until the next handoff, whatever the clocks do in between.
 */
export const layerShifts = (layer: Layer, from: Instant, to: Instant, zone: string, zones: Zones): Shift[] => {
  const [first, last] = [Math.max(from, layer.from ?? from), Math.min(to, layer.to ?? to)]
  if (first >= last) return []
  const [wallFrom, wallTo] = [zones.reached(first, zone), zones.reached(last, zone) + 1]
  /** Readings to instants, cut; what lies within hours that never were is gone. */
  const cut = <T extends { from: Wall; to: Wall }>(spans: readonly T[]): T[] =>
    spans
      .map(s => ({
        ...s,
        from: Math.max(first, zones.instant(s.from, zone)),
        to: Math.min(last, zones.instant(s.to, zone)),
      }))
      .filter(s => s.from < s.to)
  const r = layer.rotation
  const shifts = r.kind === 'list' ? flattened(r.shifts, first, last) : cut(turnsBetween(r, wallFrom, wallTo))
  if (layer.restrictions.length === 0) return shifts
  return within(shifts, cut(holding(weekSpans(layer.restrictions), wallFrom, wallTo)))
}
