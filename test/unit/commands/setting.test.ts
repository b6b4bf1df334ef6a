import { expect } from 'chai'
import fc from 'fast-check'
import { isRefusal } from '../../../core/domain/refusal.ts'
import { isOpen, parseOpenHours, showOpenHours } from '../../../core/domain/settings/open-hours.ts'
import { defaultSettings, settingKeys, settingOf, settingsFrom } from '../../../core/domain/settings/settings.ts'
import { settingWarnings } from '../../../core/domain/settings/warnings.ts'
import { seed } from '../../support/random.ts'

const runs = { seed, numRuns: process.env.WARDROOM_LONG === '1' ? 20_000 : 500 }

describe('settings', () => {
  it('have a default and an example that they accept, and a sentence each', () => {
    for (const key of settingKeys) {
      const s = settingOf(key)
      expect(s.kind.revive(s.kind.show(s.default)), key).to.deep.equal(s.default)
      expect(isRefusal(s.kind.parse(s.kind.example.replace(/^"|"$/g, ''))), `${key} ${s.kind.example}`).to.equal(false)
      expect(s.help, key).to.match(/[.]$/)
      expect(s.affects, key).not.to.equal('')
    }
  })

  it('warn that patients see no way to call while the clinic’s number is missing', () => {
    for (const settings of [{}, { 'clinic.phone': ' ' }, defaultSettings()])
      expect(settingWarnings(settings)).to.have.lengthOf(1)
    expect(settingWarnings({ 'clinic.phone': '+1 202 555 0100' })).to.deep.equal([])
  })

  it('keep what they accepted when stored and read back, and never throw', () => {
    fc.assert(
      fc.property(fc.constantFrom(...settingKeys), fc.string({ maxLength: 60 }), (key, typed) => {
        const { kind } = settingOf(key)
        const value = kind.parse(typed)
        if (!isRefusal(value)) expect(kind.revive(kind.show(value))).to.deep.equal(value)
      }),
      runs,
    )
  })

  it('use the default for a stored value that this version refuses', () => {
    const s = settingsFrom({ 'link.life_hours': '9999', 'sms.task_hours': '12', 'no.such': 'x' })
    expect(s['link.life_hours']).to.equal(72)
    expect(s['sms.task_hours']).to.equal(12)
    expect(Object.keys(s)).to.have.lengthOf(Object.keys(defaultSettings()).length)
  })

  it('guard what must not be turned off', () => {
    const refused = (key: (typeof settingKeys)[number], text: string) => isRefusal(settingOf(key).kind.parse(text))
    expect(refused('link.factors', 'sms_code')).to.equal(true)
    expect(refused('link.factors', 'birth_date, pin')).to.equal(false)
    expect(refused('link.life_hours', '169')).to.equal(true)
    expect(refused('consent.required', 'none')).to.equal(true)
    expect(refused('clinic.time_zone', 'Mars/Olympus')).to.equal(true)
    for (const key of ['link.life_hours', 'link.factors', 'consent.required', 'federation.allowed'] as const)
      expect(settingOf(key).sensitive, key).to.equal(true)
  })
})

describe('opening hours', () => {
  it('are read as people write them', () => {
    const week = parseOpenHours('Mon–Fri 8-18; sat 09:30-12')
    expect(week && showOpenHours(week)).to.equal('Mon-Fri 08:00-18:00; Sat 09:30-12:00')
    for (const text of ['Mon 18-8', 'Mon 8-12; Mon 11-13', 'Someday 8-9', 'Mon 8-25', ''])
      expect(parseOpenHours(text), text).to.equal(undefined)
    expect(parseOpenHours('never')?.flat()).to.deep.equal([])
  })

  it('follow the wall clock of the clinic, also when clocks change', () => {
    const week = parseOpenHours('Sun 8-18') ?? []
    const open = (iso: string) => isOpen(week, 'America/New_York', Date.parse(iso))
    // 2026-03-08: clocks go forward; 8:00 there is 12:00 UTC, the Sunday before it is 13:00 UTC.
    expect([open('2026-03-08T11:59Z'), open('2026-03-08T12:00Z')]).to.deep.equal([false, true])
    expect([open('2026-03-01T12:59Z'), open('2026-03-01T13:00Z')]).to.deep.equal([false, true])
    expect(open('2026-03-01T23:00Z')).to.equal(false)
  })
})
