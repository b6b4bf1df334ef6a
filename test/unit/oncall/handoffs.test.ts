import { expect } from 'chai'
import { days, hours } from '../../../core/domain/clock.ts'
import type { RotationUnit } from '../../../core/domain/oncall/schedule/rotation.ts'
import type { Schedule } from '../../../core/domain/oncall/schedule/schedule.ts'
import { shifts } from '../../../core/domain/oncall/schedule/shifts.ts'
import { whoIsOn } from '../../../core/domain/oncall/schedule/who-is-on.ts'
import { parseWall, showWall } from '../../../core/domain/oncall/zones.ts'
import { runtimeZones } from '../../../core/time-zones.ts'
import { readings, type ZoneShape, zoneShapes } from '../../support/oncall/zone-shapes.ts'
import { seededRandom } from '../../support/random.ts'

const long = process.env.WARDROOM_LONG === '1'
const zones = runtimeZones()
const people = ['ann', 'bob', 'cyd', 'dan', 'eve']

const rotating = (zone: string, start: number, unit: RotationUnit, n = 1): Schedule => ({
  id: 's',
  zone,
  layers: [{ id: 'all', restrictions: [], rotation: { kind: 'turns', unit, lengths: [n], start, people } }],
  fallback: 'nobody',
  overrides: [],
  temporary: [],
  absences: [],
})

/** The days around a change of clocks: the runtime's readings minute by minute, the latest so far, and the first minute that reads a time or later. */
const observed = (shape: ZoneShape) => {
  const from = Math.floor(shape.at / 60_000) * 60_000 - days(2) - hours(2)
  const count = (3 * 24 + 2 + 3 * 24) * 60
  const reads = readings(shape.zone, from, count)
  let latest = Number.NEGATIVE_INFINITY
  const reached = reads.map(r => {
    latest = Math.max(latest, r)
    return latest
  })
  const first = (wall: number) => {
    let [below, above] = [-1, reached.length]
    while (above - below > 1) {
      const middle = (below + above) >> 1
      if ((reached[middle] ?? 0) < wall) below = middle
      else above = middle
    }
    return from + above * 60_000
  }
  const day = Math.floor((shape.at / 60_000 + shape.before) / 1440)
  return { from, to: from + count * 60_000, reads, reached, first, day }
}

const kept = new Map<ZoneShape, ReturnType<typeof observed>>()
const around = (shape: ZoneShape): ReturnType<typeof observed> => {
  const found = kept.get(shape) ?? observed(shape)
  kept.set(shape, found)
  return found
}

const chosenMinutes = (shape: ZoneShape): number[] => {
  if (long) return Array.from({ length: 1440 }, (_, i) => i)
  const local = shape.at / 60_000 + shape.before
  const edges = [local, local + shape.after - shape.before].flatMap(m => [m - 1, m, m + 1])
  const random = seededRandom(`minutes of ${shape.name}`)
  const minutes = [...edges, 0, 1439, local + (shape.after - shape.before) / 2, random.int(1440), random.int(1440)]
  return [...new Set(minutes.map(m => ((Math.floor(m) % 1440) + 1440) % 1440))]
}

describe('handoffs across every change of clocks of 2000–2037', function () {
  this.timeout(long ? 600_000 : 20_000)
  const shapes = zoneShapes(long)

  it('knows the shapes: forward and back, by half an hour, two hours and a day', () => {
    const changes = new Set(shapes.map(s => s.after - s.before))
    for (const change of [60, -60, 30, -30, 120, -120, 1440]) expect([...changes]).to.include(change)
  })

  it('reads the wall clock as the runtime does, and stands still while an hour repeats', () => {
    for (const shape of shapes) {
      const { from, reads, reached, first } = around(shape)
      for (const [i, reading] of reads.entries()) {
        const at = from + i * 60_000
        const read = [zones.wall(at, shape.zone), zones.reached(at + 59_999, shape.zone)]
        if (read[0] !== reading || read[1] !== reached[i]) expect(read, shape.name).to.deep.equal([reading, reached[i]])
        if (i >= 1440 && i + 1440 < reads.length && zones.instant(reading, shape.zone) !== first(reading)) {
          expect(zones.instant(reading, shape.zone), `${shape.name} ${showWall(reading)}`).to.equal(first(reading))
        }
      }
    }
  })

  it('leaves no second uncovered, and hands over at the first instant that reads the time or later', () => {
    let uncovered = 0
    let checked = 0
    for (const shape of shapes) {
      const { to, first, day } = around(shape)
      for (const minute of chosenMinutes(shape)) {
        const wall = (n: number) => (day + n) * 1440 + minute
        const schedule = rotating(shape.zone, wall(-4), 'day')
        const [begin, end] = [first(wall(-1)), first(wall(2))]
        // Turn 3 begins the day before the change; of two handoffs at one instant the later counts.
        const turns = [-1, 0, 1].map(n => ({ at: first(wall(n)), person: people[(n + 4) % 5] }))
        const expected = turns.filter((t, i) => t.at !== turns[i + 1]?.at && t.at < end)
        const segments = shifts(schedule, begin, end, zones)
        const found = segments.map(s => ({ at: s.from, person: s.person }))
        if (JSON.stringify(found) !== JSON.stringify(expected))
          expect(found, `${shape.name} ${minute}`).to.deep.equal(expected)
        let cursor = begin
        for (const s of segments) {
          uncovered += Math.abs(s.from - cursor) / 1000
          if (s.why.by === 'fallback') uncovered += (s.to - s.from) / 1000
          cursor = s.to
          const [atStart, atEnd] = [s.from, s.to - 1].map(at => whoIsOn(schedule, at, zones).person)
          if (atStart !== s.person || atEnd !== s.person)
            expect([atStart, atEnd], shape.name).to.deep.equal([s.person, s.person])
        }
        uncovered += Math.abs(end - cursor) / 1000
        checked += 3
        if (to < end) throw new Error('the readings do not reach far enough')
      }
    }
    expect(uncovered, 'uncovered seconds').to.equal(0)
    console.log(`      ${checked} handoffs of ${shapes.length} shapes, ${uncovered} s uncovered`)
  })

  it('hands over every hour on the wall, however long that hour is', () => {
    for (const shape of shapes) {
      const { first, day } = around(shape)
      for (const past of long ? [0, 1, 15, 30, 45, 59] : [0, 30]) {
        const start = (day - 1) * 1440 + past
        const [begin, end] = [first(start), first(start + 3 * 1440)]
        const expected = [...new Set(Array.from({ length: 72 }, (_, h) => first(start + h * 60)))].filter(
          at => at < end,
        )
        const found = shifts(rotating(shape.zone, start, 'hour'), begin, end, zones).map(s => s.from)
        // Somebody's next turn but four may follow their own where five hours never were.
        const same = found.every(at => expected.includes(at)) && expected.length - found.length <= 4
        if (!same) expect(found, shape.name).to.deep.equal(expected)
      }
    }
  })
})

describe('a rotation in its own time zone', () => {
  const wall = (day: string, time: string) => parseWall(day, time) ?? Number.NaN
  const berlin = (day: string, time: string) => zones.instant(wall(day, time), 'Europe/Berlin')
  const on = (s: Schedule, at: number) => whoIsOn(s, at, zones).person

  it('hands over at 03:00 where 02:30 does not exist, and at the first 02:30 where it exists twice', () => {
    expect(new Date(berlin('2026-03-29', '02:30')).toISOString()).to.equal('2026-03-29T01:00:00.000Z')
    expect(new Date(berlin('2026-10-25', '02:30')).toISOString()).to.equal('2026-10-25T00:30:00.000Z')
  })

  it('begins the day after a skipped day where its handoff would have been', () => {
    const apia = zones.instant(wall('2011-12-30', '08:00'), 'Pacific/Apia')
    expect(new Date(apia).toISOString()).to.equal('2011-12-30T10:00:00.000Z')
    const daily = rotating('Pacific/Apia', wall('2011-12-28', '08:00'), 'day')
    expect([apia - 1, apia, apia + hours(8)].map(at => on(daily, at))).to.deep.equal(['bob', 'cyd', 'dan'])
  })

  it('goes on with the 31st after a month that has only 28 days', () => {
    const monthly = rotating('Europe/Berlin', wall('2026-01-31', '08:00'), 'month')
    const before = [
      ['2026-02-28', 'ann', 'bob'],
      ['2026-03-31', 'bob', 'cyd'],
      ['2026-04-30', 'cyd', 'dan'],
    ] as const
    for (const [day, leaves, comes] of before) {
      const at = berlin(day, '08:00')
      expect([on(monthly, at - 1), on(monthly, at)], day).to.deep.equal([leaves, comes])
    }
  })

  it('has nobody before its first handoff', () => {
    const weekly = rotating('Europe/Berlin', wall('2026-06-01', '08:00'), 'week', 2)
    const start = berlin('2026-06-01', '08:00')
    expect(whoIsOn(weekly, start - 1, zones)).to.deep.equal({ person: 'nobody', why: { by: 'fallback' }, also: [] })
    expect([0, days(14) - 1, days(14), days(140)].map(t => on(weekly, start + t))).to.deep.equal([
      'ann',
      'ann',
      'bob',
      'ann',
    ])
  })
})
