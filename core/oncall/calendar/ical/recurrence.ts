import { RRuleTemporal } from 'rrule-temporal'
import type { Wall } from '../zone.ts'
import { basicTime } from './values.ts'

/** A recurrence rule as jCal has it, e.g. `{ freq: 'WEEKLY', byday: ['MO'], until: '2026-11-22' }`, with every part's name that was written. */
export type Rule = { parts: Record<string, unknown>; names: readonly string[] }

/** What a whole reading may still spend on recurrences, in steps of the rule; each rule takes from it. */
export type Budget = { steps: number }

export type Expanded = { walls: Wall[] } | { code: string; sentence: string }

const known = new Set(
  'freq interval count until byday bymonthday bymonth byyearday byweekno bysetpos byhour byminute bysecond wkst'.split(
    ' ',
  ),
)
const weekdays = ['SU', 'MO', 'TU', 'WE', 'TH', 'FR', 'SA']
const frequencies = new Set(['HOURLY', 'DAILY', 'WEEKLY', 'MONTHLY', 'YEARLY'])
const filters = ['bymonth', 'bymonthday', 'byyearday', 'byweekno', 'bysetpos']
const mostSteps = 20_000
const dayMs = 86_400_000

const list = (value: unknown): unknown[] => (Array.isArray(value) ? value : value === undefined ? [] : [value])

/** How many times of day the rule has at most, and about how often it comes in so many days: what its expansion costs. */
const cost = ({ parts }: Rule, days: number) => {
  const size = (name: string) => Math.max(1, list(parts[name]).length)
  const perDay = size('byhour') * size('byminute') * size('bysecond') * (parts.freq === 'HOURLY' ? 24 : 1)
  const weekly = parts.freq === 'WEEKLY' ? size('byday') / 7 : 1
  // Parts that only leave days out may make it search for centuries.
  const least =
    filters.some(name => parts[name] !== undefined) && !/^(MONTH|YEAR)LY$/.test(String(parts.freq)) ? 400 : 20
  return { perDay, steps: Math.max(least, parts.count === undefined ? days * perDay * weekly : Number(parts.count)) }
}

const refusal = (rule: Rule, days: number, budget: Budget): Expanded | undefined => {
  const { parts, names } = rule
  if (parts.freq === 'SECONDLY' || parts.freq === 'MINUTELY')
    return { code: 'too-frequent', sentence: 'It repeats every minute or every second, which no duty does.' }
  if (!names.every(name => known.has(name) || name.startsWith('x-')) || !frequencies.has(String(parts.freq)))
    return { code: 'malformed-recurrence', sentence: 'Its recurrence is not one that RFC 5545 knows.' }
  const { perDay, steps } = cost(rule, days)
  const lists = Object.values(parts).some(value => list(value).length > 400)
  if (!(steps <= mostSteps) || perDay > 24 * 4 || lists || budget.steps < steps)
    return { code: 'too-many-instances', sentence: 'Its recurrence produces more shifts than a schedule can have.' }
  budget.steps -= steps
  return undefined
}

const written = (rule: Rule, until: Wall | undefined): string =>
  Object.entries({ ...rule.parts, until: until === undefined ? undefined : `${basicTime(until)}Z` })
    .filter(([, value]) => value !== undefined)
    .map(
      ([key, value]) => `${key.toUpperCase()}=${key === 'wkst' ? weekdays[Number(value) - 1] : list(value).join(',')}`,
    )
    .join(';')

/**
 * The wall times at which a rule that begins at `start` repeats within the window; `start` itself too (it is
 * the first of a COUNT), unless it is not `counted`. `until` is the rule's UNTIL as a wall time, inclusive. The library works on the wall clock as if it were UTC; what cannot be
 * expanded within bounded steps is told apart from what is malformed.
 */
export const expandRule = (
  rule: Rule,
  start: Wall,
  until: Wall | undefined,
  window: { from: Wall; to: Wall },
  budget: Budget,
  counted = true,
): Expanded => {
  if (start > window.to || (until !== undefined && until < window.from)) return { walls: [] }
  const refused = refusal(rule, (window.to - Math.max(start, window.from)) / dayMs, budget)
  if (refused) return refused
  try {
    const recurrence = new RRuleTemporal({
      rruleString: `DTSTART:${basicTime(start)}Z\nRRULE:${written(rule, until)}`,
      maxIterations: mostSteps,
      maxCandidateEvaluations: mostSteps,
      includeDtstart: counted,
      cache: false,
    })
    const found = recurrence.between(new Date(window.from), new Date(window.to), true)
    return { walls: found.map(at => at.epochMilliseconds) }
  } catch (error) {
    budget.steps -= mostSteps
    return /exceeded/.test(String(error))
      ? { code: 'too-many-instances', sentence: 'Its recurrence cannot be computed in a bounded number of steps.' }
      : { code: 'malformed-recurrence', sentence: 'Its recurrence cannot be read.' }
  }
}
