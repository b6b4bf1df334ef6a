import { type Refusal, refuse } from '../../refusal.ts'
import type { Restriction } from '../schedule/restriction.ts'
import type { RotationUnit, Turns } from '../schedule/rotation.ts'
import type { Layer } from '../schedule/schedule.ts'
import { minutesADay, showWall, type Zones } from '../zones.ts'
import { minuteOfDay, showTime, weekdayNamed } from './time-words.ts'

const units: Record<string, RotationUnit> = {
  h: 'hour',
  hour: 'hour',
  d: 'day',
  day: 'day',
  w: 'week',
  week: 'week',
  month: 'month',
}

/** How long turns last: `week`, `2 weeks`, `12h`, `2,2,3 days`, `month`. */
export const parseEvery = (text: string): Pick<Turns, 'unit' | 'lengths'> | Refusal => {
  const m = /^((?:\d{1,4})(?:\s*,\s*\d{1,4})*)?\s*([a-z]+?)s?$/.exec(text.trim().toLowerCase())
  const unit = units[m?.[2] ?? '']
  const lengths = (m?.[1] ?? '1').split(',').map(Number)
  if (!m || !unit || lengths.some(n => n < 1))
    return refuse('bad-rotation', 'How long a turn lasts is written like week, 2 weeks, 12h, month or 2,2,3 days.')
  return { unit, lengths }
}

const daysIn = (text: string): number[] | undefined => {
  if (text === 'daily' || text === 'every day' || text === 'always') return [0, 1, 2, 3, 4, 5, 6]
  const days: number[] = []
  for (const part of text.split(/\s*,\s*/)) {
    const [first, last, more] = part.split(/\s*-\s*/).map(weekdayNamed)
    if (first === undefined || more !== undefined || (part.includes('-') && last === undefined)) return undefined
    const count = last === undefined ? 1 : ((last - first + 7) % 7) + 1
    for (let i = 0; i < count; i++) days.push((first + i) % 7)
  }
  return [...new Set(days)]
}

/** When a layer counts: `mon-fri 19:00-07:00; sat,sun`, `daily 7am-7pm`; an end before the beginning is on the next day. */
export const parseOnly = (text: string): Restriction[] | Refusal => {
  const wrong = refuse(
    'bad-restriction',
    'When a layer counts is written like mon-fri 19:00-07:00; sat-sun 00:00-24:00.',
  )
  const found: Restriction[] = []
  for (const part of text
    .toLowerCase()
    .replace(/[‐-―−]/g, '-')
    .split(';')) {
    const m = /^\s*([\p{L}, -]*?)\s*(?:(\d[\d:.apm ]*?)\s*-\s*(\d[\d:.apm ]*))?\s*$/u.exec(part)
    const days = m ? daysIn(m[1] === '' ? 'daily' : (m[1] ?? '')) : undefined
    const [from, to] =
      m?.[2] === undefined ? [0, minutesADay] : [minuteOfDay(m[2].trim()), minuteOfDay((m[3] ?? '').trim())]
    if (!m || !days || from === undefined || to === undefined || part.trim() === '') return wrong
    found.push({ days, from, to })
  }
  return found
}

const dayWords = ['Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun']
const clock = (minute: number) =>
  `${String(Math.floor(minute / 60)).padStart(2, '0')}:${String(minute % 60).padStart(2, '0')}`

const shownPeople = 12

const names = (people: readonly string[]): string =>
  people.length > shownPeople
    ? `${people.slice(0, shownPeople).join(', ')} and ${people.length - shownPeople} more`
    : people.join(', ')

const onlyWords = (r: Restriction): string => {
  const days = r.days.length === 7 ? 'daily' : r.days.map(d => dayWords[d]).join(', ')
  return `${days} ${clock(r.from)}–${clock(r.to)}`
}

/** `@ann, @bob in turns of 1 week from 2026-06-01 08:00; only Mon, Tue 19:00–07:00`. */
export const layerWords = (layer: Layer, zone: string, zones: Zones): string => {
  const r = layer.rotation
  const people = r.kind === 'list' ? [] : r.people
  const who =
    r.kind === 'list'
      ? `${r.shifts.length} shifts of a list`
      : people.length === 1
        ? String(people[0])
        : `${names(people)} in turns of ${r.lengths.join(', ')} ${r.unit}${r.lengths.length > 1 || r.lengths[0] !== 1 ? 's' : ''}, from ${showWall(r.start)}`
  return [
    who,
    ...(layer.restrictions.length > 0 ? [`only ${layer.restrictions.map(onlyWords).join('; ')}`] : []),
    ...(layer.from === undefined ? [] : [`from ${showTime(layer.from, zone, zones)}`]),
    ...(layer.to === undefined ? [] : [`until ${showTime(layer.to, zone, zones)}`]),
  ].join('; ')
}
