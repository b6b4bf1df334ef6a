import ICAL from 'ical.js'
import { type Problems, quoted } from '../imported.ts'
import type { Component } from './components.ts'
import type { Rule } from './recurrence.ts'

/** One property, its parameters' names in lower case, its values decoded as jCal has them (RFC 7265). */
export type Property = {
  name: string
  params: Record<string, string>
  type: string
  values: unknown[]
  line: number
  written: string
}

const read = new Set(
  `DTSTART DTEND DURATION RRULE EXRULE RDATE EXDATE RECURRENCE-ID UID SUMMARY STATUS SEQUENCE ATTENDEE LAST-MODIFIED
  DTSTAMP TZID TZOFFSETFROM TZOFFSETTO X-LIC-LOCATION X-WR-TIMEZONE METHOD X-WARDROOM-NAME`.split(/\s+/),
)

const text = (value: unknown): string => (Array.isArray(value) ? value.map(String).join(',') : String(value))

/** A component's properties that matter for duties; the others are not even decoded. A line that cannot be decoded is a problem of its component. */
export const propertiesOf = (component: Component, problems: Problems): Property[] =>
  component.lines.flatMap(line => {
    const name = /^[\w-]{1,40}/.exec(line.text)?.[0].toUpperCase() ?? ''
    if (!read.has(name)) {
      if (name === '') problems.add('note', 'malformed-line', line.number, 'This line has no name and is not read.')
      return []
    }
    if (line.cut) {
      problems.add('refused', 'line-too-long', line.number, `The value of ${name} is too long.`)
      return []
    }
    try {
      const [, params, type, ...values] = ICAL.parse.property(line.text, undefined) as [
        string,
        Record<string, unknown>,
        string,
        ...unknown[],
      ]
      const texts = Object.entries(params).map(([key, value]) => [key, text(value)] as const)
      return [{ name, params: Object.fromEntries(texts), type, values, line: line.number, written: line.text }]
    } catch {
      // The library's message repeats the line, which is not ours to show.
      problems.add('refused', 'malformed', line.number, `${quoted(name)} cannot be read.`)
      return []
    }
  })

export const first = (properties: readonly Property[], name: string): Property | undefined =>
  properties.find(p => p.name === name)

export const all = (properties: readonly Property[], name: string): Property[] =>
  properties.filter(p => p.name === name)

/** A property's first value as trimmed text; the empty text when it is missing. */
export const textOf = (properties: readonly Property[], name: string): string =>
  text(first(properties, name)?.values[0] ?? '').trim()

/** A recurrence as it was read, with the names of all parts: the library drops those that it does not know. */
export const ruleOf = (property: Property): Rule => ({
  parts: property.values[0] as Record<string, unknown>,
  names: property.written
    .slice(property.written.indexOf(':') + 1)
    .split(';')
    .flatMap(part => part.split('=')[0]?.trim().toLowerCase() || []),
})
