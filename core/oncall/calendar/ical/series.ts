import type { Instant } from '../../../domain/clock.ts'
import type { ImportedShift, Problems } from '../imported.ts'
import { toInstant, toWall, type Wall, type Zone } from '../zone.ts'
import type { CalendarEvent, EventTime, Lasting } from './event.ts'
import { type Budget, expandRule, type Rule } from './recurrence.ts'
import { basicDate, basicTime, readTime } from './values.ts'

/** What a reading asks for and may spend. */
export type Span = { from: Instant; until: Instant; budget: Budget; problems: Problems; endless(line: number): void }

const dayMs = 86_400_000
/** Changes of a series from some instance onwards. */
const mostOnwards = 200

const instantOf = (time: EventTime): Instant => toInstant(time.zone, time.wall)

const endOf = (wall: Wall, zone: Zone, lasting: Lasting): Instant => {
  if ('wall' in lasting) return toInstant(zone, wall + lasting.wall)
  return toInstant(zone, wall + (lasting.days ?? 0) * dayMs) + lasting.exact
}

/** More than an instance can last on any clock, for choosing which starts to look at. */
const longest = (lasting: Lasting): number =>
  dayMs + Math.max(0, 'wall' in lasting ? lasting.wall : (lasting.days ?? 0) * dayMs + lasting.exact)

const shift = (event: CalendarEvent, time: EventTime, lasting: Lasting, original?: EventTime): ImportedShift => ({
  from: instantOf(time),
  to: endOf(time.wall, time.zone, lasting),
  name: event.name,
  uid: event.uid,
  ...(original && {
    recurrenceId: original.dateOnly ? basicDate(original.wall) : `${basicTime(instantOf(original))}Z`,
  }),
  summary: event.summary,
  ...(event.contacts.length > 0 && { contacts: event.contacts }),
})

/** UNTIL as a wall time of the event's zone, inclusive; a date means that whole day. */
const untilOf = (rule: Rule, zone: Zone): Wall | undefined => {
  const written = rule.parts.until === undefined ? undefined : readTime(rule.parts.until)
  if (!written) return undefined
  if (written.dateOnly) return written.wall + dayMs - 1000
  return written.utc ? toWall(zone, written.wall) : written.wall
}

const expand = (
  event: CalendarEvent,
  rules: Rule[],
  window: { from: Wall; to: Wall },
  span: Span,
  counted = true,
): Wall[] =>
  rules.flatMap(rule => {
    const end = untilOf(rule, event.start.zone)
    if (rule.parts.until !== undefined && end === undefined) {
      span.problems.add('refused', 'malformed-recurrence', event.line, 'The UNTIL of its recurrence cannot be read.')
      return []
    }
    if (end === undefined && rule.parts.count === undefined) span.endless(event.line)
    const expanded = expandRule(rule, event.start.wall, end, window, span.budget, counted)
    if ('walls' in expanded) return expanded.walls
    span.problems.add('refused', expanded.code, event.line, expanded.sentence)
    return []
  })

/** Is this start among the excluded or changed ones: by its instant, or by its day where only a day is named (as Exchange writes it)? */
const among = (times: readonly EventTime[]) => {
  const instants = new Set(times.filter(t => !t.dateOnly).map(instantOf))
  const days = new Set(times.filter(t => t.dateOnly).map(t => basicDate(t.wall)))
  return (start: EventTime) => instants.has(instantOf(start)) || days.has(basicDate(start.wall))
}

/**
 * The shifts of one UID: the series less what is excluded, cancelled or changed, and the changes themselves, wherever
 * they were moved to. A change without its series is a shift of its own.
 */
export const shiftsOf = (master: CalendarEvent | undefined, changes: CalendarEvent[], span: Span): ImportedShift[] => {
  const shifts = changes.filter(c => !c.cancelled).map(c => shift(c, c.start, c.lasting, c.recurrenceId))
  if (!master || master.cancelled) return shifts
  const recurs = master.rules.length > 0 || master.extra.length > 0
  const onwards = changes
    .flatMap(c => (c.onwards && c.recurrenceId ? [{ change: c, at: c.recurrenceId.wall }] : []))
    .sort((a, b) => a.at - b.at)
  if (onwards.length > mostOnwards) {
    span.problems.add('refused', 'too-many-instances', master.line, 'The series is changed onwards too often.')
    return []
  }
  const moved = Math.max(0, ...onwards.map(o => Math.abs(o.change.start.wall - o.at) + longest(o.change.lasting)))
  const window = {
    from: span.from - 2 * dayMs - moved - longest(master.lasting),
    to: span.until + 2 * dayMs + moved,
  }
  const near = (time: EventTime) => time.wall >= window.from && time.wall <= window.to
  const changed = among(changes.flatMap(c => c.recurrenceId ?? []))
  const excluded = among(master.excluded.filter(near))
  const never = new Set(expand(master, master.exceptionRules, window, span, false))
  const walls = new Set([master.start.wall, ...expand(master, master.rules, window, span)].filter(w => !never.has(w)))
  const own = (wall: Wall): EventTime => ({ ...master.start, wall })
  const starts: CalendarEvent['extra'] = [...[...walls].map(wall => ({ start: own(wall) })), ...master.extra]
  const seen = new Set<Instant>()
  for (const { start, lasting } of starts) {
    if (!near(start) || excluded(start) || changed(start) || seen.has(instantOf(start))) continue
    seen.add(instantOf(start))
    const later = onwards.findLast(o => o.at <= start.wall)
    if (later?.change.cancelled) continue
    const time = later ? { ...later.change.start, wall: start.wall + later.change.start.wall - later.at } : start
    const length = later?.change.lasting ?? lasting ?? master.lasting
    shifts.push(shift(later?.change ?? master, time, length, recurs ? start : undefined))
  }
  return shifts
}
