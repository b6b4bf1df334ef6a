import type { Wall } from '../zone.ts'

/** A DATE or DATE-TIME as written: a wall time, and whether it is UTC (`Z`) or a whole day. */
export type Written = { wall: Wall; utc: boolean; dateOnly: boolean }

/** A DURATION: whole days are days of the calendar, the rest is exact (RFC 5545 3.3.6). */
export type Length = { days: number; exact: number }

const written = /^(\d{4})-(\d{2})-(\d{2})(?:T(?:::|(\d{2}):(\d{2}):(\d{2})(Z)?))?$/

/** Reads jCal's `2026-11-22` or `2026-11-22T07:00:00Z`; undefined for what is no time at all, such as 30 February. A date that was declared a DATE-TIME is a date (`T::`). */
export const readTime = (value: unknown): Written | undefined => {
  const found = written.exec(String(value))
  if (!found) return undefined
  const [year, month, day, hour = 0, minute = 0, second = 0] = found
    .slice(1, 7)
    .map(part => (part === undefined ? undefined : Number(part)))
  const wall = Date.UTC(year ?? 0, (month ?? 0) - 1, day, hour, minute, Math.min(second, 59))
  const back = new Date(wall)
  if (back.getUTCMonth() + 1 !== month || back.getUTCDate() !== day || back.getUTCHours() !== hour) return undefined
  if (minute > 59 || second > 60 || year === undefined || year < 1601) return undefined
  return { wall, utc: found[7] !== undefined, dateOnly: found[4] === undefined }
}

const duration = /^([+-])?P(?:(\d{1,4})W)?(?:(\d{1,5})D)?(?:T(?:(\d{1,6})H)?(?:(\d{1,7})M)?(?:(\d{1,8})S)?)?$/

/** Reads `PT12H`, `P1DT2H`, `P2W`; undefined for anything else. */
export const readLength = (value: unknown): Length | undefined => {
  const found = duration.exec(String(value))
  if (!found) return undefined
  const [weeks, days, hours, minutes, seconds] = found.slice(2).map(part => Number(part ?? 0))
  const sign = found[1] === '-' ? -1 : 1
  return {
    days: sign * ((weeks ?? 0) * 7 + (days ?? 0)),
    exact: sign * ((hours ?? 0) * 3600 + (minutes ?? 0) * 60 + (seconds ?? 0)) * 1000,
  }
}

/** Reads a UTC-OFFSET, jCal's `-05:00` or `+05:15:30`, as milliseconds; undefined beyond a day. */
export const readOffset = (value: unknown): number | undefined => {
  const found = /^([+-])(\d{2}):(\d{2})(?::(\d{2}))?$/.exec(String(value))
  if (!found) return undefined
  const [hours, minutes, seconds] = found.slice(2).map(part => Number(part ?? 0))
  const ms = ((hours ?? 0) * 3600 + (minutes ?? 0) * 60 + (seconds ?? 0)) * 1000
  return ms >= 86_400_000 ? undefined : found[1] === '-' ? -ms : ms
}

const pad = (n: number, width = 2) => String(n).padStart(width, '0')

/** `20261122T070000`. */
export const basicTime = (wall: Wall): string => {
  const d = new Date(wall)
  return `${basicDate(wall)}T${pad(d.getUTCHours())}${pad(d.getUTCMinutes())}${pad(d.getUTCSeconds())}`
}

/** `20261122`. */
export const basicDate = (wall: Wall): string => {
  const d = new Date(wall)
  return `${pad(d.getUTCFullYear(), 4)}${pad(d.getUTCMonth() + 1)}${pad(d.getUTCDate())}`
}
