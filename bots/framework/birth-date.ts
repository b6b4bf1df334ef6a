import { readBirthDate } from '../../core/domain/care/patient.ts'
import { type Refusal, refuse } from '../../core/domain/refusal.ts'

const months: Record<string, number> = Object.fromEntries(
  [
    'jan january ene enero',
    'feb february febrero',
    'mar march marzo',
    'apr april abr abril',
    'may mayo',
    'jun june junio',
    'jul july julio',
    'aug august ago agosto',
    'sep sept september septiembre setiembre set',
    'oct october octubre',
    'nov november noviembre',
    'dec december dic diciembre',
  ].flatMap((names, i) => names.split(' ').map(name => [name, i + 1])),
)

const pad = (n: number, width = 2) => String(n).padStart(width, '0')
const iso = (year: number, month: number, day: number) => `${pad(year, 4)}-${pad(month)}-${pad(day)}`

type Reading = { iso: string } | { either: [string, string] } | undefined

const read = (text: string): Reading => {
  const t = text
    .trim()
    .toLowerCase()
    .replace(/(\d)(?:st|nd|rd|th)\b/g, '$1')
    .replace(/\bde[l]?\b/g, ' ')
  const yearFirst = /^(\d{4})([-/. ]?)(\d{2})\2(\d{2})$/.exec(t) ?? /^(\d{4})([-/. ])(\d{1,2})\2(\d{1,2})$/.exec(t)
  if (yearFirst) return { iso: iso(Number(yearFirst[1]), Number(yearFirst[3]), Number(yearFirst[4])) }
  const parts = t.split(/[\s,./-]+/).filter(Boolean)
  const [a, b, c] = parts
  if (parts.length !== 3 || a === undefined || b === undefined || c === undefined) return undefined
  if (!/^\d{4}$/.test(c)) {
    const named = /^\d{4}$/.test(a) && /^\d{1,2}$/.test(c) ? months[b] : undefined
    return named ? { iso: iso(Number(a), named, Number(c)) } : undefined
  }
  const year = Number(c)
  const [day, month] = [months[b] ? a : b, months[b] ?? months[a]]
  if (month) return /^\d{1,2}$/.test(day) ? { iso: iso(year, month, Number(day)) } : undefined
  if (!/^\d{1,2}$/.test(a) || !/^\d{1,2}$/.test(b)) return undefined
  const [x, y] = [Number(a), Number(b)]
  if (x > 12 && y <= 12) return { iso: iso(year, y, x) }
  if (y > 12 && x <= 12) return { iso: iso(year, x, y) }
  if (x === y) return { iso: iso(year, x, y) }
  return { either: [iso(year, x, y), iso(year, y, x)] }
}

/**
 * A date of birth as people write it: `1980-02-01`, `19800201`, `1 Feb 1980`, `February 1, 1980`, `1 de febrero de 1980`, `25/12/1980`. Refuses what can be
 * read in two ways (`01/02/1980`) instead of guessing. `today` is ISO.
 */
export const parseBirthDate = (text: string, today: string): string | Refusal => {
  const reading = read(text)
  if (reading === undefined)
    return refuse('bad-date', 'That is not a date of birth; write year-month-day, for instance 1980-02-01.')
  if ('either' in reading)
    return refuse(
      'two-dates',
      `That date can be read in two ways: ${reading.either.join(' or ')}. Write it as year-month-day.`,
    )
  return readBirthDate(reading.iso, today) ?? refuse('bad-date', 'No living person was born on that day.')
}
