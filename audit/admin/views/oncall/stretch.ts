import { days, type Instant } from '../../../../core/domain/clock.ts'
import {
  addMonths,
  minutesADay,
  parseWall,
  showWall,
  type Wall,
  weekday,
  type Zones,
} from '../../../../core/domain/oncall/zones.ts'
import { knownFor } from '../../../../core/store/oncall/history.ts'

/** How far ahead a schedule is shown. */
export const shownAhead = days(400)

export type Day = { day: string; from: Instant; to: Instant }
export type Stretch = { from: Instant; to: Instant; days: Day[]; today: string; earlier: boolean; later: boolean }

const midnight = (wall: Wall): Wall => Math.floor(wall / minutesADay) * minutesADay

/**
 * The week (from Monday) or month of a zone that has a day (today without one), day by day: one in which the clocks change is shorter or longer. Undefined for a day
 * that there is not, or that lies further away than schedules are shown.
 */
export const stretchOf = (
  span: 'week' | 'month',
  day: string | undefined,
  { now, zone, zones }: { now: Instant; zone: string; zones: Zones },
): Stretch | undefined => {
  const today = midnight(zones.wall(now, zone))
  const asked = day === undefined ? today : parseWall(day)
  if (asked === undefined) return undefined
  const dayOfMonth = new Date(asked * 60_000).getUTCDate()
  const first = asked - (span === 'week' ? weekday(asked) : dayOfMonth - 1) * minutesADay
  const end = span === 'week' ? first + 7 * minutesADay : addMonths(first, 1)
  const shown: Day[] = []
  for (let wall = first; wall < end; wall += minutesADay) {
    const [from, to] = [zones.instant(wall, zone), zones.instant(wall + minutesADay, zone)]
    // A day that a zone has left out, at the date line, is no day.
    if (from < to) shown.push({ day: showWall(wall).slice(0, 10), from, to })
  }
  const [from, to] = [zones.instant(first, zone), zones.instant(end, zone)]
  const [oldest, latest] = [now - knownFor, now + shownAhead]
  if (to <= oldest || from > latest) return undefined
  return { from, to, days: shown, today: showWall(today).slice(0, 10), earlier: from > oldest, later: to <= latest }
}
