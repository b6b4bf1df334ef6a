import type { Instant } from '../clock.ts'

/** What a clock on the wall reads, in minutes since it read 1970-01-01 00:00: a calendar of its own, in which every day has 1440 minutes. */
export type Wall = number

export const minutesADay = 1440
export const minutesAWeek = 7 * minutesADay

/** Wall time ↔ instant in an IANA zone (`core/time-zones.ts`). Every function but `known` throws a RangeError for a zone that is not known. */
export interface Zones {
  known(zone: string): boolean
  /** What the wall clock reads, the minute that has begun. */
  wall(at: Instant, zone: string): Wall
  /**
   * The first instant at which the wall clock reads this or later: of a time that exists twice the first one, of a time that does not exist the first
   * instant after the gap. A later reading never gives an earlier instant.
   */
  instant(wall: Wall, zone: string): Instant
  /**
   * The latest reading up to now: `wall`, except that it waits while an hour repeats. `instant(w) <= at` exactly when `w <= reached(at)`: so that what is on
   * at an instant can be decided on the wall's own calendar.
   */
  reached(at: Instant, zone: string): Wall
}

const dayMs = 86_400_000

/** From an ISO day such as `2026-02-28` and a time such as `07:30` (up to `24:00`); undefined when the calendar has no such day or the clock no such time. */
export const parseWall = (day: string, time = '00:00'): Wall | undefined => {
  const clock = /^([01]\d|2[0-4]):([0-5]\d)$/.exec(time)
  const midnight = /^\d{4}-\d{2}-\d{2}$/.test(day) ? Date.parse(`${day}T00:00:00Z`) : Number.NaN
  if (!clock || Number.isNaN(midnight) || !new Date(midnight).toISOString().startsWith(day)) return undefined
  const minute = Number(clock[1]) * 60 + Number(clock[2])
  return minute > minutesADay ? undefined : midnight / 60_000 + minute
}

/** `2026-02-28 07:30` */
export const showWall = (wall: Wall): string => new Date(wall * 60_000).toISOString().slice(0, 16).replace('T', ' ')

/** Monday 0 … Sunday 6. */
export const weekday = (wall: Wall): number => modulo(Math.floor(wall / minutesADay) + 3, 7)

/** The minute of its week, which begins on Monday at 00:00. */
export const minuteOfWeek = (wall: Wall): number => modulo(wall + 3 * minutesADay, minutesAWeek)

export const modulo = (n: number, by: number): number => ((n % by) + by) % by

/** `n` months later at the same time of day; a day that the month does not have becomes its last. */
export const addMonths = (wall: Wall, n: number): Wall => {
  const day = new Date(Math.floor(wall / minutesADay) * dayMs)
  const month = day.getUTCFullYear() * 12 + day.getUTCMonth() + n
  const [year, index] = [Math.floor(month / 12), modulo(month, 12)]
  const last = new Date(Date.UTC(year, index + 1, 0)).getUTCDate()
  return Date.UTC(year, index, Math.min(day.getUTCDate(), last)) / 60_000 + modulo(wall, minutesADay)
}

/** Whole calendar months from one reading to another, by year and month alone. */
export const monthsBetween = (from: Wall, to: Wall): number => {
  const [a, b] = [new Date(from * 60_000), new Date(to * 60_000)]
  return (b.getUTCFullYear() - a.getUTCFullYear()) * 12 + b.getUTCMonth() - a.getUTCMonth()
}
