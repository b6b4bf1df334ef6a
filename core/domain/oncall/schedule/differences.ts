import type { Instant } from '../../clock.ts'
import type { Zones } from '../zones.ts'
import type { OnDuty, Schedule } from './schedule.ts'
import { shifts } from './shifts.ts'

export type Difference = { from: Instant; to: Instant; was: OnDuty; becomes: OnDuty }

const samePeople = (a: OnDuty, b: OnDuty): boolean =>
  a.person === b.person && a.also.length === b.also.length && a.also.every((x, i) => x.person === b.also[i]?.person)

/** The preview of a change: where other people would be on duty than before. Stretches in a row with the same people before and after are one, with the first reasons. */
export const differences = (
  before: Schedule,
  after: Schedule,
  from: Instant,
  to: Instant,
  zones: Zones,
): Difference[] => {
  const [was, becomes] = [shifts(before, from, to, zones), shifts(after, from, to, zones)]
  const found: Difference[] = []
  let [i, j] = [0, 0]
  for (let at = from; at < to; ) {
    const [a, b] = [was[i], becomes[j]]
    if (!a || !b) throw new Error('a schedule has a gap')
    const end = Math.min(a.to, b.to)
    const last = found.at(-1)
    if (!samePeople(a, b)) {
      if (last && last.to === at && samePeople(last.was, a) && samePeople(last.becomes, b)) last.to = end
      else found.push({ from: at, to: end, was: a, becomes: b })
    }
    if (a.to === end) i++
    if (b.to === end) j++
    at = end
  }
  return found
}

const horizons = [1, 8, 40, 400]

/** The next instant at which other people come on, within 400 days (or 1, 8 or 40: the work grows with them); undefined where nothing changes till then. */
export const nextHandoff = (schedule: Schedule, after: Instant, zones: Zones, within = 400): Instant | undefined => {
  for (const horizon of horizons.filter(h => h <= within).map(h => h * 86_400_000)) {
    const segments = shifts(schedule, after, after + horizon, zones)
    const next = segments.find(s => segments[0] && !samePeople(segments[0], s))
    if (next) return next.from
  }
  return undefined
}
