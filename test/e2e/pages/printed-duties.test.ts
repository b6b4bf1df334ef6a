import { expect } from 'chai'
import { days } from '../../../core/domain/clock.ts'
import { type PrintedPerson, type PrintedRole, printedPage } from '../../../core/domain/oncall/print/page.ts'
import { shifts } from '../../../core/domain/oncall/schedule/shifts.ts'
import { axeFindings } from '../../support/browser/axe.ts'
import { browser } from '../../support/browser/chromium.ts'
import { at, layer, schedule, turns, zone, zones } from '../../support/oncall/schedules.ts'

const from = at('2026-10-30 12:07')
const to = from + days(7)
const phone = { e164: '+12025550112', shown: '+1 202 555 0112' }
const people = new Map<string, PrintedPerson>([
  ['ann', { name: 'Ann Lee', phone }],
  ['bob', { name: 'Dr Bartholomew Featherstonehaugh-Cholmondeley', phone }],
  ['cyd', { name: 'Cyd', phone: null }],
  ['switchboard', { name: 'Switchboard', phone }],
])
const role = (name: string, s: ReturnType<typeof schedule>): PrintedRole => ({
  key: name,
  name,
  zone: s.zone,
  fallback: s.fallback,
  waits: { routine: 1_800_000, urgent: 300_000, stat: 120_000 },
  segments: shifts(s, from, to, zones),
})
const daily = layer('d', turns('day', '2026-06-01 08:00', ['ann', 'bob']))
const office = { ...daily, restrictions: [{ days: [0, 1, 2, 3, 4], from: 480, to: 1080 }] }
const beside = {
  id: 'o',
  kind: 'add' as const,
  person: 'cyd',
  from: at('2026-10-31 08:00'),
  to: at('2026-11-01 08:00'),
}
const html = printedPage({
  clinic: 'Riverside Clinic',
  switchboard: phone,
  madeAt: from,
  to,
  zone,
  roles: [
    role('Cardiology on call', schedule({ overrides: [beside], layers: [daily] })),
    role('Intensive care, Hospital de la Santa Creu i Sant Pau', schedule({ zone: 'Europe/Madrid', layers: [office] })),
  ],
  people,
  zones,
})

/** Issue 5, point 10: what hangs at the switchboard, or is looked at on a telephone. */
describe('the printed page of who is on call, in a browser', function () {
  this.timeout(120_000)

  it('fits a telephone and a sheet, stays light where the screen is dark, asks nobody for anything, and passes axe', async () => {
    const page = await (await browser()).newPage({
      viewport: { width: 360, height: 800 },
      colorScheme: 'dark',
      bypassCSP: true,
    })
    const asked: string[] = []
    page.on('request', r => asked.push(r.url()))
    const width = () => page.evaluate(() => document.documentElement.scrollWidth)
    try {
      await page.setContent(html)
      expect(await width()).to.equal(360)
      expect(await page.evaluate(() => getComputedStyle(document.body).backgroundColor)).to.equal('rgb(255, 255, 255)')
      expect(await axeFindings(page)).to.deep.equal([])
      // What is left of an A4 sheet between its margins, in CSS pixels.
      await page.setViewportSize({ width: 703, height: 1032 })
      await page.emulateMedia({ media: 'print' })
      expect(await width()).to.equal(703)
      expect(asked).to.deep.equal([])
    } finally {
      await page.close()
    }
  })
})
