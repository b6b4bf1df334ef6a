import { createHash } from 'node:crypto'
import { type Problems, quoted } from '../imported.ts'
import { utc, type Wall, type Zone } from '../zone.ts'
import type { Component } from './components.ts'
import { all, first, type Property, propertiesOf, ruleOf, textOf } from './property.ts'
import type { Rule } from './recurrence.ts'
import type { ZoneOf } from './time-zones.ts'
import { type Length, readLength, readTime } from './values.ts'

/** A time of an event, in its zone; a whole day begins at the day's start that the reader was told. */
export type EventTime = { wall: Wall; zone: Zone; dateOnly: boolean }

/** How long each instance lasts: to the same wall time, or for a nominal DURATION. */
export type Lasting = { wall: number } | Length | { exact: number; days?: undefined }

/** What one VEVENT says that matters for duties. */
export type CalendarEvent = {
  line: number
  uid: string
  recurrenceId?: EventTime
  /** RANGE=THISANDFUTURE: it changes the later ones of the series too. */
  onwards: boolean
  start: EventTime
  lasting: Lasting
  rules: Rule[]
  exceptionRules: Rule[]
  extra: { start: EventTime; lasting?: Lasting }[]
  excluded: EventTime[]
  cancelled: boolean
  summary: string
  name: string
  contacts: string[]
  sequence: number
}

/** Where floating times and dates belong, and when a duty that is written as a whole day begins (ms after midnight). */
export type Reading = {
  zoneOf: ZoneOf
  floating: Zone | undefined
  floatingName: string
  dayStart: number
  problems: Problems
}

/** Times outside of these years are no duty's; what a zone's clocks did then need not be looked up. */
const years = { from: Date.UTC(1970, 0, 3), to: Date.UTC(2200, 0, 1) }
const dayMs = 86_400_000

type Unread = { unread: true; code: string; effect: 'refused' | 'skipped' | 'note'; sentence: string }

const unread = (effect: Unread['effect'], code: string, sentence: string): Unread => ({
  unread: true,
  effect,
  code,
  sentence,
})

const isUnread = (value: unknown): value is Unread => (value as { unread?: boolean } | undefined)?.unread === true

const timeOf = (value: unknown, property: Property, reading: Reading): EventTime | Unread => {
  const written = readTime(value)
  if (!written) return unread('refused', 'malformed-time', `The time of ${property.name} cannot be read.`)
  if (written.wall < years.from || written.wall > years.to)
    return unread('note', 'other-age', `The year of ${property.name} is one that no duty has.`)
  const tzid = written.dateOnly ? undefined : property.params.tzid
  const zone = written.utc ? utc : tzid === undefined ? reading.floating : reading.zoneOf(tzid)
  if (!zone)
    return unread('refused', 'unknown-zone', `The time zone ${quoted(tzid ?? reading.floatingName)} is not known.`)
  return { wall: written.wall + (written.dateOnly ? reading.dayStart : 0), zone, dateOnly: written.dateOnly }
}

const until = (start: EventTime, end: EventTime): Lasting =>
  start.zone === end.zone
    ? { wall: end.wall - start.wall }
    : { exact: end.wall - end.zone.offsetAt(end.wall) - (start.wall - start.zone.offsetAt(start.wall)) }

const lastingOf = (properties: Property[], start: EventTime, reading: Reading): Lasting | Unread => {
  const end = first(properties, 'DTEND')
  const duration = first(properties, 'DURATION')
  if (end) {
    const at = timeOf(end.values[0], end, reading)
    return isUnread(at) ? at : until(start, at)
  }
  if (duration) {
    return readLength(duration.values[0]) ?? unread('refused', 'malformed-time', 'The DURATION cannot be read.')
  }
  return start.dateOnly ? { wall: dayMs } : { wall: 0 }
}

const timesOf = (properties: Property[], name: string, reading: Reading): (EventTime | Unread)[] =>
  all(properties, name).flatMap(p => p.values.map(value => timeOf(value, p, reading)))

const extraOf = (properties: Property[], reading: Reading): CalendarEvent['extra'] | Unread => {
  const found: CalendarEvent['extra'] = []
  for (const property of all(properties, 'RDATE'))
    for (const value of property.values) {
      const [begin, ending] = Array.isArray(value) ? value : [value, undefined]
      const start = timeOf(begin, property, reading)
      if (isUnread(start)) return start
      const end = ending === undefined || readLength(ending) ? undefined : timeOf(ending, property, reading)
      if (isUnread(end)) return end
      found.push({ start, lasting: end ? until(start, end) : readLength(ending) })
    }
  return found
}

const peopleOf = (properties: Property[]) => {
  const invited = all(properties, 'ATTENDEE').filter(p => !/^(ROOM|RESOURCE)$/i.test(p.params.cutype ?? ''))
  const contacts = invited.flatMap(p => /^mailto:(.{3,254})$/i.exec(String(p.values[0]))?.[1]?.toLowerCase() ?? [])
  const names = invited.flatMap(p => p.params.cn?.trim().replace(/\s+/g, ' ') || [])
  return { contacts, only: invited.length === 1 ? names[0] : undefined }
}

const nameless = (component: Component): string =>
  `no-uid-${createHash('sha256')
    .update(
      component.lines
        .filter(l => /^(DTSTART|DTEND|DURATION|SUMMARY|RRULE|RECURRENCE-ID)\b/i.test(l.text))
        .map(l => l.text)
        .join('\n'),
    )
    .digest('hex')
    .slice(0, 24)}`

/** Reads one VEVENT; undefined, with the problem noted, when it cannot be a duty. */
export const readEvent = (component: Component, cancelled: boolean, reading: Reading): CalendarEvent | undefined => {
  const properties = propertiesOf(component, reading.problems)
  const fail = (why: Unread) => {
    const recurs = first(properties, 'RRULE') !== undefined && why.code === 'other-age'
    reading.problems.add(recurs ? 'skipped' : why.effect, why.code, component.line, why.sentence)
    return undefined
  }
  const startProperty = first(properties, 'DTSTART')
  if (!startProperty) return fail(unread('refused', 'malformed', 'An event has no DTSTART.'))
  const start = timeOf(startProperty.values[0], startProperty, reading)
  if (isUnread(start)) return fail(start)
  const recurrenceIds = timesOf(properties, 'RECURRENCE-ID', reading)
  const excluded = timesOf(properties, 'EXDATE', reading).filter(t => !isUnread(t) || t.code !== 'other-age')
  const wrong = [...recurrenceIds, ...excluded].find(isUnread)
  if (wrong) return fail(wrong)
  const isCancelled = cancelled || /^cancelled$/i.test(textOf(properties, 'STATUS'))
  const lasting = lastingOf(properties, start, reading)
  if (isUnread(lasting)) return fail(lasting)
  if (!isCancelled && Object.values(lasting).every(n => (n ?? 0) <= 0))
    return fail(unread('note', 'no-length', 'An event has no length: it is no duty.'))
  const extra = extraOf(properties, reading)
  if (isUnread(extra)) return fail(extra)
  const { contacts, only } = peopleOf(properties)
  const summary = textOf(properties, 'SUMMARY')
  return {
    line: component.line,
    uid: textOf(properties, 'UID') || nameless(component),
    recurrenceId: recurrenceIds[0] as EventTime | undefined,
    onwards: /^THISANDFUTURE$/i.test(first(properties, 'RECURRENCE-ID')?.params.range ?? ''),
    start,
    lasting,
    rules: all(properties, 'RRULE').map(ruleOf),
    exceptionRules: all(properties, 'EXRULE').map(ruleOf),
    extra,
    excluded: excluded as EventTime[],
    cancelled: isCancelled,
    summary,
    name: textOf(properties, 'X-WARDROOM-NAME') || only || summary,
    contacts,
    sequence: Number(textOf(properties, 'SEQUENCE')) || 0,
  }
}
