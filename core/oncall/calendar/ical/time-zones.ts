import type { Zones } from '../../../domain/oncall/zones.ts'
import type { Problems } from '../imported.ts'
import { type Wall, worldZone, type Zone } from '../zone.ts'
import type { Component } from './components.ts'
import { first, propertiesOf, ruleOf, textOf } from './property.ts'
import { type Budget, expandRule } from './recurrence.ts'
import { readOffset, readTime } from './values.ts'

/** Finds a zone by the name that a calendar gives it. */
export type ZoneOf = (tzid: string) => Zone | undefined

type Change = { at: number; offset: number; before: number }

const dayMs = 86_400_000
/** Each costs a look-up of its clock changes; no clinic lives in more. */
const mostZones = 50

/** The changes of one STANDARD or DAYLIGHT part around the window, and the last one before it; undefined when it cannot be read. */
const changesOf = (
  part: Component,
  window: { from: Wall; to: Wall },
  budget: Budget,
  problems: Problems,
): Change[] | undefined => {
  const properties = propertiesOf(part, problems)
  const start = readTime(first(properties, 'DTSTART')?.values[0])
  const before = readOffset(first(properties, 'TZOFFSETFROM')?.values[0])
  const offset = readOffset(first(properties, 'TZOFFSETTO')?.values[0])
  if (!start || before === undefined || offset === undefined) return undefined
  const onsets: Wall[] = [start.wall]
  const recurs = first(properties, 'RRULE')
  if (recurs) {
    const rule = ruleOf(recurs)
    const until = rule.parts.until === undefined ? undefined : readTime(rule.parts.until)
    const end = until && (until.utc ? until.wall + before : until.wall)
    // Where the rule has ended, its last change is what counts; so look around its end.
    const to = Math.min(window.to, end ?? window.to)
    const expanded = expandRule(rule, start.wall, end, { from: Math.min(window.from, to) - 800 * dayMs, to }, budget)
    if (!('walls' in expanded)) return undefined
    onsets.push(...expanded.walls)
  }
  for (const property of properties.filter(p => p.name === 'RDATE'))
    for (const value of property.values) {
      const at = readTime(value)
      if (!at) return undefined
      onsets.push(at.wall)
    }
  return onsets.map(wall => ({ at: wall - before, offset, before }))
}

const offsetIn = (changes: readonly Change[], at: number): number => {
  let low = 0
  let high = changes.length
  while (low < high) {
    const middle = (low + high) >> 1
    if ((changes[middle]?.at ?? 0) <= at) low = middle + 1
    else high = middle
  }
  return changes[low - 1]?.offset ?? changes[0]?.before ?? 0
}

/** A VTIMEZONE as a zone that is right within the window; undefined when it is malformed. */
export const readZone = (
  component: Component,
  window: { from: Wall; to: Wall },
  budget: Budget,
  problems: Problems,
): Zone | undefined => {
  const parts = component.children.filter(c => c.name === 'STANDARD' || c.name === 'DAYLIGHT')
  const found = parts.map(part => changesOf(part, window, budget, problems))
  const changes = found.flatMap(c => c ?? []).sort((a, b) => a.at - b.at)
  if (changes.length === 0 || found.includes(undefined)) return undefined
  return { id: textOf(propertiesOf(component, problems), 'TZID'), offsetAt: at => offsetIn(changes, at) }
}

/** `/example.org/20260101_1/Europe/Madrid` → its IANA name, as some programs prefix it. */
const prefixed = (name: string, zones: Zones): Zone | undefined => {
  const parts = name.split('/').filter(Boolean)
  return [3, 2].map(take => worldZone(zones, parts.slice(-take).join('/'))).find(Boolean)
}

/**
 * Finds the zone that a TZID names: the IANA zone when it is one (its rules are kept up to date), else the calendar's
 * own VTIMEZONE, as Outlook has them. Undefined when neither helps.
 */
export const zonesOf = (
  calendar: Component,
  zones: Zones,
  window: { from: Wall; to: Wall },
  budget: Budget,
  problems: Problems,
): ZoneOf => {
  const own = new Map<string, Component>()
  for (const child of calendar.children)
    if (child.name === 'VTIMEZONE') own.set(textOf(propertiesOf(child, problems), 'TZID'), child)
  const found = new Map<string, Zone | undefined>()
  return name => {
    if (!found.has(name) && found.size < mostZones) {
      const component = own.get(name)
      const located = component && textOf(propertiesOf(component, problems), 'X-LIC-LOCATION')
      found.set(
        name,
        (name.includes('/') ? worldZone(zones, name) : undefined) ??
          (name.startsWith('/') ? prefixed(name, zones) : undefined) ??
          (located ? worldZone(zones, located) : undefined) ??
          (component ? readZone(component, window, budget, problems) : worldZone(zones, name)),
      )
    }
    return found.get(name)
  }
}
