import { expect } from 'chai'
import fc from 'fast-check'
import { days } from '../../../core/domain/clock.ts'
import {
  type PrintedDuties,
  type PrintedPerson,
  type PrintedRole,
  printedPage,
} from '../../../core/domain/oncall/print/page.ts'
import type { Schedule } from '../../../core/domain/oncall/schedule/schedule.ts'
import { shifts } from '../../../core/domain/oncall/schedule/shifts.ts'
import { at, layer, schedule, turns, zone, zones } from '../../support/oncall/schedules.ts'

const number = (last: number) => ({ e164: `+1202555010${last}`, shown: `+1 202 555 010${last}` })
const people = new Map<string, PrintedPerson>([
  ['ann', { name: 'Ann Lee', phone: number(1) }],
  ['bob', { name: 'Bob Ray', phone: number(2) }],
  ['switchboard', { name: 'Switchboard', phone: number(9) }],
])

const role = (s: Schedule, from: string, more: Partial<PrintedRole> = {}): PrintedRole => ({
  key: s.id,
  name: 'Cardiology',
  zone: s.zone,
  fallback: s.fallback,
  waits: { routine: 1_800_000, urgent: 300_000, stat: 120_000 },
  segments: shifts(s, at(from), at(from) + days(7), zones),
  ...more,
})
const page = (from: string, roles: readonly PrintedRole[], more: Partial<PrintedDuties> = {}) =>
  printedPage({
    clinic: 'Riverside Clinic',
    switchboard: number(9),
    madeAt: at(from),
    to: at(from) + days(7),
    zone,
    roles,
    people,
    zones,
    ...more,
  })
/** The rows of the role's week as words. */
const weekOf = (html: string) =>
  [...(html.split('Who is on</th>')[1] ?? '').matchAll(/<tr.*<\/tr>/g)].map(m =>
    m[0]
      .replaceAll(/<[^>]+>/g, ' ')
      .replaceAll(/\s+/g, ' ')
      .trim(),
  )

/** Issue 5, point 10. */
describe('the printed page of who is on call', () => {
  it('has who is on, with numbers, in the time of the role, and who is on now', () => {
    const daily = schedule({ layers: [layer('d', turns('day', '2026-06-01 08:00', ['ann', 'bob'], [3]))] })
    const html = page('2026-06-03 12:00', [role(daily, '2026-06-03 12:00')])
    expect(weekOf(html)).to.deep.equal([
      'Wed 2026-06-03 12:00 to Thu 2026-06-04 08:00 Ann Lee +1 202 555 0101',
      'Thu 2026-06-04 08:00 to Sun 2026-06-07 08:00 Bob Ray +1 202 555 0102',
      'Sun 2026-06-07 08:00 to Wed 2026-06-10 08:00 Ann Lee +1 202 555 0101',
      'Wed 2026-06-10 08:00 to the end of this page Bob Ray +1 202 555 0102',
    ])
    expect(html).to.include('Made <strong>Wed 2026-06-03 12:00 (America/New_York, UTC−4)</strong>')
    expect(html).to.include('until Thu 2026-06-04 08:00').and.include('href="tel:+12025550101"')
    expect(html).to.include('stat 2 minutes, urgent 5 minutes, routine 30 minutes')
    const own = page('2026-06-03 12:00', [
      role(schedule(), '2026-06-03 12:00', { waits: { routine: 600_000, urgent: 60_000, stat: 30_000 } }),
    ])
    expect(own).to.include('call again after stat 30 seconds, urgent 1 minute, routine 10 minutes')
    expect(html).not.to.match(/<script|https?:/)
  })

  it('shows the fallback where nobody is on, and says when somebody gave no number', () => {
    const office = schedule({
      layers: [
        layer('office', turns('week', '2026-06-01 08:00', ['ann']), {
          restrictions: [{ days: [0, 1, 2, 3, 4], from: 8 * 60, to: 18 * 60 }],
        }),
      ],
    })
    const html = page('2026-06-04 12:00', [role(office, '2026-06-04 12:00')])
    const gap = 'Nobody is on. Call the fallback: Switchboard +1 202 555 0109'
    const [today, tonight, , weekend] = weekOf(html)
    expect(today).to.equal('Thu 2026-06-04 12:00 to Thu 2026-06-04 18:00 Ann Lee +1 202 555 0101')
    expect(tonight).to.equal(`Thu 2026-06-04 18:00 to Fri 2026-06-05 08:00 ${gap}`)
    expect(weekend).to.equal(`Fri 2026-06-05 18:00 to Mon 2026-06-08 08:00 ${gap}`)
    const without = page('2026-06-04 12:00', [role(office, '2026-06-04 12:00')], {
      people: new Map([...people, ['ann', { name: 'Ann Lee', phone: null }]]),
    })
    expect(weekOf(without)[0]).to.match(/Ann Lee no number: ask the switchboard$/)
  })

  it('says how far each time is from UTC in a week in which the clocks change, in that role alone', () => {
    const nights = schedule({ layers: [layer('n', turns('hour', '2026-10-30 01:30', ['ann', 'bob'], [24]))] })
    const from = '2026-10-30 12:00'
    const utc = role({ ...nights, zone: 'UTC' }, from, { key: 'x', name: 'Elsewhere' })
    const [changing = '', steady = ''] = page(from, [role(nights, from), utc]).split('<h2>Elsewhere')
    expect(changing).to.include('The clocks change in this week')
    expect(weekOf(changing).slice(1, 4)).to.deep.equal([
      'Sat 2026-10-31 01:30 (UTC−4) to Sun 2026-11-01 01:30 (UTC−4) Bob Ray +1 202 555 0102',
      'Sun 2026-11-01 01:30 (UTC−4) to Mon 2026-11-02 01:30 (UTC−5) Ann Lee +1 202 555 0101',
      'Mon 2026-11-02 01:30 (UTC−5) to Tue 2026-11-03 01:30 (UTC−5) Bob Ray +1 202 555 0102',
    ])
    expect(steady).not.to.include('UTC−').and.not.to.include('clocks change')
  })

  it('lets no name, role or number become markup', () => {
    const s = schedule({ layers: [] })
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 40 }), text => {
        const evil = `"'><script>${text}</script>`
        const html = page('2026-06-04 12:00', [role(s, '2026-06-04 12:00', { name: evil, key: evil, zone })], {
          clinic: evil,
          switchboard: { e164: evil, shown: evil },
          people: new Map([['switchboard', { name: evil, phone: { e164: evil, shown: evil } }]]),
        })
        const stranger = page('2026-06-04 12:00', [role({ ...s, fallback: evil }, '2026-06-04 12:00')])
        return [html, stranger].every(h => !h.includes('<script') && !h.includes(`"'>`))
      }),
      { numRuns: 50 },
    )
  })
})
