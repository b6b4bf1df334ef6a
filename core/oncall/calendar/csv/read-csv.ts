import { createHash } from 'node:crypto'
import { parse } from 'csv-parse/sync'
import type { Instant } from '../../../domain/clock.ts'
import type { Zones } from '../../../domain/oncall/zones.ts'
import { tooLarge } from '../ical/read-calendar.ts'
import { type Imported, type ImportedShift, imported, type Problems, problemList, quoted } from '../imported.ts'
import { toInstant, type Wall, worldZone, type Zone } from '../zone.ts'
import { type Column, readHeader } from './columns.ts'
import { type CellTime, type DateOrder, doubtful, readCell, readTimeOfDay } from './dates.ts'

export type CsvReading = {
  zones: Zones
  /** The schedule's zone, where the file has no column for it. */
  zone: string
  from: Instant
  /** Exclusive. */
  until: Instant
  /** The answer to the question that an ambiguous date asks. */
  dates?: DateOrder
  /** Minutes after midnight at which a duty begins that is written as whole days; 0 unless given. */
  dayStart?: number
  limits?: { bytes?: number; rows?: number }
}

type Row = { line: number; cell(column: Column): string }
const dayMs = 86_400_000
const longestCell = 2_000

/** The separator of which the header has most; a line `sep=;` before it, as Excel writes, says it. */
const separator = (text: string) => {
  const said = /^\uFEFF?sep=(.)\r?\n/i.exec(text)
  const [header = ''] = text.slice(said?.[0].length ?? 0, 20_000).split(/\r\n|\n|\r/, 1)
  const bare = header.replace(/"[^"]*"/g, '')
  const count = (mark: string) => bare.split(mark).length
  const best = [',', ';', '\t', '|'].toSorted((a, b) => count(b) - count(a))[0] as string
  return { delimiter: said?.[1] ?? best, skipped: said?.[0] ?? '' }
}

const recordsOf = (text: string, rows: number, problems: Problems): { line: number; record: string[] }[] => {
  const { delimiter, skipped } = separator(text)
  try {
    const found = parse(text.slice(skipped.length), {
      bom: true,
      delimiter,
      info: true,
      max_record_size: 100_000,
      relax_column_count: true,
      skip_empty_lines: true,
      trim: true,
      to: rows + 2,
    }) as unknown as { info: { lines: number }; record: string[] }[]
    return found.map(({ info, record }) => {
      const inside = record.reduce((n, cell) => n + cell.split(/\r\n|\n|\r/).length - 1, 0)
      return { record, line: info.lines - inside + (skipped === '' ? 0 : 1) }
    })
  } catch (error) {
    const { code, lines } = error as { code?: string; lines?: number }
    if (!code?.startsWith('CSV_')) throw error
    const [name, why] =
      code === 'CSV_MAX_RECORD_SIZE'
        ? ['line-too-long', 'This row is too long.']
        : ['malformed', 'The quotes of this row do not match.']
    problems.add('refused', name, lines, why)
    return []
  }
}

/** Which number is the day: as told, or as some date of the file proves (a 13th month there is none). Asked when nothing proves it. */
const orderOf = (rows: Row[], told: DateOrder | undefined, problems: Problems): DateOrder | undefined => {
  if (told) return told
  const found = rows.flatMap(row =>
    (['start', 'end'] as const).flatMap(column => {
      const numbers = doubtful(row.cell(column))
      return numbers ? [{ ...numbers, line: row.line, text: row.cell(column) }] : []
    }),
  )
  const dayFirst = found.find(n => n.first > 12)
  const monthFirst = found.find(n => n.second > 12)
  if (dayFirst && monthFirst) {
    const sentence = `${quoted(dayFirst.text)} has the day first, ${quoted(monthFirst.text)} the month: please use one order.`
    problems.add('refused', 'mixed-dates', monthFirst.line, sentence)
  } else if (found[0] && !dayFirst && !monthFirst) {
    const sentence = `Is ${quoted(found[0].text)} written with the day or with the month first?`
    problems.add('question', 'ambiguous-date', found[0].line, sentence)
  }
  return dayFirst ? 'day-first' : monthFirst ? 'month-first' : undefined
}

/** Reads a table of duties with a header in English or Spanish, separated by commas, semicolons or tabs; the result is as `readCalendar`'s. An end without a date is on the start's day or the next; dates without times are whole days, the last one included. */
export const readCsv = (text: string, options: CsvReading): Imported => {
  const problems = problemList()
  const limits = { bytes: 5 * 1024 * 1024, rows: 20_000, ...options.limits }
  const done = (shifts: ImportedShift[]) => imported(shifts, problems, { from: options.from, until: options.until })
  if (tooLarge(text, limits.bytes)) {
    problems.add(
      'refused',
      'too-large',
      undefined,
      `The file is larger than ${Math.round(limits.bytes / 1024)} KiB and is not read.`,
    )
    return done([])
  }
  const [header, ...records] = recordsOf(text, limits.rows, problems)
  const { at, twice, named } = readHeader(header?.record ?? [])
  if (problems.refused()) return done([])
  if (!named || !at.has('start') || twice.length > 0) {
    const why =
      twice.length > 0
        ? `Two columns mean the same (${twice[0]}).`
        : 'It needs a column with names and one with the start.'
    problems.add('refused', 'header', header?.line ?? 1, `The first row does not say what the columns are. ${why}`)
    return done([])
  }
  if (records.length > limits.rows)
    problems.add('refused', 'too-many-rows', undefined, `The file has more than ${limits.rows} rows.`)
  const rows = records.map(({ record, line }) => ({
    line,
    cell: (column: Column) => record[at.get(column) ?? -1]?.slice(0, longestCell) ?? '',
  }))
  const order = orderOf(rows, options.dates, problems)
  return problems.refused()
    ? done([])
    : done(uniquely(rows.flatMap(row => shiftOf(row, order, options, problems) ?? [])))
}

const nameOf = (row: Row): string =>
  (
    row.cell('name') ||
    [row.cell('lastName'), row.cell('firstName')].filter(Boolean).join(', ') ||
    row.cell('contact')
  ).replace(/\s+/g, ' ')

const shiftOf = (
  row: Row,
  order: DateOrder | undefined,
  options: CsvReading,
  problems: Problems,
): ImportedShift | undefined => {
  const name = nameOf(row)
  if (name === '') {
    problems.add('note', 'no-name', row.line, 'This row names nobody and is left out.')
    return undefined
  }
  const zone = worldZone(options.zones, row.cell('zone') || options.zone)
  if (!zone) {
    problems.add(
      'refused',
      'unknown-zone',
      row.line,
      `The time zone ${quoted(row.cell('zone') || options.zone)} is not known.`,
    )
    return undefined
  }
  const times = timesOf(row, order, zone, (options.dayStart ?? 0) * 60_000)
  if (typeof times === 'string') {
    problems.add('refused', 'malformed-time', row.line, times)
    return undefined
  }
  const contact = row.cell('contact').toLowerCase()
  const summary = row.cell('summary') || name
  const identity = createHash('sha256')
    .update(JSON.stringify([name, times.from, summary]))
    .digest('hex')
    .slice(0, 24)
  return { ...times, name, uid: row.cell('uid') || `csv-${identity}`, summary, ...(contact && { contacts: [contact] }) }
}

const instantOf = (time: CellTime, zone: Zone): Instant =>
  time.offset === undefined ? toInstant(zone, time.wall) : time.wall - time.offset

const withTime = (cell: CellTime, time: number | undefined): CellTime =>
  time === undefined || cell.time ? cell : { ...cell, wall: cell.wall + time, time: true }

/** The row's two instants, or a sentence that says what cannot be read. */
const timesOf = (
  row: Row,
  order: DateOrder | undefined,
  zone: Zone,
  dayStart: number,
): { from: Instant; to: Instant } | string => {
  const times = (['startTime', 'endTime'] as const).map(
    column => [row.cell(column), readTimeOfDay(row.cell(column))] as const,
  )
  const unreadTime = times.find(([text, time]) => text !== '' && time === undefined)
  if (unreadTime) return `${quoted(unreadTime[0])} is no time of day.`
  const [startTime, endTime] = times.map(([, time]) => time)
  const startCell = readCell(row.cell('start'), order)
  if (!startCell)
    return `${quoted(row.cell('start'))} is no date that can be read, such as 2026-11-22 or 2026-11-22 07:00.`
  const start = withTime(startCell, startTime)
  const end = endOf(row, start, endTime, order, dayStart)
  if (typeof end === 'string') return end
  const from = instantOf(start.time ? start : { ...start, wall: start.wall + dayStart }, zone)
  const to = instantOf(end, zone)
  return to > from ? { from, to } : 'The end is not after the start.'
}

const endOf = (
  row: Row,
  start: CellTime,
  endTime: number | undefined,
  order: DateOrder | undefined,
  dayStart: number,
): CellTime | string => {
  const text = row.cell('end')
  const clock = endTime ?? (text === '' ? undefined : readTimeOfDay(text))
  const cell = text === '' ? undefined : readCell(text, order)
  if (cell) {
    const end = withTime(cell, endTime)
    if (end.time !== start.time) return 'The start and the end need both a time, or neither.'
    return end.time ? end : { ...end, wall: end.wall + dayMs + dayStart }
  }
  const midnight: Wall = start.wall - (((start.wall % dayMs) + dayMs) % dayMs)
  if (clock !== undefined && start.time) {
    const same = midnight + clock
    return { ...start, wall: same > start.wall ? same : same + dayMs }
  }
  if (text !== '') return `${quoted(text)} is no date that can be read, such as 2026-11-22 or 2026-11-22 07:00.`
  return start.time ? 'The end is missing.' : { ...start, wall: start.wall + dayMs + dayStart }
}

/** Two rows that say the same are two shifts; the second gets an id of its own. */
const uniquely = (shifts: ImportedShift[]): ImportedShift[] => {
  const seen = new Map<string, number>()
  return shifts.map(shift => {
    const n = (seen.get(shift.uid) ?? 0) + 1
    seen.set(shift.uid, n)
    return n === 1 ? shift : { ...shift, uid: `${shift.uid}#${n}` }
  })
}
