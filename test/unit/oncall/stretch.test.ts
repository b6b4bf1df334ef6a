import { expect } from 'chai'
import { stretchOf } from '../../../audit/admin/views/oncall/stretch.ts'
import { days, hours } from '../../../core/domain/clock.ts'
import { runtimeZones } from '../../../core/time-zones.ts'
import { seededRandom } from '../../support/random.ts'

const zones = runtimeZones()
const long = process.env.WARDROOM_LONG === '1'

describe('a week or month of a schedule as it is shown', () => {
  it('is made of whole days of the zone, one after the other, and holds the instant that was asked for', () => {
    const random = seededRandom('stretch')
    const all = Intl.supportedValuesOf('timeZone')
    for (let i = 0; i < (long ? 20_000 : 500); i++) {
      const zone = random.pick(all)
      const now = Date.UTC(2000, 0, 1) + hours(random.int(38 * 8766))
      for (const span of ['week', 'month'] as const) {
        const s = stretchOf(span, undefined, { now, zone, zones })
        const what = `${zone} ${new Date(now).toISOString()} ${span}`
        if (!s) throw new Error(what)
        expect(s.from <= now && now < s.to, what).to.equal(true)
        expect([s.days[0]?.from, s.days.at(-1)?.to], what).to.deep.equal([s.from, s.to])
        for (const [d, day] of s.days.slice(1).entries()) expect(day.from, what).to.equal(s.days[d]?.to)
        expect(
          s.days.map(d => d.day),
          what,
        ).to.include(s.today)
        if (span === 'week') expect(new Date(`${s.days[0]?.day}T00:00Z`).getUTCDay(), what).to.equal(1)
        else expect(new Set(s.days.map(d => d.day.slice(0, 7))).size, what).to.equal(1)
      }
    }
  })

  it('says how long a day is in which the clocks change, and leaves out one that a zone never had', () => {
    const of = (zone: string, day: string) =>
      stretchOf('week', day, { now: Date.parse(`${day}T12:00Z`), zone, zones })?.days.map(
        d => (d.to - d.from) / hours(1),
      )
    expect(of('America/New_York', '2026-03-08')).to.deep.equal([24, 24, 24, 24, 24, 24, 23])
    expect(of('America/New_York', '2026-11-01')).to.deep.equal([24, 24, 24, 24, 24, 24, 25])
    expect(of('Australia/Lord_Howe', '2026-04-05')?.at(-1)).to.equal(24.5)
    // Samoa went over the date line: there was no Friday 30 December 2011.
    expect(of('Pacific/Apia', '2011-12-28')).to.have.lengthOf(6)
  })

  it('reaches as far back as the past is known, and a little over a year ahead', () => {
    const now = Date.UTC(2026, 10, 22)
    const at = (ms: number) => new Date(now + ms).toISOString().slice(0, 10)
    const week = (day: string) => stretchOf('week', day, { now, zone: 'UTC', zones })
    expect(week(at(-days(100)))).to.include({ earlier: false, later: true })
    expect(week(at(-days(108)))).to.equal(undefined)
    expect(week(at(days(400)))).to.include({ earlier: true, later: false })
    expect(week(at(days(408)))).to.equal(undefined)
    for (const day of ['2026-02-30', '2026-13-01', 'tomorrow', '0000-00-00', ''])
      expect(week(day), day).to.equal(undefined)
  })
})
