import { expect } from 'chai'
import fc from 'fast-check'
import { convertIcsCalendar } from 'ts-ics'
import { readCalendar } from '../../../core/oncall/calendar/ical/read-calendar.ts'
import { type FeedShift, feedText, feedUid, writeCalendar } from '../../../core/oncall/calendar/ical/write-calendar.ts'
import { runtimeZones } from '../../../core/time-zones.ts'
import { seed } from '../../support/random.ts'

const zones = runtimeZones()
const feed = { title: 'Cardiology, on call', refreshMinutes: 15 }
const window = { from: Date.UTC(2026, 0, 1), until: Date.UTC(2028, 0, 1) }
const read = (text: string) => readCalendar(text, { zones, zone: 'Europe/Madrid', ...window })
const night: FeedShift = {
  from: Date.UTC(2026, 9, 24, 17),
  to: Date.UTC(2026, 9, 25, 6),
  name: 'María Núñez',
  uid: 'one@clinic.example',
  summary: 'Cardiology: María Núñez; backup, if any: C:\\night',
  sequence: 3,
  changedAt: Date.UTC(2026, 9, 1, 8),
}

const second = 1000
const text = fc.oneof(
  fc.string({ unit: 'grapheme', minLength: 1, maxLength: 120 }),
  fc
    .array(fc.constantFrom('\\', ';', ',', ':', '\\n', '\\N', '"', ' ', '^n', '=', 'á', '🫀', 'n', 'BEGIN:VEVENT'), {
      minLength: 1,
      maxLength: 80,
    })
    .map(parts => parts.join('')),
)
const written = text.map(feedText).filter(t => t !== '')
const shifts = fc.uniqueArray(
  fc
    .record({
      at: fc.integer({ min: window.from / second, max: window.until / second - 1 }),
      long: fc.integer({ min: 1, max: 200_000 }),
      name: written,
      uid: written,
      summary: written,
      same: fc.boolean(),
    })
    .map(
      ({ at, long, name, uid, summary, same }): FeedShift => ({
        from: at * second,
        to: (at + long) * second,
        name: same ? summary : name,
        uid,
        summary,
        changedAt: window.from,
      }),
    ),
  { selector: s => s.uid, maxLength: 8 },
)
const told = (s: { from: number; to: number; name: string; uid: string; summary: string }) => [
  s.from,
  s.to,
  s.name,
  s.uid,
  s.summary,
]
const sorted = (list: readonly ReturnType<typeof told>[]) => list.map(x => JSON.stringify(x)).sort()
const runs = process.env.WARDROOM_LONG === '1' ? 10_000 : 200

describe('a feed of duties', () => {
  it('reads back as what was written, for any names', () => {
    fc.assert(
      fc.property(shifts, list => {
        const { shifts: found, problems } = read(writeCalendar(list, feed))
        expect(problems).to.deep.equal([])
        expect(sorted(found.map(told))).to.deep.equal(sorted(list.map(told)))
      }),
      { seed, numRuns: runs },
    )
  })

  it('an independent reader sees the same events', () => {
    fc.assert(
      fc.property(shifts, list => {
        const events = convertIcsCalendar(undefined, writeCalendar(list, feed)).events ?? []
        expect(
          events.map(e => [e.start.date.getTime(), e.end?.date.getTime(), e.stamp.date.getTime(), e.sequence ?? 0]),
        ).to.deep.equal(list.map(s => [s.from, s.to, s.changedAt, 0]))
      }),
      { seed, numRuns: runs / 2 },
    )
    const calendar = convertIcsCalendar(undefined, writeCalendar([night], feed))
    expect(calendar).to.include({ version: '2.0', method: 'PUBLISH' })
    expect(calendar.events?.[0]).to.include({
      uid: night.uid,
      summary: night.summary,
      sequence: 3,
      status: 'CONFIRMED',
    })
  })

  it('no line is longer than 75 octets, every line ends in CRLF, no character is cut in two', () => {
    for (let before = 0; before < 8; before += 1) {
      const out = writeCalendar([{ ...night, summary: `${'x'.repeat(before)}${'🫀é'.repeat(60)}` }], feed)
      expect(out.replaceAll('\r\n', '')).to.not.match(/[\r\n]/)
      for (const line of out.split('\r\n')) expect(Buffer.byteLength(line)).to.be.at.most(75)
      expect(Buffer.from(out).toString('utf8')).to.equal(out)
      expect(out).to.not.contain('\uFFFD')
    }
  })

  it('says exactly this, and nothing that was not given', () => {
    expect(writeCalendar([night], feed).split('\r\n')).to.deep.equal([
      'BEGIN:VCALENDAR',
      'VERSION:2.0',
      'PRODID:-//Wardroom//On call//EN',
      'CALSCALE:GREGORIAN',
      'METHOD:PUBLISH',
      'NAME:Cardiology\\, on call',
      'X-WR-CALNAME:Cardiology\\, on call',
      'REFRESH-INTERVAL;VALUE=DURATION:PT15M',
      'X-PUBLISHED-TTL:PT15M',
      'BEGIN:VEVENT',
      'UID:one@clinic.example',
      'DTSTAMP:20261001T080000Z',
      'LAST-MODIFIED:20261001T080000Z',
      'SEQUENCE:3',
      'DTSTART:20261024T170000Z',
      'DTEND:20261025T060000Z',
      'SUMMARY:Cardiology: María Núñez\\; backup\\, if any: C:\\\\night',
      'X-WARDROOM-NAME;VALUE=TEXT:María Núñez',
      'STATUS:CONFIRMED',
      'TRANSP:TRANSPARENT',
      'END:VEVENT',
      'END:VCALENDAR',
      '',
    ])
  })

  it('a name cannot end its line and begin an event of its own', () => {
    const out = writeCalendar([{ ...night, summary: 'x\r\nEND:VEVENT\r\nBEGIN:VEVENT\u2028\u0000y' }], feed)
    expect(out.match(/^BEGIN:VEVENT/gm)).to.have.lengthOf(1)
    expect(read(out).shifts[0]?.summary).to.equal('x END:VEVENT BEGIN:VEVENT y')
  })

  it('a duty keeps its UID from one feed to the next; another person, start or role has another', () => {
    const duty = { person: '@ann:clinic.example', from: night.from }
    const uid = feedUid('sc_1', duty, 'clinic.example')
    expect(uid)
      .to.equal(feedUid('sc_1', { ...duty }, 'clinic.example'))
      .and.to.match(/^[0-9a-f]{32}@clinic\.example$/)
    const others = [
      feedUid('sc_2', duty, 'clinic.example'),
      feedUid('sc_1', { ...duty, person: '@bob:clinic.example' }, 'clinic.example'),
      feedUid('sc_1', { ...duty, from: night.to }, 'clinic.example'),
    ]
    expect(new Set([uid, ...others]).size).to.equal(4)
  })
})
