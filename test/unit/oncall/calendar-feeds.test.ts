import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import fc from 'fast-check'
import ICAL from 'ical.js'
import { readCalendar } from '../../../core/oncall/calendar/ical/read-calendar.ts'
import { runtimeZones } from '../../../core/time-zones.ts'
import { seed } from '../../support/random.ts'

const zones = runtimeZones()
const feed = (name: string) => readFileSync(join(import.meta.dirname, '../../support/calendars', `${name}.ics`), 'utf8')
const read = (text: string, more: { zone?: string; dayStart?: number; from?: number; until?: number } = {}) =>
  readCalendar(text, {
    zones,
    zone: 'America/New_York',
    from: Date.UTC(2026, 8, 1),
    until: Date.UTC(2027, 8, 1),
    ...more,
  })
const shown = (text: string, more = {}) =>
  read(text, more).shifts.map(
    s => `${new Date(s.from).toISOString().slice(0, 16)} ${new Date(s.to).toISOString().slice(0, 16)} ${s.name}`,
  )
const event = (...lines: string[]) =>
  ['BEGIN:VCALENDAR', 'VERSION:2.0', 'BEGIN:VEVENT', 'UID:one', 'SUMMARY:Ann', ...lines, 'END:VEVENT', 'END:VCALENDAR']
    .join('\r\n')
    .concat('\r\n')

describe('reading calendars as hospitals export them', () => {
  it('Google: a weekly series over the clock change, without what was deleted, cancelled or moved', () => {
    expect(shown(feed('google'))).to.deep.equal([
      '2026-10-12T23:00 2026-10-13T11:00 Ann Smith',
      '2026-10-17T23:00 2026-10-18T11:00 Ann Smith',
      '2026-10-26T23:00 2026-10-27T11:00 Ann Smith',
      '2026-10-31T23:00 2026-11-01T12:00 Ann Smith',
      '2026-11-04T00:00 2026-11-04T12:00 Bob García (for Ann)',
      '2026-11-08T00:00 2026-11-08T12:00 Ann Smith',
      '2026-11-15T00:00 2026-11-15T12:00 Ann Smith',
      '2026-11-17T00:00 2026-11-17T12:00 Ann Smith',
      '2026-11-22T00:00 2026-11-22T12:00 Ann Smith',
      '2026-11-24T00:00 2026-11-24T12:00 Ann Smith',
      '2026-11-26T05:00 2026-11-27T05:00 Thanksgiving: Okafor, Chidi',
    ])
  })

  it('Google: each of a series is named by its original start, also the one that was moved', () => {
    const moved = read(feed('google')).shifts.find(s => s.name.startsWith('Bob'))
    expect(moved).to.include({ uid: '3k9v0c2m7n1q8r5t4s6u7v8w9x@google.com', recurrenceId: '20261103T000000Z' })
  })

  it('Outlook: a zone that only its own VTIMEZONE explains, folded UIDs, a byte order mark, LF', () => {
    expect(shown(feed('outlook'))).to.deep.equal([
      '2026-10-30T23:30 2026-10-31T11:30 Stroke night: Núñez, María',
      '2026-11-01T00:30 2026-11-01T13:30 Stroke night: Lee, Sam',
      '2026-11-02T00:30 2026-11-02T12:30 Stroke night: Núñez, María',
      '2026-11-09T13:00 2026-11-10T00:30 Stroke day: sam.lee@clinic.example',
      '2026-11-23T13:00 2026-11-24T00:30 Stroke day: sam.lee@clinic.example',
    ])
    expect(read(feed('outlook')).shifts[0]?.uid).to.match(/^0400\S{108}$/)
  })

  it('QGenda: separate events in UTC; whole days begin when the clinic says; what has no length is told', () => {
    expect(shown(feed('qgenda'), { dayStart: 7 * 60 })).to.deep.equal([
      '2026-11-01T00:00 2026-11-01T12:00 Smith, Ann - OR Call 1',
      '2026-11-01T12:00 2026-11-02T00:00 Garcia, B - OR Call 1',
      '2026-11-03T12:00 2026-11-05T12:00 Okafor, Chidi - Backup',
    ])
    expect(read(feed('qgenda')).problems.map(p => [p.code, p.effect, p.line])).to.deep.equal([
      ['no-length', 'note', 30],
    ])
  })

  it('Amion: floating times are the schedule’s, hours of a DURATION are exact, a skipped time follows RFC 5545', () => {
    expect(shown(feed('amion'))).to.deep.equal([
      '2027-03-14T00:00 2027-03-14T12:00 Medicine night -- A. Smith',
      '2027-03-14T07:30 2027-03-15T06:30 ICU -- Okafor',
      '2027-03-14T11:00 2027-03-14T23:00 Medicine day -- B. García-López',
      '2027-03-20T04:00 2027-03-21T04:00 Weekend consult -- Lee',
    ])
    expect(shown(feed('amion'), { zone: 'Europe/Madrid' })[0]).to.contain('2027-03-13T18:00 2027-03-14T06:00')
  })

  it('PagerDuty: who is on is the one attendee, with the e-mail address', () => {
    const [first, second] = read(feed('pagerduty')).shifts
    expect(first).to.include({ name: 'Smith, Ann', summary: 'On Call - Ann Smith - Cardiology Primary' })
    expect(first?.contacts).to.deep.equal(['ann.smith@clinic.example'])
    expect(second).to.include({ name: 'Bob García', from: first?.to })
  })

  it('reads the same whatever ends the lines', () => {
    for (const name of ['google', 'outlook', 'pagerduty']) {
      const text = feed(name).replaceAll('\r\n', '\n')
      for (const end of ['\n', '\r\n', '\r']) expect(read(text.replaceAll('\n', end))).to.deep.equal(read(feed(name)))
    }
  })
})

describe('recurrences', () => {
  const nights = ['DTSTART;TZID=Europe/Madrid:20270301T230000', 'DTEND;TZID=Europe/Madrid:20270302T070000']

  it('RDATE adds, also with a period of its own; EXDATE by day alone excludes; EXRULE excludes', () => {
    const text = event(
      ...nights,
      'RRULE:FREQ=DAILY;COUNT=4',
      'RDATE;VALUE=PERIOD:20270310T220000Z/PT2H,20270311T220000Z/20270311T230000Z',
      'EXDATE;VALUE=DATE:20270302',
      'EXRULE:FREQ=WEEKLY;BYDAY=TH',
    )
    expect(shown(text)).to.deep.equal([
      '2027-03-01T22:00 2027-03-02T06:00 Ann',
      '2027-03-03T22:00 2027-03-04T06:00 Ann',
      '2027-03-10T22:00 2027-03-11T00:00 Ann',
      '2027-03-11T22:00 2027-03-11T23:00 Ann',
    ])
  })

  it('a change from one instance onwards moves the later ones too', () => {
    const text = event(...nights, 'RRULE:FREQ=DAILY;COUNT=4').replace(
      'END:VCALENDAR',
      `BEGIN:VEVENT\r\nUID:one\r\nSUMMARY:Bob\r\nRECURRENCE-ID;RANGE=THISANDFUTURE;TZID=Europe/Madrid:20270303T230000
DTSTART;TZID=Europe/Madrid:20270303T210000\r\nDURATION:PT8H\r\nEND:VEVENT\r\nEND:VCALENDAR`,
    )
    expect(shown(text)).to.deep.equal([
      '2027-03-01T22:00 2027-03-02T06:00 Ann',
      '2027-03-02T22:00 2027-03-03T06:00 Ann',
      '2027-03-03T20:00 2027-03-04T04:00 Bob',
      '2027-03-04T20:00 2027-03-05T04:00 Bob',
    ])
  })

  it('without end: read up to the end of the window, and said so', () => {
    const text = event(...nights, 'RRULE:FREQ=WEEKLY')
    const found = read(text, { from: Date.UTC(2040, 0, 1), until: Date.UTC(2040, 1, 1) })
    expect(found.shifts).to.have.lengthOf(5)
    expect(found.problems.map(p => [p.code, p.effect, p.line])).to.deep.equal([['without-end', 'note', 3]])
  })

  it('a shift that began before the window and lasts into it belongs to it', () => {
    const text = event('DTSTART:20270301T000000Z', 'DTEND:20270308T000000Z', 'RRULE:FREQ=WEEKLY;COUNT=3')
    const window = { from: Date.UTC(2027, 2, 10), until: Date.UTC(2027, 2, 11) }
    expect(shown(text, window)).to.deep.equal(['2027-03-08T00:00 2027-03-15T00:00 Ann'])
  })

  it('ten years of past events do not count against the shifts that a schedule can have', () => {
    const past = Array.from({ length: 500 }, (_, i) => {
      const day = new Date(Date.UTC(2016, 0, 1 + i)).toISOString().slice(0, 10).replaceAll('-', '')
      return `BEGIN:VEVENT\r\nUID:${i}\r\nSUMMARY:Ann\r\nDTSTART;VALUE=DATE:${day}\r\nEND:VEVENT\r\n`
    }).join('')
    const text = event('DTSTART;VALUE=DATE:20270301').replace('BEGIN:VEVENT', `${past}BEGIN:VEVENT`)
    const { shifts, problems } = readCalendar(text, {
      zones,
      zone: 'Europe/Madrid',
      from: Date.UTC(2027, 0, 1),
      until: Date.UTC(2028, 0, 1),
      limits: { instances: 10 },
    })
    expect(problems).to.deep.equal([])
    expect(shifts).to.have.lengthOf(1)
  })

  it('of two versions of an event the later one counts; two events under one UID are both kept', () => {
    const times = (day: string) => `DTSTART:202703${day}T000000Z\r\nDTEND:202703${day}T120000Z`
    const two = (a: string, b: string) =>
      event(a).replace('END:VCALENDAR', `BEGIN:VEVENT\r\nUID:one\r\nSUMMARY:Bob\r\n${b}\r\nEND:VEVENT\r\nEND:VCALENDAR`)
    expect(shown(two(`SEQUENCE:1\r\n${times('01')}`, times('02')))).to.deep.equal([
      '2027-03-01T00:00 2027-03-01T12:00 Ann',
    ])
    const both = read(two(times('01'), times('02')))
    expect(both.shifts).to.have.lengthOf(2)
    expect(new Set(both.shifts.map(s => s.uid)).size).to.equal(2)
    expect(both.problems.map(p => p.code)).to.deep.equal(['same-uid'])
  })

  it('of an hour that comes twice the first one is meant', () => {
    const text = event('DTSTART;TZID=America/New_York:20261101T013000', 'DTEND;TZID=America/New_York:20261101T023000')
    expect(shown(text)).to.deep.equal(['2026-11-01T05:30 2026-11-01T07:30 Ann'])
  })

  it('knows a zone by a prefixed name, and by X-WR-TIMEZONE for floating times', () => {
    const prefixed = event('DTSTART;TZID=/citadel.org/20260101_1/Asia/Tokyo:20270301T090000', 'DURATION:PT1H')
    expect(shown(prefixed)).to.deep.equal(['2027-03-01T00:00 2027-03-01T01:00 Ann'])
    const floating = event('DTSTART:20270301T090000', 'DURATION:PT1H')
    const named = floating.replace('VERSION:2.0', 'VERSION:2.0\r\nX-WR-TIMEZONE:Asia/Tokyo')
    expect(shown(named)).to.deep.equal(['2027-03-01T00:00 2027-03-01T01:00 Ann'])
  })

  it('repeats as an independent implementation does, for random ordinary rules', () => {
    const days = fc.subarray(['MO', 'TU', 'WE', 'TH', 'FR', 'SA', 'SU'], { minLength: 1 })
    const rule = fc.oneof(
      fc.record({ freq: fc.constant('DAILY'), interval: fc.integer({ min: 1, max: 5 }) }),
      fc.record({ freq: fc.constant('WEEKLY'), interval: fc.integer({ min: 1, max: 3 }), byday: days }),
      fc.record({ freq: fc.constant('MONTHLY'), bymonthday: fc.constantFrom(1, 15, 28, -1) }),
      fc.record({ freq: fc.constant('MONTHLY'), byday: fc.constantFrom('1MO', '2TU', '-1FR', '3SU') }),
    )
    const ends = fc.constantFrom('', ';COUNT=7', ';UNTIL=20270115T000000Z')
    fc.assert(
      fc.property(rule, ends, fc.integer({ min: 0, max: 27 }), (parts, end, day) => {
        const text = Object.entries(parts)
          .map(([key, value]) => `${key.toUpperCase()}=${String(value)}`)
          .join(';')
        // Both begin with an instance of the rule: what else DTSTART means, RFC 5545 leaves open.
        const from = ICAL.Time.fromData({ year: 2026, month: 10, day: day + 1, hour: 8 }, ICAL.Timezone.utcTimezone)
        const start = ICAL.Recur.fromString(text).iterator(from).next()
        const iterator = ICAL.Recur.fromString(text + end).iterator(start.clone())
        const expected: number[] = []
        for (let next = iterator.next(); next && next.year < 2028; next = iterator.next())
          if (next.toUnixTime() * 1000 < Date.UTC(2027, 3, 1)) expected.push(next.toUnixTime() * 1000)
          else break
        const dtstart = start.toICALString()
        const found = read(event(`DTSTART:${dtstart}`, 'DURATION:PT1H', `RRULE:${text}${end}`), {
          until: Date.UTC(2027, 3, 1),
        })
        expect(
          found.shifts.map(s => s.from),
          `${dtstart} ${text}${end}`,
        ).to.deep.equal(expected)
      }),
      { seed, numRuns: process.env.WARDROOM_LONG === '1' ? 3_000 : 60 },
    )
  })
})
