import { days, hours } from '../../core/domain/clock.ts'
import { shifts, shiftsOf } from '../../core/domain/oncall/schedule/shifts.ts'
import { whoIsOn } from '../../core/domain/oncall/schedule/who-is-on.ts'
import { runtimeZones } from '../../core/time-zones.ts'
import { clinicSchedule } from '../../test/support/oncall/clinic.ts'
import { seededRandom } from '../../test/support/random.ts'
import type { Bench } from '../bench.ts'
import { figure, median, quantile } from '../figure.ts'
import { scaled } from '../scale.ts'

const schedules = scaled(1000)
const questions = scaled(50_000, 1000)
const people = scaled(500, 50)
const rounds = 5
const start = Date.UTC(2026, 0, 1)

const crew = (n: number) => Array.from({ length: 5 }, (_, i) => `@clinician${n * 5 + i}:h`)

const took = (work: () => unknown): number => {
  const from = performance.now()
  work()
  return performance.now() - from
}

/** The least that anybody does with a time in a zone: to write it. */
const clocks = new Map<string, Intl.DateTimeFormat>()
const write = (at: number, timeZone: string): string => {
  const clock =
    clocks.get(timeZone) ?? new Intl.DateTimeFormat('en-US', { timeZone, dateStyle: 'short', timeStyle: 'short' })
  clocks.set(timeZone, clock)
  return clock.format(at)
}

/** Who is on duty, asked of many schedules in any order, and a year of the whole clinic; beside writing the same times on a wall clock. */
export const oncallSchedules: Bench = {
  area: 'oncall',
  figures: ['who_ms', 'year_ms'],
  run: async say => {
    say(`on-call: ${schedules} schedules, ${questions} questions; a year of ${people} people`)
    const random = seededRandom('on-call bench')
    const zones = runtimeZones()
    const all = Array.from({ length: schedules }, (_, n) => clinicSchedule(n, crew(n % 100), start, random))
    const asked: number[] = []
    const written: number[] = []
    // The first questions find no table of their zone and year yet, and count.
    for (let i = 0; i < questions; i++) {
      const schedule = random.pick(all)
      const at = start + hours(random.int(365 * 24))
      asked.push(took(() => whoIsOn(schedule, at, zones)))
      written.push(took(() => write(at, schedule.zone)))
    }
    const clinic = all.slice(0, people / 5)
    const years: number[] = []
    const bare: number[] = []
    let segments = 0
    for (let r = 0; r < rounds; r++) {
      const fresh = runtimeZones()
      const begun = performance.now()
      const year = clinic.map(s => shifts(s, start, start + days(365), fresh))
      segments = year.reduce((sum, s) => sum + shiftsOf(s).length, 0)
      years.push(performance.now() - begun)
      bare.push(took(() => clinic.map((s, n) => year[n]?.map(x => write(x.from, s.zone)))))
    }
    return [
      figure({
        name: 'oncall.who_ms',
        value: quantile(asked, 0.99),
        unit: 'ms',
        baseline: quantile(written, 0.99),
        goal: { atMost: 1 },
        note: `p99 of ${questions} questions to ${schedules} schedules, slowest ${Math.max(...asked).toFixed(1)} ms; baseline: writing that time once with Intl`,
      }),
      figure({
        name: 'oncall.year_ms',
        value: median(years),
        unit: 'ms',
        baseline: median(bare),
        goal: { atMost: 1000 },
        note: `${people} people in ${clinic.length} roles, ${segments} shifts, without tables of the zones; baseline: writing each segment's beginning once with Intl`,
      }),
    ]
  },
}
