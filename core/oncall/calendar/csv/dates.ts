import { plainWords } from '../names/plain-words.ts'
import type { Wall } from '../zone.ts'

/** Which of two numbers is the day where a date is written with slashes: day first or month first. */
export type DateOrder = 'day-first' | 'month-first'

/** A cell's date and time: `offset` (ms east of UTC) when it says so itself, `time` when it says a time of day. */
export type CellTime = { wall: Wall; time: boolean; offset?: number }

const months = new Map(
  `january enero jan ene|february febrero feb|march marzo mar|april abril apr abr|may mayo|june junio jun|july julio jul|
  august agosto aug ago|september septiembre setiembre sep sept set|october octubre oct|november noviembre nov|
  december diciembre dec dic`
    .split('|')
    .flatMap((words, i) =>
      words
        .trim()
        .split(' ')
        .map(word => [word, i + 1] as const),
    ),
)

const numeric = /^(\d{1,2})([/.-])(\d{1,2})\2(\d{4}|\d{2})$/
const dayMs = 86_400_000

/** Tells a date from its time: `2026-11-22T07:00Z` → `['2026-11-22', '07:00Z']`. */
const halves = (cell: string): [string, string] => {
  const found = /^(.*?\d)(?:T|,?\s+)(\d{1,2}(?:[:.h]\d|\s*[ap]\b).*)$/i.exec(cell)
  return found ? [found[1] ?? '', found[2] ?? ''] : [cell, '']
}

/** The date's numbers where their order is in doubt; a point means day first, as everywhere that it is used. */
export const doubtful = (cell: string): { first: number; second: number } | undefined => {
  const found = numeric.exec(halves(cell.trim())[0])
  return found && found[2] !== '.' ? { first: Number(found[1]), second: Number(found[3]) } : undefined
}

const date = (year: number, month: number, day: number): Wall | undefined => {
  const wall = Date.UTC(year, month - 1, day)
  const back = new Date(wall)
  return back.getUTCMonth() === month - 1 && back.getUTCDate() === day ? wall : undefined
}

const readDate = (text: string, order: DateOrder | undefined): Wall | undefined => {
  const iso = /^(\d{4})([-/]?)(\d{2})\2(\d{2})$/.exec(text)
  if (iso) return date(Number(iso[1]), Number(iso[3]), Number(iso[4]))
  const found = numeric.exec(text)
  if (found) {
    const [a, b, written] = [Number(found[1]), Number(found[3]), Number(found[4])]
    const year = written < 100 ? 2000 + written : written
    if (found[2] === '.' || order === 'day-first') return date(year, b, a)
    return order === 'month-first' ? date(year, a, b) : undefined
  }
  const words = plainWords(text)
    .split(' ')
    .filter(word => word !== 'de' && word !== 'del')
  const month = words.flatMap(word => months.get(word) ?? [])
  const [day, year] = words.filter(word => /^\d+(st|nd|rd|th)?$/.test(word)).map(word => Number.parseInt(word, 10))
  const others = words.filter(word => !months.has(word) && !/^\d/.test(word))
  if (month.length !== 1 || year === undefined || others.length > 1) return undefined
  return year > 1900 ? date(year, month[0] ?? 0, day ?? 0) : undefined
}

/** `07:00`, `7:00:00`, `7 pm`, `7:00 p. m.`, `19h30`, `19.30`, `1900`, `24:00` as milliseconds after midnight. */
export const readTimeOfDay = (text: string): number | undefined => {
  const found = /^(\d{1,2})(?:[:.h]?(\d{2})(?::(\d{2}))?)?\s*h?\s*(?:([ap])\.?\s*m?\.?)?$/i.exec(text.trim())
  if (!found || (found[2] === undefined && !/[aph]/i.test(text))) return undefined
  const [hour, minute, second] = [Number(found[1]), Number(found[2] ?? 0), Number(found[3] ?? 0)]
  const half = found[4]?.toLowerCase()
  if (half && (hour < 1 || hour > 12)) return undefined
  const hours = half ? (hour % 12) + (half === 'p' ? 12 : 0) : hour
  const ms = (hours * 3600 + minute * 60 + second) * 1000
  return minute > 59 || second > 59 || ms > dayMs ? undefined : ms
}

/** Reads a cell with a date, or with a date and a time; undefined when it cannot be read, or its order is in doubt and not given. */
export const readCell = (cell: string, order: DateOrder | undefined): CellTime | undefined => {
  const [day, clock] = halves(cell.trim())
  const wall = readDate(day.trim(), order)
  if (wall === undefined) return undefined
  if (clock === '') return { wall, time: false }
  const zoned = /^(.*?)\s*(?:(Z)|([+-])(\d{2}):?(\d{2}))$/.exec(clock.trim())
  const time = readTimeOfDay((zoned?.[1] ?? clock).replace(/\.\d+$/, part => (part.length === 3 ? part : '')))
  if (time === undefined) return undefined
  if (!zoned) return { wall: wall + time, time: true }
  const east = (Number(zoned[4] ?? 0) * 60 + Number(zoned[5] ?? 0)) * 60_000
  return { wall: wall + time, time: true, offset: zoned[3] === '-' ? -east : east }
}
