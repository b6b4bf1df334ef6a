import { minuteOfWeek, minutesADay, minutesAWeek, type Wall } from '../zones.ts'

/**
 * When a layer is in force, by the wall clock: on these days (Monday 0 … Sunday 6) from one minute of the day to another, 0–1440, `to` exclusive. With `to` before
 * `from` it lasts over midnight, and the day is the one on which it begins.
 */
export type Restriction = { days: readonly number[]; from: number; to: number }

/** A stretch on the wall's own calendar, `to` exclusive. */
export type WallSpan = { from: Wall; to: Wall }

const lasts = (r: Restriction): number =>
  r.to > r.from ? r.to - r.from : r.to < r.from ? r.to + minutesADay - r.from : 0

/** The restrictions together as stretches of the week in order, apart from one another; the last may run into the next week. Without restrictions the whole week. */
export const weekSpans = (restrictions: readonly Restriction[]): WallSpan[] => {
  if (restrictions.length === 0) return [{ from: 0, to: minutesAWeek }]
  const all = restrictions
    .flatMap(r => r.days.map(day => ({ from: day * minutesADay + r.from, to: day * minutesADay + r.from + lasts(r) })))
    .filter(s => s.to > s.from)
    .sort((a, b) => a.from - b.from)
  const joined: WallSpan[] = []
  for (const span of all) {
    const last = joined.at(-1)
    if (last && span.from <= last.to) last.to = Math.max(last.to, span.to)
    else joined.push({ ...span })
  }
  return joined
}

/** Does one of the stretches hold at this reading of the wall? */
export const holds = (week: readonly WallSpan[], wall: Wall): boolean => {
  const minute = minuteOfWeek(wall)
  return week.some(s => (minute >= s.from && minute < s.to) || minute + minutesAWeek < s.to)
}

/** Where the stretches hold between two readings, in order, cut to them; stretches that meet at the turn of a week are one. */
export const holding = (week: readonly WallSpan[], from: Wall, to: Wall): WallSpan[] => {
  const spans: WallSpan[] = []
  for (let monday = from - minuteOfWeek(from) - minutesAWeek; monday < to; monday += minutesAWeek) {
    for (const s of week) {
      const span = { from: Math.max(from, monday + s.from), to: Math.min(to, monday + s.to) }
      if (span.from >= span.to) continue
      const last = spans.at(-1)
      if (last && span.from <= last.to) last.to = Math.max(last.to, span.to)
      else spans.push(span)
    }
  }
  return spans
}
