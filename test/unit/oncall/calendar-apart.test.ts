import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { readCalendar } from '../../../core/oncall/calendar/ical/read-calendar.ts'
import { type ApartRequest, readApart } from '../../../core/oncall/calendar/read-apart.ts'
import { runtimeZones } from '../../../core/time-zones.ts'

const window = { zone: 'America/New_York', from: Date.UTC(2026, 8, 1), until: Date.UTC(2027, 8, 1) }
const google = readFileSync(join(import.meta.dirname, '../../support/calendars/google.ics'), 'utf8')

/** Rules that are each allowed, in a number that a wide budget lets through. */
const dear: ApartRequest = {
  kind: 'calendar',
  ...window,
  limits: { steps: 1e9, instances: 1e9 },
  text: `BEGIN:VCALENDAR\n${Array.from(
    { length: 3_000 },
    (_, i) =>
      `BEGIN:VEVENT\nUID:${i}\nSUMMARY:Ann\nDTSTART:20200101T080000Z\nDURATION:PT1H\nRRULE:FREQ=DAILY;COUNT=9000\nEND:VEVENT\n`,
  ).join('')}END:VCALENDAR\n`,
}

describe('reading a calendar in a thread of its own', () => {
  it('finds the same as reading it here; tables too', async () => {
    const found = await readApart({ kind: 'calendar', text: google, ...window })
    expect(found).to.deep.equal(readCalendar(google, { zones: runtimeZones(), ...window }))
    const table = await readApart({ kind: 'csv', text: 'name,start\nAnn,2026-11-22', ...window })
    expect(table.shifts.map(s => s.name)).to.deep.equal(['Ann'])
  })

  it('is ended at its deadline, and meanwhile this process goes on', async () => {
    let ticks = 0
    const ticking = setInterval(() => {
      ticks += 1
    }, 20)
    const found = await readApart(dear, { deadlineMs: 1_000, memoryMb: 256 })
    clearInterval(ticking)
    expect(found).to.deep.include({ shifts: [] })
    expect(found.problems.map(p => `${p.effect} ${p.code}`)).to.deep.equal(['refused too-slow'])
    expect(ticks).to.be.greaterThan(10)
  })

  it('is ended when it takes too much memory', async () => {
    const found = await readApart(dear, { deadlineMs: 60_000, memoryMb: 16 })
    expect(found.problems.map(p => `${p.effect} ${p.code}`)).to.deep.equal(['refused too-much-memory'])
  })

  it('what is too large is refused without a thread', async () => {
    const found = await readApart({ kind: 'csv', text: 'x'.repeat(50 * 1024 * 1024), ...window })
    expect(found.problems.map(p => p.code)).to.deep.equal(['too-large'])
  })
})
