import { expect } from 'chai'
import fc from 'fast-check'
import { days, minutes } from '../../../core/domain/clock.ts'
import { parseEvery, parseOnly } from '../../../core/domain/oncall/words/layer-words.ts'
import { parseTime, showTime } from '../../../core/domain/oncall/words/time-words.ts'
import { isRefusal } from '../../../core/domain/refusal.ts'
import { at, zone, zones } from '../../support/oncall/schedules.ts'
import { seed } from '../../support/random.ts'

/** Wednesday 25 November 2026, 10:00 in New York. */
const now = at('2026-11-25 10:00')
const read = (text: string, from = now) => {
  const found = parseTime(text, { now: from, zone, zones })
  return isRefusal(found) ? found.code : showTime(found, zone, zones)
}

/** Row 35. */
describe('times as people write them', () => {
  it('are read in the zone of the role', () => {
    const meant: Record<string, string> = {
      now: 'Wed 2026-11-25 10:00',
      'friday 18:00': 'Fri 2026-11-27 18:00',
      'Friday at 6pm': 'Fri 2026-11-27 18:00',
      'fri 6:30 pm': 'Fri 2026-11-27 18:30',
      'wednesday 9:00': 'Wed 2026-12-02 09:00',
      'wednesday 11:00': 'Wed 2026-11-25 11:00',
      wednesday: 'Wed 2026-11-25 00:00',
      thursday: 'Thu 2026-11-26 00:00',
      '09:00': 'Thu 2026-11-26 09:00',
      '18:00': 'Wed 2026-11-25 18:00',
      noon: 'Wed 2026-11-25 12:00',
      midnight: 'Thu 2026-11-26 00:00',
      'today 24:00': 'Thu 2026-11-26 00:00',
      'tomorrow 7am': 'Thu 2026-11-26 07:00',
      tomorrow: 'Thu 2026-11-26 00:00',
      'in 2h': 'Wed 2026-11-25 12:00',
      'in 90 minutes': 'Wed 2026-11-25 11:30',
      'in 3 days': 'Sat 2026-11-28 10:00',
      '2026-12-01 08:00': 'Tue 2026-12-01 08:00',
      '2026-12-01T08:00': 'Tue 2026-12-01 08:00',
      '2026-12-01T13:00Z': 'Tue 2026-12-01 08:00',
      '2026-12-01T14:00:00+01:00': 'Tue 2026-12-01 08:00',
      '2026-12-01': 'Tue 2026-12-01 00:00',
      '27 nov 18:00': 'Fri 2026-11-27 18:00',
      'november 27th, 6pm': 'Fri 2026-11-27 18:00',
      '3 mar 08:00': 'Wed 2027-03-03 08:00',
      '27 nov 2026': 'Fri 2026-11-27 00:00',
      'viernes 18:00': 'Fri 2026-11-27 18:00',
      'mañana a las 7:00': 'Thu 2026-11-26 07:00',
      'el sábado': 'Sat 2026-11-28 00:00',
    }
    expect(Object.fromEntries(Object.keys(meant).map(text => [text, read(text)]))).to.deep.equal(meant)
  })

  it('that could be two times, or none, are refused', () => {
    for (const text of ['next friday', '11/12', '11/12 18:00', '12.11.2026'])
      expect(read(text), text).to.equal('ambiguous-time')
    for (const text of ['', '18', 'soon', '25:00', '13pm', '2026-02-30', 'friday 18:61', '31 feb', 'friday friday'])
      expect(read(text), text).to.equal('bad-time')
  })

  it('that a change of clocks skips or repeats are the first instant after, or the first of the two', () => {
    const spring = at('2027-03-13 10:00')
    expect(read('sunday 02:30', spring)).to.equal('Sun 2027-03-14 03:00')
    const autumn = at('2026-10-31 10:00')
    const [once, later] = ['tomorrow 01:30', 'tomorrow 02:30'].map(
      text => parseTime(text, { now: autumn, zone, zones }) as number,
    )
    expect((later ?? 0) - (once ?? 0)).to.equal(minutes(120))
  })

  it('are never before now without a date, and read back as they are shown', () => {
    const clock = fc.tuple(fc.integer({ min: 0, max: 23 }), fc.integer({ min: 0, max: 59 }))
    const day = fc.constantFrom('', 'mon ', 'tuesday ', 'sun ')
    fc.assert(
      fc.property(clock, day, fc.integer({ min: 0, max: 400 }), ([h, m], prefix, later) => {
        const from = now + days(later)
        const found = parseTime(`${prefix}${h}:${String(m).padStart(2, '0')}`, { now: from, zone, zones }) as number
        expect(found).to.be.at.least(from)
        expect(found - from).to.be.at.most(days(8))
        const shown = showTime(found, zone, zones).slice(4)
        const again = parseTime(shown, { now: from, zone, zones }) as number
        expect(showTime(again, zone, zones).slice(4)).to.equal(shown)
      }),
      { seed, numRuns: 300 },
    )
  })
})

describe('rotations as people write them', () => {
  it('have turns of hours, days, weeks or months, and times at which they count', () => {
    expect(['week', '2 weeks', '12h', 'month', '2,2,3 days'].map(parseEvery)).to.deep.equal([
      { unit: 'week', lengths: [1] },
      { unit: 'week', lengths: [2] },
      { unit: 'hour', lengths: [12] },
      { unit: 'month', lengths: [1] },
      { unit: 'day', lengths: [2, 2, 3] },
    ])
    for (const bad of ['', '0 days', 'fortnight', '2,x days']) expect(isRefusal(parseEvery(bad)), bad).to.equal(true)
    expect(parseOnly('mon-fri 19:00-07:00; sat,sun; daily 7am-7pm')).to.deep.equal([
      { days: [0, 1, 2, 3, 4], from: 1140, to: 420 },
      { days: [5, 6], from: 0, to: 1440 },
      { days: [0, 1, 2, 3, 4, 5, 6], from: 420, to: 1140 },
    ])
    for (const bad of ['', 'xyz', 'mon 7', 'mon-', 'mon 25:00-26:00'])
      expect(isRefusal(parseOnly(bad)), bad).to.equal(true)
  })
})
