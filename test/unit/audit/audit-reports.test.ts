import { expect } from 'chai'
import fc from 'fast-check'
import { type DigestFacts, digestDue, digestOf } from '../../../core/domain/audit/digest.ts'
import {
  addDays,
  daysOfMonth,
  daysPeriod,
  isDay,
  isMonth,
  monthPeriod,
  startOfDay,
  wallClock,
} from '../../../core/domain/audit/period.ts'
import { linksFrom, patientsLimit, withOutliers } from '../../../core/domain/audit/reports.ts'
import { days, hours, minutes } from '../../../core/domain/clock.ts'
import { defaultSettings } from '../../../core/domain/settings/settings.ts'
import { seed } from '../../support/random.ts'

const runs = { seed, numRuns: process.env.WARDROOM_LONG === '1' ? 5000 : 150 }
const zones = [
  'America/New_York',
  'Europe/Berlin',
  'America/Santiago',
  'Pacific/Kiritimati',
  'Australia/Lord_Howe',
  'UTC',
]
const aDay = fc
  .integer({ min: Date.UTC(2001, 0, 1), max: Date.UTC(2060, 0, 1) })
  .map(at => new Date(at).toISOString().slice(0, 10))

describe('days and months of the clinic', () => {
  it('begin at the first instant that has the day, also where clocks change at midnight', () => {
    fc.assert(
      fc.property(aDay, fc.constantFrom(...zones), (day, zone) => {
        const start = startOfDay(day, zone)
        expect(wallClock(start, zone).day).to.equal(day)
        expect(wallClock(start - 1, zone).day < day).to.equal(true)
      }),
      runs,
    )
    expect(wallClock(startOfDay('2026-09-06', 'America/Santiago'), 'America/Santiago').time).to.equal('01:00:00')
  })

  it('follow each other without a gap, and are as long as the clock made them', () => {
    const zone = 'America/New_York'
    const length = (day: string) => {
      const { from, until } = daysPeriod(day, day, zone)
      expect(startOfDay(addDays(day, 1), zone)).to.equal(until)
      return (until - from) / hours(1)
    }
    expect(['2026-03-08', '2026-06-01', '2026-11-01'].map(length)).to.deep.equal([23, 24, 25])
    expect(monthPeriod('2026-10', zone).until).to.equal(monthPeriod('2026-11', zone).from)
    expect(daysOfMonth('2028-02')).to.have.lengthOf(29)
  })

  it('are only those that the calendar has', () => {
    expect(['2026-02-29', '2026-13-01', '2026-1-1', 'x'].some(isDay)).to.equal(false)
    expect(['2026-00', '2026-13', '202611', ''].some(isMonth)).to.equal(false)
    expect(isMonth('2026-12') && isDay('2028-02-29')).to.equal(true)
  })
})

describe('the access report', () => {
  const person = (user: string, patients: number, more = {}) => ({
    ...{ user, patients, views: patients, messages: 0, changes: 0, refused: 0, outOfHours: 0 },
    ...more,
  })
  const ward = [8, 9, 10, 11, 12, 10].map((n, i) => person(`@nurse${i}`, n))

  it('marks who looked at many more patients than the others, and nobody in an even ward', () => {
    expect(withOutliers(ward).flatMap(u => u.why)).to.deep.equal([])
    const marked = withOutliers([...ward, person('@snoop', 60)])
    expect(marked[0]).to.deep.include({ user: '@snoop', why: ['60 patients; the median is 10'] })
    expect(marked.slice(1).flatMap(u => u.why)).to.deep.equal([])
  })

  it('says nothing of many patients where there are too few people to compare, or too few patients', () => {
    expect(withOutliers([person('@a', 1), person('@b', 90)]).flatMap(u => u.why)).to.deep.equal([])
    expect(patientsLimit([1, 1, 1, 1, 1, 9])).to.equal(10)
  })

  it('marks who works mostly out of hours or is refused again and again', () => {
    const [late, refused] = withOutliers([
      ...ward,
      person('@night', 9, { views: 40, outOfHours: 30 }),
      person('@tries', 9, { refused: 12 }),
    ])
    expect([late?.why, refused?.why]).to.deep.equal([['75 % out of hours'], ['12 refused or failed']])
  })
})

describe('the links report', () => {
  it('adds up what happened to links and texts, by day', () => {
    const count = (day: number, action: string, outcome: string, n: number, status: string | null = null) => ({
      ...{ day, action, outcome, n, status },
    })
    const r = linksFrom(
      ['2026-11-01', '2026-11-02'],
      [
        count(0, 'link.create', 'done', 5),
        count(1, 'link.create', 'done', 2),
        count(1, 'link.verify', 'refused', 3),
        count(1, 'text.status', 'done', 4, 'delivered'),
        count(1, 'text.status', 'done', 1, 'sent'),
        count(1, 'text.status', 'failed', 1, 'failed'),
      ],
    )
    expect(r.funnel[0]).to.deep.equal({ step: 'links made', n: 7 })
    expect(r.texts.find(t => t.state === 'delivered')?.n).to.equal(4)
    expect(r.texts.find(t => t.state === 'failed')?.n).to.equal(1)
    expect(r.days[1]).to.deep.equal({ day: '2026-11-02', created: 2, tapped: 0, verified: 0, refused: 3 })
  })
})

describe('the weekly digest', () => {
  const zone = 'America/New_York'
  const settings = { ...defaultSettings(), 'audit.digest_day': 'mon' as const, 'audit.digest_hour': 7 }
  const at = (iso: string) => Date.parse(iso)

  it('is due once a week at its hour, about the seven days before, also when clocks change', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: at('2020-01-01T00:00:00Z'), max: at('2040-01-01T00:00:00Z') }),
        fc.constantFrom('mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'),
        fc.integer({ min: 0, max: 23 }),
        (now, day, hour) => {
          const s = { ...settings, 'audit.digest_day': day as 'mon', 'audit.digest_hour': hour }
          const { due, key, period } = digestDue(now, s)
          expect(due <= now && now - due < days(7) + hours(2)).to.equal(true)
          expect(period.until <= due && due - period.until < days(1) + hours(1)).to.equal(true)
          expect(Math.round((period.until - period.from) / days(1))).to.equal(7)
          expect(digestDue(due, s).key).to.equal(key)
          expect(digestDue(due - 1, s).key).not.to.equal(key)
          expect(new Date(`${key.slice(7)}T12:00:00Z`).toUTCString().slice(0, 3).toLowerCase()).to.equal(day)
        },
      ),
      runs,
    )
    expect(digestDue(at('2026-11-02T12:00:00Z'), settings).key).to.equal('digest:2026-11-02')
    expect(digestDue(at('2026-11-02T11:59:59Z'), settings).key).to.equal('digest:2026-10-26')
  })

  const now = at('2026-11-16T12:00:00Z')
  const calm: DigestFacts = {
    period: daysPeriod('2026-11-09', '2026-11-15', zone),
    timeZone: zone,
    now,
    counts: [
      { action: 'patient.view', outcome: 'done', n: 150 },
      { action: 'command.run', outcome: 'refused', n: 4 },
      { action: 'of.tomorrow', outcome: 'done', n: 1 },
    ],
    before: [{ action: 'patient.view', outcome: 'done', n: 100 }],
    users: [{ user: '@ann:clinic.example', times: 120, refused: 3 }],
    access: [],
    alerts: [],
    sinks: [{ name: 'siem', type: 'syslog', state: 'ok', lagEntries: 0, dead: 0 }],
    log: { size: 5000, checkpointAt: now - minutes(1), waiting: 0, oldestWaiting: null },
    pins: [{ place: 'folder', size: 5000, at: now - minutes(5), failing: false }],
  }

  it('of a calm week asks for nothing, and shows counts by class beside the week before', () => {
    const d = digestOf(calm)
    expect(d.attention).to.deep.equal([])
    expect(d.title).to.equal('Audit digest, 2026-11-09 to 2026-11-15: 155 entries')
    expect(d.tables[0]?.rows.find(r => r[0] === 'access')).to.deep.equal(['access', '150', '100', '+50 %', '0', '0'])
    expect(d.tables[1]?.rows).to.deep.equal([['Command', 'refused', '4', '0']])
  })

  it('puts first what a person must look at', () => {
    const said = (change: Partial<DigestFacts>) => digestOf({ ...calm, ...change }).attention.join('\n')
    const { log, sinks, pins } = calm
    const one = <T>(list: readonly T[], change: Partial<T>) => [{ ...(list[0] as T), ...change }]
    expect(said({ log: { ...log, waiting: 9, oldestWaiting: now - hours(1) } })).to.match(/^9 events wait/)
    expect(said({ log: { ...log, size: 0 } })).to.match(/log is empty/)
    expect(said({ sinks: one(sinks, { state: 'failing', lagEntries: 7 }) })).to.match(/siem is failing; 7 entries/)
    expect(said({ sinks: one(sinks, { dead: 2 }) })).to.match(/2 entries set aside/)
    expect(said({ pins: [] })).to.match(/No checkpoint is kept outside/)
    expect(said({ pins: one(pins, { failing: true }) })).to.match(/do not reach folder/)
    expect(said({ pins: one(pins, { size: 10, at: now - days(3) }) })).to.match(/do not reach folder/)
    const alert = { rule: 'stale-checkpoint', severity: 'critical', times: 1, last: 7 }
    expect(said({ alerts: [{ ...alert, open: true }] })).to.match(/open: stale-checkpoint/)
    expect(said({ alerts: [{ ...alert, open: false }] })).to.equal('')
    expect(said({ counts: [{ action: 'link.verify', outcome: 'refused', n: 30 }] })).to.match(
      /30 refusals and failures, after 0/,
    )
  })
})
