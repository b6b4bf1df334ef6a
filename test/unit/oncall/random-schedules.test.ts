import { expect } from 'chai'
import fc from 'fast-check'
import type { Instant } from '../../../core/domain/clock.ts'
import { differences } from '../../../core/domain/oncall/schedule/differences.ts'
import type { Layer, OnDuty, Schedule, Segment } from '../../../core/domain/oncall/schedule/schedule.ts'
import { gaps, shifts, shiftsOf } from '../../../core/domain/oncall/schedule/shifts.ts'
import { whoIsOn } from '../../../core/domain/oncall/schedule/who-is-on.ts'
import { runtimeZones } from '../../../core/time-zones.ts'
import { type RandomSchedule, randomSchedules } from '../../support/oncall/random-schedules.ts'
import { seed } from '../../support/random.ts'

const long = process.env.WARDROOM_LONG === '1'
const zones = runtimeZones()
const covers = (at: Instant) => (s: { from: Instant; to: Instant }) => s.from <= at && at < s.to

/** The turns of a layer one after the other from its first, by plain calendar arithmetic. */
const handoffs = (layer: Layer, zone: string, until: Instant): { at: Instant; person: string }[] => {
  const r = layer.rotation
  if (r.kind === 'list') return []
  const start = new Date(r.start * 60_000)
  const found: { at: Instant; person: string }[] = []
  for (let k = 0, units = 0; ; units += r.lengths[k % r.lengths.length] ?? 0, k++) {
    const d = new Date(start)
    if (r.unit === 'hour') d.setUTCHours(d.getUTCHours() + units)
    else if (r.unit === 'month') {
      d.setUTCDate(1)
      d.setUTCMonth(d.getUTCMonth() + units)
      const last = new Date(Date.UTC(d.getUTCFullYear(), d.getUTCMonth() + 1, 0)).getUTCDate()
      d.setUTCDate(Math.min(start.getUTCDate(), last))
    } else d.setUTCDate(d.getUTCDate() + units * (r.unit === 'week' ? 7 : 1))
    const at = zones.instant(d.getTime() / 60_000, zone)
    if (at > until) return found
    found.push({ at, person: r.people[k % r.people.length] ?? '' })
  }
}

const restricted = (layer: Layer, zone: string, at: Instant): boolean => {
  if (layer.restrictions.length === 0) return true
  const today = Math.floor(zones.wall(at, zone) / 1440)
  for (let day = today - 3; day <= today + 2; day++) {
    const name = (new Date(day * 86_400_000).getUTCDay() + 6) % 7
    for (const r of layer.restrictions.filter(x => x.days.includes(name))) {
      const end = day + (r.to < r.from ? 1 : 0)
      const span = { from: zones.instant(day * 1440 + r.from, zone), to: zones.instant(end * 1440 + r.to, zone) }
      if (covers(at)(span)) return true
    }
  }
  return false
}

/** Whom the layers alone put on. */
const byHand = (schedule: Schedule, until: Instant) => {
  const turns = new Map<Layer, ReturnType<typeof handoffs>>()
  const turnsOf = (layer: Layer) => {
    const made = turns.get(layer) ?? handoffs(layer, schedule.zone, until)
    turns.set(layer, made)
    return made
  }
  return (at: Instant): string | undefined => {
    const layers = schedule.temporary.findLast(covers(at))?.layers ?? schedule.layers
    for (const layer of layers.toReversed()) {
      if (at < (layer.from ?? at) || (layer.to !== undefined && at >= layer.to)) continue
      if (!restricted(layer, schedule.zone, at)) continue
      if (layer.rotation.kind === 'turns') {
        const turn = turnsOf(layer).findLast(t => t.at <= at)
        if (turn) return turn.person
        continue
      }
      const on = layer.rotation.shifts.filter(covers(at))
      const last = Math.max(...on.map(s => s.from))
      if (on.length > 0) return on.findLast(s => s.from === last)?.person
    }
    return undefined
  }
}

const onDuty = (s: OnDuty) => [s.person, ...s.also.map(a => a.person)]

const covered = ({ from, to }: RandomSchedule, segments: readonly Segment[]) => {
  let cursor = from
  for (const s of segments) {
    expect(s.from, 'begins where the one before ended').to.equal(cursor)
    expect(s.to).to.be.greaterThan(s.from)
    cursor = s.to
  }
  expect(cursor).to.equal(to)
}

const lastWins = (schedule: Schedule, s: Segment) => {
  const last = schedule.overrides.findLast(covers(s.from))
  if (!last) return
  const on = onDuty(s)
  if (last.kind === 'add') expect(on).to.include(last.person)
  else if (last.kind === 'remove') expect(on).not.to.include(last.person)
  else if (last.replaces !== undefined) expect(on).not.to.include(last.replaces)
  else expect({ on, why: s.why }).to.deep.equal({ on: [last.person], why: { by: 'override', override: last.id } })
}

/** The preview of all overrides at once says who is on before and after, and is silent where that is the same. */
const sameAsPreviewed = ({ schedule, from, to }: RandomSchedule) => {
  const before = { ...schedule, overrides: [] }
  const preview = differences(before, schedule, from, to, zones)
  const instants = schedule.overrides
    .flatMap(o => [o.from - 1, o.from, o.to - 1, o.to])
    .filter(at => covers(at)({ from, to }))
  for (const at of instants) {
    const [was, becomes] = [before, schedule].map(s => onDuty(whoIsOn(s, at, zones)))
    const said = preview.find(covers(at))
    expect(said ? [onDuty(said.was), onDuty(said.becomes)] : [was, was]).to.deep.equal([was, becomes])
  }
}

describe('any schedule', function () {
  this.timeout(long ? 1_800_000 : 20_000)

  it('has somebody on at every instant: the override made last, the layer, or the fallback', () => {
    const seen = { segments: 0, gaps: 0, overridden: 0 }
    const holds = (random: RandomSchedule) => {
      const { schedule, from, to } = random
      const segments = shifts(schedule, from, to, zones)
      covered(random, segments)
      const planned = byHand(schedule, to)
      for (const [i, s] of segments.entries()) {
        seen.segments++
        const { from: begins, to: ends, ...duty } = s
        for (const at of [begins, ends - 1, Math.floor((begins + ends) / 2)]) {
          expect(whoIsOn(schedule, at, zones)).to.deep.equal(duty)
        }
        const before = segments[i - 1]
        if (before) expect({ ...before, from: begins, to: ends }, 'neighbours differ').not.to.deep.equal(s)
        lastWins(schedule, s)
        for (const at of [begins, ends - 1]) {
          if (schedule.overrides.some(covers(at)) || schedule.absences.some(covers(at))) seen.overridden++
          else {
            const person = planned(at)
            expect({ person: s.person, gap: s.why.by === 'fallback' }).to.deep.equal({
              person: person ?? schedule.fallback,
              gap: person === undefined,
            })
          }
        }
        for (const absence of schedule.absences.filter(a => covers(begins)(a) && a.person === s.person)) {
          expect(s.why.by, `${absence.person} is away`).to.equal('override')
        }
      }
      const uncovered = gaps(schedule, from, to, zones)
      seen.gaps += uncovered.length
      expect(uncovered.map(g => g.from)).to.deep.equal(segments.filter(s => s.why.by === 'fallback').map(s => s.from))
      sameAsPreviewed(random)
      const time = shiftsOf(segments).reduce((sum, s) => sum + s.to - s.from, 0)
      expect(time).to.equal(segments.reduce((sum, s) => sum + (s.to - s.from) * onDuty(s).length, 0))
    }
    fc.assert(fc.property(randomSchedules, holds), { seed, numRuns: long ? 50_000 : 300 })
    console.log(`      ${seen.segments} segments, ${seen.overridden} under an override or absence, ${seen.gaps} gaps`)
    for (const n of Object.values(seen)) expect(n).to.be.greaterThan(100)
  })
})
