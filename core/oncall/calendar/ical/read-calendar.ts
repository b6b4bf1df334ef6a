import type { Instant } from '../../../domain/clock.ts'
import type { Zones } from '../../../domain/oncall/zones.ts'
import { type Imported, type ImportedShift, imported, type Problems, problemList, quoted } from '../imported.ts'
import { worldZone } from '../zone.ts'
import { type Component, readComponents } from './components.ts'
import { type CalendarEvent, type Reading, readEvent } from './event.ts'
import { unfold } from './lines.ts'
import { propertiesOf, textOf } from './property.ts'
import { type Span, shiftsOf } from './series.ts'
import { zonesOf } from './time-zones.ts'

/** Bounds of what is read: UTF-8 bytes, parts of the calendar, characters of a line, shifts in the window, and steps of all recurrences together. */
export type CalendarLimits = { bytes: number; components: number; line: number; instances: number; steps: number }

export const calendarLimits: CalendarLimits = {
  bytes: 5 * 1024 * 1024,
  components: 60_000,
  line: 200_000,
  instances: 20_000,
  steps: 50_000,
}

export type CalendarReading = {
  zones: Zones
  /** The schedule's zone: for floating times and whole days where the calendar names none (X-WR-TIMEZONE). */
  zone: string
  from: Instant
  /** Exclusive. */
  until: Instant
  /** Minutes after midnight at which a duty begins that is written as a whole day; 0 unless given. */
  dayStart?: number
  limits?: Partial<CalendarLimits>
}

/** Is a text longer than this in UTF-8? Looks at the length first, so that a huge one costs nothing. */
export const tooLarge = (text: string, bytes: number): boolean =>
  text.length > bytes || Buffer.byteLength(text, 'utf8') > bytes

/**
 * Reads an iCalendar text (RFC 5545) as shifts in a window. Nothing is thrown for what the text contains: problems are
 * values with line numbers, and one with the effect `refused` leaves no shifts. Time and memory are bounded by
 * `limits`, whatever the text says; `readApart` bounds them from outside too.
 */
export const readCalendar = (text: string, options: CalendarReading): Imported => {
  const limits = { ...calendarLimits, ...options.limits }
  const problems = problemList()
  const window = { from: options.from, until: options.until }
  if (tooLarge(text, limits.bytes)) {
    const most = `${Math.round(limits.bytes / 1024)} KiB`
    problems.add('refused', 'too-large', undefined, `The calendar is larger than ${most} and is not read.`)
    return imported([], problems, window)
  }
  const shifts: ImportedShift[] = []
  const endless: number[] = []
  const budget = { steps: limits.steps }
  const span: Span = { ...window, budget, problems, endless: line => endless.push(line) }
  for (const calendar of readComponents(unfold(text, limits.line), limits.components, problems)) {
    for (const [uid, events] of eventsOf(calendar, options, span)) {
      if (problems.refused()) break
      shifts.push(...seriesOf(uid, events, span).filter(s => s.from < span.until && s.to > span.from))
      if (shifts.length > limits.instances) {
        const sentence = `The calendar has more than ${limits.instances} shifts between the two dates.`
        problems.add('refused', 'too-many-instances', events[0]?.line, sentence)
      }
    }
  }
  if (endless.length > 0) {
    const sentence = `${endless.length} of the entries repeat without end; they are read up to the last day asked for.`
    problems.add('note', 'without-end', endless[0], sentence)
  }
  return imported(shifts, problems, window)
}

/** The events of a calendar by UID, read in the zone that it names. */
const eventsOf = (calendar: Component, options: CalendarReading, span: Span): Map<string, CalendarEvent[]> => {
  const { problems, budget } = span
  const day = 86_400_000
  const zoneOf = zonesOf(calendar, options.zones, { from: span.from - day, to: span.until + day }, budget, problems)
  const properties = propertiesOf(calendar, problems)
  const named = textOf(properties, 'X-WR-TIMEZONE')
  const own = named === '' ? undefined : zoneOf(named)
  if (named !== '' && !own)
    problems.add('note', 'unknown-zone', calendar.line, `The calendar's time zone ${quoted(named)} is not known.`)
  const reading: Reading = {
    zoneOf,
    floating: own ?? worldZone(options.zones, options.zone),
    floatingName: options.zone,
    dayStart: (options.dayStart ?? 0) * 60_000,
    problems,
  }
  const cancelled = /^cancel$/i.test(textOf(properties, 'METHOD'))
  const events = calendar.children.flatMap(component =>
    component.name === 'VEVENT' ? (readEvent(component, cancelled, reading) ?? []) : [],
  )
  return Map.groupBy(events, event => event.uid)
}

const newest = (events: CalendarEvent[]): CalendarEvent[] => {
  const latest = Math.max(...events.map(e => e.sequence))
  return events.filter(e => e.sequence === latest)
}

/** One UID's shifts. Of several versions the highest SEQUENCE counts; different events under one UID are kept, told apart by their starts. */
const seriesOf = (uid: string, events: CalendarEvent[], span: Span): ImportedShift[] => {
  const masters = newest(events.filter(e => !e.recurrenceId))
  const changes = [...Map.groupBy(events, e => e.recurrenceId && `${e.recurrenceId.wall} ${e.recurrenceId.zone.id}`)]
    .filter(([key]) => key !== undefined)
    .flatMap(([, versions]) => newest(versions).slice(-1))
  const different = [...new Map(masters.map(m => [`${m.start.wall} ${m.start.zone.id} ${m.summary}`, m])).values()]
  if (different.length <= 1) return shiftsOf(different[0], changes, span)
  noteSameUid(different, span.problems)
  const shared = different.flatMap(master =>
    shiftsOf({ ...master, uid: `${uid}#${master.start.wall / 1000}#${master.summary}` }, [], span),
  )
  return [...shared, ...shiftsOf(undefined, changes, span)]
}

const noteSameUid = (masters: CalendarEvent[], problems: Problems) =>
  problems.add(
    'note',
    'same-uid',
    masters[1]?.line,
    `${masters.length} different entries have the same UID; all are kept.`,
  )
