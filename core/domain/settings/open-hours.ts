import type { Instant } from '../clock.ts'

/** Minutes since local midnight; `to` is exclusive and may be 1440. */
export type Opening = { from: number; to: number }
/** Seven days, Monday first. */
export type OpenHours = readonly (readonly Opening[])[]

const dayNames = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun']
const clockTime = (t: string): number | undefined => {
  const m = /^(\d{1,2})(?::([0-5]\d))?$/.exec(t)
  const minute = m ? Number(m[1]) * 60 + Number(m[2] ?? 0) : Number.NaN
  return minute >= 0 && minute <= 1440 ? minute : undefined
}
const pad = (n: number) => String(n).padStart(2, '0')
const showTime = (m: number) => `${pad(Math.floor(m / 60))}:${pad(m % 60)}`

const parseDays = (text: string): number[] | undefined => {
  const [first, last, more] = text.split('-').map(d => dayNames.indexOf(d.slice(0, 3)))
  if (first === undefined || first < 0 || more !== undefined) return undefined
  if (last === undefined) return [first]
  if (last < 0) return undefined
  const count = ((last - first + 7) % 7) + 1
  return Array.from({ length: count }, (_, i) => (first + i) % 7)
}

/** Reads `Mon-Fri 08:00-18:00; Sat 9-12`; `always` and `never` too. Undefined when it cannot be read or a day's times overlap. */
export const parseOpenHours = (text: string): OpenHours | undefined => {
  const t = text
    .trim()
    .toLowerCase()
    .replace(/[‐-―−]/g, '-')
  if (t === 'always') return dayNames.map(() => [{ from: 0, to: 1440 }])
  const week: Opening[][] = dayNames.map(() => [])
  if (t === 'never') return week
  for (const part of t.split(';')) {
    const m = /^\s*([a-z]{3,9}(?:-[a-z]{3,9})?)\s+([\d:]+)\s*-\s*([\d:]+)\s*$/.exec(part)
    const days = m ? parseDays(m[1] ?? '') : undefined
    const from = clockTime(m?.[2] ?? '')
    const to = clockTime(m?.[3] ?? '')
    if (!days || from === undefined || to === undefined || from >= to) return undefined
    for (const d of days) week[d]?.push({ from, to })
  }
  for (const day of week) day.sort((a, b) => a.from - b.from)
  const overlaps = week.some(day => day.some((o, i) => i > 0 && o.from < (day[i - 1]?.to ?? 0)))
  return overlaps ? undefined : week
}

const dayName = (d: number) => (dayNames[d] ?? '').replace(/^./, c => c.toUpperCase())
const showDay = (day: readonly Opening[]) => day.map(o => `${showTime(o.from)}-${showTime(o.to)}`)

/** The text that `parseOpenHours` reads back to the same value; days in a row with the same hours stand together. */
export const showOpenHours = (week: OpenHours): string => {
  const parts: string[] = []
  for (let first = 0; first < week.length; ) {
    const times = showDay(week[first] ?? [])
    let last = first
    while (last + 1 < week.length && showDay(week[last + 1] ?? []).join() === times.join()) last++
    const days = last > first ? `${dayName(first)}-${dayName(last)}` : dayName(first)
    parts.push(...times.map(t => `${days} ${t}`))
    first = last + 1
  }
  return parts.length === 0 ? 'never' : parts.join('; ')
}

const formatters = new Map<string, Intl.DateTimeFormat>()
/** Making one costs more than using it a hundred times. */
const formatter = (timeZone: string): Intl.DateTimeFormat => {
  const known = formatters.get(timeZone)
  if (known) return known
  const made = new Intl.DateTimeFormat('en-US', {
    timeZone,
    weekday: 'short',
    hour: '2-digit',
    minute: '2-digit',
    hourCycle: 'h23',
  })
  formatters.set(timeZone, made)
  return made
}

/** Is somebody there at this instant, by the wall clock of `timeZone` (IANA)? */
export const isOpen = (week: OpenHours, timeZone: string, at: Instant): boolean => {
  const parts = formatter(timeZone).formatToParts(at)
  const part = (type: string) => parts.find(p => p.type === type)?.value ?? ''
  const day = dayNames.indexOf(part('weekday').toLowerCase())
  const minute = Number(part('hour')) * 60 + Number(part('minute'))
  return (week[day] ?? []).some(o => minute >= o.from && minute < o.to)
}
