import { expect } from 'chai'
import fc from 'fast-check'
import { type CalendarLimits, readCalendar } from '../../../core/oncall/calendar/ical/read-calendar.ts'
import { runtimeZones } from '../../../core/time-zones.ts'
import { seed } from '../../support/random.ts'

const zones = runtimeZones()
const read = (text: string, limits: Partial<CalendarLimits> = {}) =>
  readCalendar(text, {
    zones,
    zone: 'Europe/Madrid',
    from: Date.UTC(2026, 10, 1),
    until: Date.UTC(2027, 10, 1),
    limits,
  })
const wrap = (inner: string) => `BEGIN:VCALENDAR\r\nVERSION:2.0\r\n${inner}\r\nEND:VCALENDAR\r\n`
const event = (...lines: string[]) => ['BEGIN:VEVENT', 'UID:u', 'SUMMARY:Ann', ...lines, 'END:VEVENT'].join('\r\n')
const duty = (...lines: string[]) => wrap(event('DTSTART:20261102T080000Z', 'DTEND:20261102T160000Z', ...lines))
const refusals = (text: string, limits: Partial<CalendarLimits> = {}) => {
  const { shifts, problems } = read(text, limits)
  expect(shifts).to.deep.equal([])
  return problems.filter(p => p.effect === 'refused').map(p => `${p.code} ${p.line ?? '-'}`)
}
/** Wall time of a reading, generous: what is not bounded takes minutes or hours. */
const quickly = (text: string, limits: Partial<CalendarLimits> = {}) => {
  const began = performance.now()
  const found = refusals(text, limits)
  expect(performance.now() - began).to.be.lessThan(10_000)
  return found
}
const numbers = (n: number) => Array.from({ length: n }, (_, i) => i).join(',')

describe('calendars that are malformed or meant to harm', () => {
  it('what is no calendar, is cut short or wrongly nested is refused with its line, and gives no shifts', () => {
    expect(refusals('')).to.deep.equal(['not-a-calendar 1'])
    expect(refusals('<!doctype html>\n<title>Sign in</title>')).to.deep.equal(['not-a-calendar 1'])
    expect(refusals(duty().replace('END:VCALENDAR\r\n', ''))).to.deep.equal(['cut-short 1'])
    expect(refusals(duty().slice(0, 90))).to.deep.equal(['cut-short 3'])
    expect(refusals(duty().replace('END:VEVENT', 'END:VTODO'))).to.deep.equal(['malformed 8'])
  })

  it('an event that cannot be read refuses the whole, so that it is not taken for one that was removed', () => {
    expect(refusals(wrap(event('DTSTART:yesterday')))).to.deep.equal(['malformed-time 3'])
    expect(refusals(wrap(event('DTSTART:20270230T080000Z', 'DURATION:PT1H')))).to.deep.equal(['malformed-time 3'])
    expect(refusals(wrap(event('DTSTART:20261102T080000Z', 'DURATION:soon')))).to.deep.equal(['malformed-time 3'])
    expect(refusals(wrap(event('DTEND:20261102T080000Z')))).to.deep.equal(['malformed 3'])
    expect(refusals(duty('RRULE:FREQ=FORTNIGHTLY'))).to.deep.equal(['malformed 8'])
    expect(refusals(duty('RRULE:FREQ=WEEKLY;BYDAY=XX'))[0]).to.match(/^malformed/)
    expect(refusals(duty('EXDATE:never'))).to.deep.equal(['malformed-time 3'])
  })

  it('an unknown time zone is refused by name', () => {
    const text = wrap(event('DTSTART;TZID=Mars/Olympus:20261102T080000', 'DURATION:PT1H'))
    expect(refusals(text)).to.deep.equal(['unknown-zone 3'])
    const sentence = 'The time zone “Mars/Olympus” is not known.'
    expect(read(text).problems[0]?.sentence).to.equal(sentence)
    const floating = wrap(event('DTSTART:20261102T080000', 'DURATION:PT1H'))
    const window = { from: Date.UTC(2026, 10, 1), until: Date.UTC(2026, 11, 1) }
    const found = readCalendar(floating, { zones, zone: 'Mars/Olympus', ...window })
    expect(found).to.deep.include({ shifts: [] })
    expect(found.problems[0]?.sentence).to.equal(sentence)
  })

  it('50 MB are refused before anything is parsed', () => {
    const text = duty(`DESCRIPTION:${'x'.repeat(50 * 1024 * 1024)}`)
    const began = performance.now()
    expect(refusals(text)).to.deep.equal(['too-large -'])
    expect(performance.now() - began).to.be.lessThan(2000)
  })

  it('a line of 100 MB takes the room of the limit, not its own; folded into a million pieces too', () => {
    const limits = { bytes: 500 * 1024 * 1024 }
    const huge = 'x'.repeat(100 * 1024 * 1024)
    expect(quickly(duty(`SUMMARY:${huge}`), limits)).to.deep.equal(['line-too-long 8'])
    expect(read(duty(`DESCRIPTION:${huge}`), limits).shifts).to.have.lengthOf(1)
    expect(quickly(duty(`SUMMARY:${'x\r\n '.repeat(1_000_000)}`), limits)).to.deep.equal(['line-too-long 8'])
  })

  it('components a hundred thousand deep, or that many side by side, are refused', () => {
    expect(quickly(wrap('BEGIN:VEVENT\r\n'.repeat(100_000)))).to.deep.equal(['malformed 6'])
    expect(quickly(wrap('BEGIN:VTODO\r\nEND:VTODO\r\n'.repeat(100_000)))[0]).to.match(/^too-many-components/)
  })

  it('recurrences of billions of instances are refused in bounded time', () => {
    for (const rule of [
      'FREQ=SECONDLY',
      'FREQ=MINUTELY;COUNT=2000000000',
      'FREQ=DAILY;COUNT=2000000000',
      `FREQ=DAILY;BYHOUR=${numbers(24)};BYMINUTE=${numbers(60)};BYSECOND=${numbers(60)}`,
      `FREQ=YEARLY;BYMONTH=1,2,3,4,5,6,7,8,9,10,11,12;BYHOUR=${numbers(24)};BYMINUTE=${numbers(60)}`,
      'FREQ=DAILY;RSCALE=CHINESE',
      'FREQ=DAILY;BYEASTER=1',
      'FREQ=HOURLY;BYMINUTE=0,5,10,15,20,25,30,35,40,45,50,55',
    ])
      expect(quickly(duty(`RRULE:${rule}`)), rule).to.have.lengthOf(1)
  })

  it('many rules together spend one budget', () => {
    const dear = Array.from({ length: 5_000 }, (_, i) =>
      event('DTSTART:20200101T080000Z', 'DURATION:PT1H', 'RRULE:FREQ=DAILY;COUNT=4000').replace('UID:u', `UID:${i}`),
    )
    expect(quickly(wrap(dear.join('\r\n')), { steps: 8_000 })[0]).to.match(/^too-many-instances/)
    const fruitless = Array.from({ length: 5_000 }, (_, i) =>
      event('DTSTART:20200101T080000Z', 'DURATION:PT1H', 'RRULE:FREQ=DAILY;COUNT=9;BYMONTH=2;BYMONTHDAY=30').replace(
        'UID:u',
        `UID:${i}`,
      ),
    )
    expect(quickly(wrap(fruitless.join('\r\n')), { steps: 8_000 })).to.have.lengthOf(1)
  })

  it('more shifts than a schedule can have are refused; so is a time zone that never stops changing', () => {
    const dates = Array.from({ length: 30_000 }, (_, i) => new Date(Date.UTC(2026, 10, 3) + i * 60_000))
    const rdate = dates.map(d => `${d.toISOString().slice(0, 19).replace(/[-:]/g, '')}Z`)
    const lines = Array.from({ length: 30 }, (_, i) => `RDATE:${rdate.slice(i * 1000, (i + 1) * 1000).join(',')}`)
    expect(quickly(duty(...lines))[0]).to.match(/^too-many-instances/)
    const zone = `BEGIN:VTIMEZONE\r\nTZID:Odd\r\nBEGIN:STANDARD\r\nDTSTART:19700101T000000\r\nTZOFFSETFROM:+0100
TZOFFSETTO:+0200\r\nRRULE:FREQ=SECONDLY\r\nEND:STANDARD\r\nEND:VTIMEZONE\r\n`
    expect(quickly(wrap(zone + event('DTSTART;TZID=Odd:20261102T080000', 'DURATION:PT1H')))).to.have.lengthOf(1)
  })

  it('control characters of a calendar do not reach a sentence, nor more than 40 of its letters', () => {
    const text = wrap(event(`DTSTART;TZID=a\u001b[31m\u202e${'b'.repeat(5_000)}:20261102T080000`, 'DURATION:PT1H'))
    const sentence = read(text).problems[0]?.sentence ?? ''
    expect(sentence).to.match(/^[\p{L}\p{P}\p{Zs}\p{Sm}\d]+$/u)
    expect(sentence.length).to.be.lessThan(90)
  })

  it('never throws: random calendars made of the words of calendars', () => {
    const words = fc.constantFrom(
      ...['BEGIN:VCALENDAR', 'END:VCALENDAR', 'BEGIN:VEVENT', 'END:VEVENT', 'BEGIN:VTIMEZONE', 'END:VTIMEZONE'],
      ...[
        'BEGIN:STANDARD',
        'END:STANDARD',
        'DTSTART:20261102T080000',
        'DTSTART;VALUE=DATE:20261102',
        'DTEND',
        ':',
        ';',
      ],
      ...['RRULE:FREQ=DAILY', 'RRULE:', ';COUNT=', ';TZID=', 'Europe/Madrid', '"', '=', ',', '\\', '\r\n', '\n ', '-1'],
      ...['EXDATE:20261103T080000', 'RECURRENCE-ID:20261103T080000', 'DURATION:PT8H', 'UID:a', '__proto__', '99999999'],
    )
    const text = fc.array(fc.oneof({ weight: 9, arbitrary: words }, fc.string({ unit: 'binary', maxLength: 8 })), {
      maxLength: 40,
    })
    fc.assert(
      fc.property(text, fc.boolean(), (parts, lines) => {
        const body = parts.join(lines ? '\r\n' : '')
        for (const tried of [body, wrap(body), duty(body)]) {
          const { shifts, problems } = read(tried)
          if (problems.some(p => p.effect === 'refused')) expect(shifts).to.deep.equal([])
        }
      }),
      { seed, numRuns: process.env.WARDROOM_LONG === '1' ? 2_000 : 120 },
    )
  })
})
