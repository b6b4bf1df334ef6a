import type { Instant } from './domain/clock.ts'
import type { Zones } from './domain/oncall/zones.ts'

/** A change of a zone's clocks; offsets are minutes east of UTC. */
export type Transition = { at: Instant; before: number; after: number }

/** Part of a zone's history: from `from` on the clocks stand `offset` (ms) east of UTC; `peak` is the latest that they read, exclusive, at any time before. */
type Stretch = { from: Instant; offset: number; peak: number }

const dayMs = 86_400_000
const minuteMs = 60_000
/** More than a repeated stretch can last, and more than any offset from UTC: what is asked about a year needs no other block. */
const margin = 3 * dayMs

const formatterOf = (zone: string): Intl.DateTimeFormat =>
  new Intl.DateTimeFormat('en-US', { timeZone: zone, year: 'numeric', timeZoneName: 'longOffset' })

/** Reads the end of `2026, GMT-05:00` (or `GMT`, or with seconds), in ms. */
const parseOffset = (text: string): number => {
  const m = /GMT(?:([+-])(\d\d):(\d\d)(?::(\d\d))?)?$/.exec(text)
  if (!m) throw new Error('the runtime writes time zone offsets in a way that is not understood')
  const ms = ((Number(m[2] ?? 0) * 60 + Number(m[3] ?? 0)) * 60 + Number(m[4] ?? 0)) * 1000
  return m[1] === '-' ? -ms : ms
}

/** Asks for every day whether the offset changed, then halves the day; the closest two changes since 1970 lie a week apart. */
const stretches = (zone: Intl.DateTimeFormat, from: Instant, to: Instant): Stretch[] => {
  const offset = (at: Instant) => parseOffset(zone.format(at))
  let last: Stretch = { from: Number.NEGATIVE_INFINITY, offset: offset(from), peak: Number.NEGATIVE_INFINITY }
  const found = [last]
  for (let day = from; day < to; day += dayMs) {
    const then = offset(day + dayMs)
    if (then === last.offset) continue
    let [before, after] = [day, day + dayMs]
    while (after - before > 1) {
      const middle = Math.floor((before + after) / 2)
      if (offset(middle) === last.offset) before = middle
      else after = middle
    }
    last = { from: after, offset: then, peak: Math.max(last.peak, after + last.offset) }
    found.push(last)
  }
  return found
}

const yearOf = (at: number) => new Date(at).getUTCFullYear()

type Zone = { formatter: Intl.DateTimeFormat; years: Map<number, Stretch[]> }

/**
 * The zones of the runtime (ICU's tzdata). A zone's year is looked up once (0.4 ms) and then kept as its two or three stretches.
 * docs/decisions/2026-11-22-handoffs-in-wall-time.md says why no library.
 */
export const runtimeZones = (): Zones => {
  const zones = new Map<string, Zone>()
  const zoneOf = (name: string): Zone => {
    const made = zones.get(name)
    if (made) return made
    if (/^[+-]/.test(name)) throw new RangeError('an offset from UTC is not a time zone')
    const zone = { formatter: formatterOf(name), years: new Map<number, Stretch[]>() }
    zones.set(name, zone)
    return zone
  }
  const yearIn = (name: string, year: number): Stretch[] => {
    const zone = zoneOf(name)
    const made = zone.years.get(year)
    if (made) return made
    const year1 = stretches(zone.formatter, Date.UTC(year, 0, 1) - margin, Date.UTC(year + 1, 0, 1) + margin)
    zone.years.set(year, year1)
    return year1
  }
  const stretchAt = (at: Instant, name: string): Stretch => {
    const year = yearIn(name, yearOf(at))
    return year.findLast(s => s.from <= at) as Stretch
  }
  return {
    known: name => {
      try {
        zoneOf(name)
        return true
      } catch (err) {
        if (err instanceof RangeError) return false
        throw err
      }
    },
    wall: (at, name) => Math.floor((at + stretchAt(at, name).offset) / minuteMs),
    instant: (wall, name) => {
      const reading = wall * minuteMs
      const year = yearIn(name, yearOf(reading))
      // A stretch shows every reading below the next one's peak that no stretch before it has shown.
      const s = year.find((_, i) => reading < (year[i + 1]?.peak ?? Number.POSITIVE_INFINITY)) as Stretch
      return Math.max(s.from, reading - s.offset)
    },
    reached: (at, name) => {
      const s = stretchAt(at, name)
      return Math.floor(Math.max(at + s.offset, s.peak - 1) / minuteMs)
    },
  }
}

/** The changes of a zone's clocks in whole years, both included. @throws RangeError for an unknown zone. */
export const transitions = (zone: string, firstYear: number, lastYear: number): Transition[] => {
  const found = stretches(formatterOf(zone), Date.UTC(firstYear, 0, 1), Date.UTC(lastYear + 1, 0, 1))
  return found.slice(1).map((s, i) => ({
    at: s.from,
    before: (found[i] as Stretch).offset / minuteMs,
    after: s.offset / minuteMs,
  }))
}
