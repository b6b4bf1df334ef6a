import type { Instant } from '../clock.ts'

/** A stretch of time, `until` exclusive. */
export type Period = { from: Instant; until: Instant }

const formatters = new Map<string, Intl.DateTimeFormat>()
const formatter = (timeZone: string): Intl.DateTimeFormat => {
  const known = formatters.get(timeZone)
  if (known) return known
  const made = new Intl.DateTimeFormat('en-CA', {
    timeZone,
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
    hourCycle: 'h23',
  })
  formatters.set(timeZone, made)
  return made
}

/** The wall clock of `timeZone` (IANA) at an instant: `day` ISO, `time` as `14:05:09`. */
export const wallClock = (at: Instant, timeZone: string): { day: string; time: string } => {
  const parts = new Map(
    formatter(timeZone)
      .formatToParts(at)
      .map(p => [p.type, p.value]),
  )
  const get = (type: Intl.DateTimeFormatPartTypes) => parts.get(type) ?? ''
  return {
    day: `${get('year')}-${get('month')}-${get('day')}`,
    time: `${get('hour')}:${get('minute')}:${get('second')}`,
  }
}

/** Is this text a day that the calendar has, such as `2026-02-28`? */
export const isDay = (text: string): boolean => {
  const at = /^\d{4}-\d{2}-\d{2}$/.test(text) ? Date.parse(`${text}T00:00:00Z`) : Number.NaN
  return !Number.isNaN(at) && new Date(at).toISOString().slice(0, 10) === text
}

/** The day `n` days after an ISO day. */
export const addDays = (day: string, n: number): string =>
  new Date(Date.parse(`${day}T00:00:00Z`) + n * 86_400_000).toISOString().slice(0, 10)

/** The first instant of an ISO day in a time zone; where clocks skip midnight, the first instant after it. */
export const startOfDay = (day: string, timeZone: string): Instant => {
  const middle = Date.parse(`${day}T00:00:00Z`)
  let [before, after] = [middle - 16 * 3_600_000, middle + 16 * 3_600_000]
  while (after - before > 1) {
    const at = Math.floor((before + after) / 2)
    if (wallClock(at, timeZone).day < day) before = at
    else after = at
  }
  return after
}

/** From the first instant of one day to the last of another, both ISO and both included. */
export const daysPeriod = (first: string, last: string, timeZone: string): Period => ({
  from: startOfDay(first, timeZone),
  until: startOfDay(addDays(last, 1), timeZone),
})

export const isMonth = (text: string): boolean => /^\d{4}-\d{2}$/.test(text) && isDay(`${text}-01`)

export const monthOf = (at: Instant, timeZone: string): string => wallClock(at, timeZone).day.slice(0, 7)

/** The days of a month such as `2026-11`. */
export const daysOfMonth = (month: string): string[] =>
  Array.from({ length: 31 }, (_, i) => addDays(`${month}-01`, i)).filter(day => day.startsWith(month))

export const monthPeriod = (month: string, timeZone: string): Period =>
  daysPeriod(`${month}-01`, daysOfMonth(month).at(-1) ?? `${month}-28`, timeZone)
