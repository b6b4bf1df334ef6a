import { text } from './text.ts'

/** A commitment as the bot shows it too. */
export const shortRef = (ref: string): string => `#${ref.slice(0, 8)}`

export const number = (n: number): string => n.toLocaleString('en')

/** How long, in the largest unit that fits: `12 seconds`, `5 minutes`, `3 hours`, `2 days`. */
export const duration = (ms: number): string => {
  const units = [
    [86_400_000, text.units.day],
    [3_600_000, text.units.hour],
    [60_000, text.units.minute],
  ] as const
  const [size, said] = units.find(([unit]) => ms >= unit) ?? [1000, text.units.second]
  return said(Math.max(0, Math.round(ms / size)))
}

export const ago = (ms: number): string => (ms < 5000 ? text.justNow : text.ago(duration(ms)))

export type Times = {
  /** `Saturday, 21 November 2026` */
  day(at: number): string
  /** `14:05` */
  time(at: number): string
  /** `21 Nov 2026, 14:05:09` */
  exact(at: number): string
  /** ISO day, for grouping. */
  key(at: number): string
}

/** Times in the clinic's time zone, whatever the browser's is. */
export const timesIn = (timeZone: string): Times => {
  const format = (options: Intl.DateTimeFormatOptions, locale = 'en-GB') => {
    const made = new Intl.DateTimeFormat(locale, { timeZone, ...options })
    return (at: number) => made.format(at)
  }
  return {
    day: format({ weekday: 'long', day: 'numeric', month: 'long', year: 'numeric' }),
    time: format({ hour: '2-digit', minute: '2-digit', second: '2-digit', hourCycle: 'h23' }),
    exact: format({
      day: 'numeric',
      month: 'short',
      year: 'numeric',
      hour: '2-digit',
      minute: '2-digit',
      second: '2-digit',
      hourCycle: 'h23',
    }),
    key: format({ year: 'numeric', month: '2-digit', day: '2-digit' }, 'en-CA'),
  }
}

/** The day `n` days before an ISO day. */
export const daysBefore = (day: string, n: number): string =>
  new Date(Date.parse(`${day}T00:00:00Z`) - n * 86_400_000).toISOString().slice(0, 10)

/** The month of an ISO day and the twelve before it, newest first, each `2026-11`. */
export const monthsUntil = (day: string, count = 13): string[] => {
  const first = Number(day.slice(0, 4)) * 12 + Number(day.slice(5, 7)) - 1
  return Array.from({ length: count }, (_, i) => first - i).map(
    n => `${Math.floor(n / 12)}-${String((n % 12) + 1).padStart(2, '0')}`,
  )
}

export const monthName = (month: string): string =>
  new Intl.DateTimeFormat('en-GB', { timeZone: 'UTC', month: 'long', year: 'numeric' }).format(
    Date.parse(`${month}-01T00:00:00Z`),
  )
