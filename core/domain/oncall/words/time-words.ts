import type { Instant } from '../../clock.ts'
import { type Refusal, refuse } from '../../refusal.ts'
import { addMonths, minutesADay, parseWall, type Wall, weekday, type Zones } from '../zones.ts'

/** What a time is reckoned from: `now`, or the beginning of a stretch whose end is read. */
export type TimeContext = { now: Instant; zone: string; zones: Zones }

const dayNames = [
  ['monday', 'mon', 'lunes', 'lun'],
  ['tuesday', 'tue', 'tues', 'martes', 'mar'],
  ['wednesday', 'wed', 'miercoles', 'mie'],
  ['thursday', 'thu', 'thur', 'thurs', 'jueves', 'jue'],
  ['friday', 'fri', 'viernes', 'vie'],
  ['saturday', 'sat', 'sabado', 'sab'],
  ['sunday', 'sun', 'domingo', 'dom'],
]
const monthNames = [
  ['january', 'jan', 'enero', 'ene'],
  ['february', 'feb', 'febrero'],
  ['march', 'marzo'],
  ['april', 'apr', 'abril', 'abr'],
  ['may', 'mayo'],
  ['june', 'jun', 'junio'],
  ['july', 'jul', 'julio'],
  ['august', 'aug', 'agosto', 'ago'],
  ['september', 'sep', 'sept', 'septiembre'],
  ['october', 'oct', 'octubre'],
  ['november', 'nov', 'noviembre'],
  ['december', 'dec', 'diciembre', 'dic'],
]

/** Monday 0 … Sunday 6, from its name in English or Spanish. */
export const weekdayNamed = (word: string): number | undefined => {
  const found = dayNames.findIndex(names => names.includes(word))
  return found < 0 ? undefined : found
}

const monthNamed = (word: string): number | undefined => {
  // "mar" is a Tuesday in Spanish and March in English: with a number beside it, it is the month.
  const found = word === 'mar' ? 2 : monthNames.findIndex(names => names.includes(word))
  return found < 0 ? undefined : found
}

const pad = (n: number) => String(n).padStart(2, '0')

/** Minutes after midnight of `18:00`, `6pm`, `6:30 pm`, `noon`, `midnight`, up to `24:00`; undefined for anything else. */
export const minuteOfDay = (text: string): number | undefined => {
  if (text === 'noon' || text === 'mediodia') return 720
  if (text === 'midnight' || text === 'medianoche') return 0
  const m = /^(\d{1,2})(?:[:h.](\d{2}))?\s?(am|pm|a\.m\.|p\.m\.)?$/.exec(text)
  if (!m || (m[2] === undefined && m[3] === undefined)) return undefined
  const [hour, minute] = [Number(m[1]), Number(m[2] ?? 0)]
  if (minute > 59) return undefined
  if (m[3] === undefined) return hour < 24 || (hour === 24 && minute === 0) ? hour * 60 + minute : undefined
  if (hour < 1 || hour > 12) return undefined
  return ((hour % 12) + (m[3].startsWith('p') ? 12 : 0)) * 60 + minute
}

const unitMs: Record<string, number> = { m: 60_000, h: 3_600_000 }

/** `in 2h`, `in 30 minutes` in elapsed time; `in 3 days`, `in 2 weeks` on the wall. */
const later = (text: string, { now, zone, zones }: TimeContext): Instant | undefined => {
  const m =
    /^(?:in|en) (\d{1,4}) ?(m|mins?|minutes?|minutos?|h|hours?|hrs?|horas?|d|days?|dias?|w|weeks?|semanas?)$/.exec(text)
  if (!m) return undefined
  const n = Number(m[1])
  const unit = m[2]?.startsWith('s') ? 'w' : (m[2]?.[0] ?? '')
  const ms = unitMs[unit]
  if (ms !== undefined) return now + n * ms
  return zones.instant(zones.wall(now, zone) + n * (unit === 'w' ? 7 : 1) * minutesADay, zone)
}

const iso = (text: string, { zone, zones }: TimeContext): Instant | undefined => {
  const m = /^(\d{4}-\d{2}-\d{2})(?:[t ](\d{1,2}:\d{2})(?::\d{2}(?:\.\d{1,3})?)?)?(z| ?[+-]\d{2}:?\d{2})?$/.exec(text)
  if (!m) return undefined
  const wall = parseWall(m[1] ?? '', m[2]?.padStart(5, '0'))
  if (wall === undefined) return undefined
  if (m[3] === undefined) return zones.instant(wall, zone)
  const offset = /([+-])(\d{2}):?(\d{2})/.exec(m[3])
  const east = offset ? (Number(offset[2]) * 60 + Number(offset[3])) * (offset[1] === '-' ? -1 : 1) : 0
  return (wall - east) * 60_000
}

/** The day that words name, as its midnight on the wall, and whether the same words a week (or a year) later would do. */
const dayOf = (words: readonly string[], today: Wall): { day: Wall; again?: 'week' | 'year' } | undefined => {
  const [first = '', second = '', third] = words
  if (words.length === 1) {
    if (first === 'today' || first === 'hoy') return { day: today }
    if (first === 'tomorrow' || first === 'manana') return { day: today + minutesADay }
    if (first === 'yesterday' || first === 'ayer') return { day: today - minutesADay }
    const named = weekdayNamed(first)
    return named === undefined
      ? undefined
      : { day: today + ((named - weekday(today) + 7) % 7) * minutesADay, again: 'week' }
  }
  const [number, name] = /^\d/.test(first) ? [first, second] : [second, first]
  const [month, day] = [monthNamed(name), /^(\d{1,2})(?:st|nd|rd|th|º)?$/.exec(number)?.[1]]
  if (month === undefined || day === undefined || words.length > 3) return undefined
  const thisYear = new Date(today * 60_000).getUTCFullYear()
  if (third !== undefined && !/^\d{4}$/.test(third)) return undefined
  const wall = parseWall(`${third ?? thisYear}-${pad(month + 1)}-${pad(Number(day))}`)
  if (wall === undefined) return undefined
  return third === undefined ? { day: wall, again: 'year' } : { day: wall }
}

const examples = 'Write it like friday 18:00, tomorrow 7am, 2026-11-27 18:00 or in 2h.'

/**
 * Reads a time as people say it, in the zone given: an ISO date or instant, `18:00`, `friday 18:00`, `tomorrow 7am`, `27 nov 18:00`, `in 2h`, `now`, in English or
 * Spanish. What names no date means the next such time from `now` on. A day alone is its beginning. Refuses what can be read in two ways.
 */
export const parseTime = (text: string, context: TimeContext): Instant | Refusal => {
  const { now, zone, zones } = context
  const plain = text
    .normalize('NFKD')
    .replace(/\p{M}+/gu, '')
    .toLowerCase()
    .replace(/[,\s]+/g, ' ')
    .trim()
  if (plain === 'now' || plain === 'ahora') return now
  const exact = iso(plain, context) ?? later(plain, context)
  if (exact !== undefined) return exact
  if (/^(next|this|coming|proximo|este) /.test(plain))
    return refuse('ambiguous-time', `“${text.slice(0, 40)}” can mean two days; write the date, like 2026-11-27 18:00.`)
  if (/^\d{1,2}[/.-]\d{1,2}([/.-]\d{2,4})?( |$)/.test(plain) && !/^\d{1,2}\.\d{2}$/.test(plain))
    return refuse('ambiguous-time', 'A date like 11/12 is read in two ways; write it like 2026-11-12.')
  const words = plain
    .split(' ')
    .filter(w => w !== 'at' && w !== 'on' && w !== 'a' && w !== 'las' && w !== 'el' && w !== 'of' && w !== 'de')
  const wall = zones.wall(now, zone)
  const today = wall - (((wall % minutesADay) + minutesADay) % minutesADay)
  // The longest end that is a time of day: "6:30 pm" are two words.
  for (const n of [2, 1, 0]) {
    if (n > words.length) continue
    const minute = n === 0 ? 0 : minuteOfDay(words.slice(words.length - n).join(' '))
    if (minute === undefined) continue
    const rest = words.slice(0, words.length - n)
    if (rest.length === 0 && n > 0) {
      const at = zones.instant(today + minute, zone)
      return at >= now ? at : zones.instant(today + minutesADay + minute, zone)
    }
    const found = dayOf(rest, today)
    if (!found) continue
    const at = zones.instant(found.day + minute, zone)
    if (!found.again || at >= now || (n === 0 && found.day === today)) return at
    return zones.instant(
      (found.again === 'week' ? found.day + 7 * minutesADay : addMonths(found.day, 12)) + minute,
      zone,
    )
  }
  return refuse('bad-time', `“${text.slice(0, 40)}” is not a time that I can read. ${examples}`)
}

const shortDays = ['Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun']

/** `Fri 2026-11-27 18:00`, on the zone's wall. */
export const showTime = (at: Instant, zone: string, zones: Zones): string => {
  const wall = zones.wall(at, zone)
  return `${shortDays[weekday(wall)]} ${new Date(wall * 60_000).toISOString().slice(0, 16).replace('T', ' ')}`
}
