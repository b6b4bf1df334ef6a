import { days, hours, type Instant } from '../../../core/domain/clock.ts'
import type { Absence, Layer, Override, Schedule } from '../../../core/domain/oncall/schedule/schedule.ts'
import type { SeededRandom } from '../random.ts'

const zones = ['America/New_York', 'America/Chicago', 'America/Phoenix', 'America/Los_Angeles', 'Europe/Berlin', 'UTC']
const weekdays = [0, 1, 2, 3, 4]

/**
 * One role of a big clinic in the year from `start` on: weeks in turn, nights of twelve hours on weekdays, weekends apart; 24 overrides and 10 absences. Every tenth is an
 * imported list of the year's day and night shifts instead.
 */
export const clinicSchedule = (
  n: number,
  people: readonly string[],
  start: Instant,
  random: SeededRandom,
): Schedule => {
  const wall = Math.floor(start / 60_000)
  const monday = wall - (wall % 10_080) - 3 * 1440
  const turns = (id: string, unit: 'hour' | 'week', length: number, restrictions: Layer['restrictions']): Layer => ({
    id,
    restrictions,
    rotation: { kind: 'turns', unit, lengths: [length], start: monday + 7 * 60, people },
  })
  const some = (longest: number) => {
    const from = start + hours(random.int(365 * 24))
    return { from, to: from + hours(1 + random.int(longest)), person: random.pick(people) }
  }
  const layers = [
    turns('weeks', 'week', 1, []),
    turns('nights', 'hour', 12, [{ days: weekdays, from: 19 * 60, to: 7 * 60 }]),
    turns('weekends', 'week', 1, [{ days: [5, 6], from: 7 * 60, to: 19 * 60 }]),
  ]
  const list = Array.from({ length: 730 }, (_, i) => ({
    from: start + hours(12 * i),
    to: start + hours(12 * i + 12),
    person: random.pick(people),
  }))
  return {
    id: `role-${n}`,
    zone: random.pick(zones),
    layers: n % 10 === 9 ? [{ id: 'feed', restrictions: [], rotation: { kind: 'list', shifts: list } }] : layers,
    fallback: 'switchboard',
    overrides: Array.from(
      { length: 24 },
      (_, i): Override => ({
        id: `o${i}`,
        ...some(24),
        kind: random.pick(['add', 'remove', 'replace', 'replace'] as const),
      }),
    ),
    temporary: [{ id: 'move', from: start + days(200), to: start + days(203), layers: layers.slice(0, 1) }],
    absences: Array.from({ length: 10 }, (_, i): Absence => ({ id: `a${i}`, ...some(14 * 24) })),
  }
}
