/** Times of one zone, and the names of days, which belong to no zone. */
export type Clock = {
  /** `08:00` */
  hm(at: number): string
  /** `01:30 GMT-4`, for a day in which the clocks change. */
  withOffset(at: number): string
  /** `08:00:05` */
  hms(at: number): string
  /** `Mon 16 Nov, 08:00` */
  both(at: number): string
}

export const clockIn = (timeZone: string): Clock => {
  const format = (options: Intl.DateTimeFormatOptions) => {
    const made = new Intl.DateTimeFormat('en-GB', { timeZone, hourCycle: 'h23', ...options })
    return (at: number) => made.format(at)
  }
  const time = { hour: '2-digit', minute: '2-digit' } as const
  const day = format({ weekday: 'short', day: 'numeric', month: 'short' })
  const hm = format(time)
  return {
    hm,
    hms: format({ ...time, second: '2-digit' }),
    withOffset: format({ ...time, timeZoneName: 'shortOffset' }),
    both: at => `${day(at).replace(',', '')}, ${hm(at)}`,
  }
}

const named = (options: Intl.DateTimeFormatOptions) => {
  const made = new Intl.DateTimeFormat('en-GB', { timeZone: 'UTC', ...options })
  return (day: string) => made.format(Date.parse(`${day}T00:00:00Z`)).replace(',', '')
}
/** `Monday 16 November`, of an ISO day. */
export const dayName = named({ weekday: 'long', day: 'numeric', month: 'long' })
export const dayAndYear = named({ day: 'numeric', month: 'long', year: 'numeric' })
export const monthAndYear = named({ month: 'long', year: 'numeric' })
/** `Mon` */
export const weekdayShort = named({ weekday: 'short' })
export const dayNumber = (day: string): number => Number(day.slice(8))

export const isoDayAfter = (day: string, n: number): string =>
  new Date(Date.parse(`${day}T00:00:00Z`) + n * 86_400_000).toISOString().slice(0, 10)

/** `45 s`, `1 min 05 s`, `2 h 10 min`, `3 d 4 h`. */
export const brief = (ms: number): string => {
  const s = Math.max(0, Math.round(ms / 1000))
  const two = (n: number) => String(n).padStart(2, '0')
  if (s < 60) return `${s} s`
  const m = Math.floor(s / 60)
  if (m < 60) return s % 60 === 0 ? `${m} min` : `${m} min ${two(s % 60)} s`
  const h = Math.floor(m / 60)
  if (h < 24) return m % 60 === 0 ? `${h} h` : `${h} h ${two(m % 60)} min`
  return h % 24 === 0 ? `${h / 24} d` : `${Math.floor(h / 24)} d ${h % 24} h`
}
