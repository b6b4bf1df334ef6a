import { expect } from 'chai'
import fc from 'fast-check'
import { localAccount, startLocal } from '../../../appservice/sms/local/main.ts'
import { pace } from '../../../appservice/sms/pace.ts'
import { twilioProvider } from '../../../appservice/sms/twilio.ts'
import { classifyTwilioError } from '../../../appservice/sms/twilio-errors.ts'
import { hours } from '../../../core/domain/clock.ts'
import { isRefusal } from '../../../core/domain/refusal.ts'
import { maskPhone } from '../../../core/domain/texts/phone-mask.ts'
import { zoneOfNumber } from '../../../core/domain/texts/phone-zones.ts'
import { afterQuiet, isQuiet } from '../../../core/domain/texts/quiet-hours.ts'
import { countSegments, fitSegments, toGsm } from '../../../core/domain/texts/sms-segments.ts'
import { advanceText, type TextSignal, type TextState, textStates } from '../../../core/domain/texts/sms-state.ts'
import { parsePhone } from '../../../core/phone.ts'
import { secret } from '../../../core/secret.ts'
import { systemClock } from '../../../core/system.ts'
import { seed } from '../../support/random.ts'
import { testLog } from '../../support/test-log.ts'

const runs = { seed, numRuns: process.env.WARDROOM_LONG === '1' ? 20_000 : 500 }

describe('segments of an SMS', () => {
  it('counts at the borders as 3GPP TS 23.038 does', () => {
    const n = (text: string) => countSegments(text).segments
    expect([n(''), n('a'.repeat(160)), n('a'.repeat(161)), n('a'.repeat(306)), n('a'.repeat(307))]).to.deep.equal([
      1, 1, 2, 2, 3,
    ])
    expect([n('á'.repeat(70)), n('á'.repeat(71)), n('á'.repeat(134)), n('á'.repeat(135))]).to.deep.equal([1, 2, 2, 3])
    expect(countSegments('€'.repeat(80))).to.deep.equal({ encoding: 'gsm-7', units: 160, segments: 1 })
    // The escape before € may not be cut from it: 152 letters, then € begins the next part.
    expect(countSegments(`${'a'.repeat(152)}€${'a'.repeat(151)}`).segments).to.equal(2)
    expect(countSegments(`${'a'.repeat(152)}€${'a'.repeat(152)}`).segments).to.equal(3)
    expect(countSegments('🙂'.repeat(35)).segments).to.equal(1)
  })

  it('never counts fewer parts for a longer text, and enough room for all of it', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'grapheme', maxLength: 300 }),
        fc.string({ unit: 'grapheme', maxLength: 40 }),
        (a, b) => {
          const one = countSegments(a)
          const size = one.encoding === 'gsm-7' ? [160, 153] : [70, 67]
          expect(one.segments * (one.segments === 1 ? (size[0] ?? 0) : (size[1] ?? 0))).to.be.at.least(one.units)
          expect(countSegments(a + b).segments).to.be.at.least(one.segments)
        },
      ),
      runs,
    )
  })

  it('gives up accents only where the text would not fit', () => {
    expect(fitSegments('Clínica San José')).to.equal('Clínica San José')
    expect(fitSegments(`Clínica San José ${'x'.repeat(150)}`)).to.equal(`Clinica San José ${'x'.repeat(150)}`)
    expect(toGsm('“ó” – ñ ç 中')).to.equal('"o" - ñ c 中')
  })
})

describe('quiet hours', () => {
  const night = { from: 21, to: 8 }
  const at = (iso: string) => Date.parse(iso)
  const iso = (t: number) => new Date(t).toISOString()

  it('lasts until eight in the recipient’s own zone', () => {
    const ny = { ...night, timeZone: 'America/New_York' }
    expect(iso(afterQuiet(at('2026-05-13T01:30:00Z'), ny))).to.equal('2026-05-13T12:00:00.000Z')
    expect(iso(afterQuiet(at('2026-05-13T00:59:59Z'), ny))).to.equal('2026-05-13T00:59:59.000Z')
    expect(iso(afterQuiet(at('2026-05-13T13:00:00Z'), { ...night, timeZone: 'Asia/Kathmandu' }))).to.equal(
      '2026-05-13T13:00:00.000Z',
    )
    expect(iso(afterQuiet(at('2026-05-13T16:00:00Z'), { ...night, timeZone: 'Asia/Kathmandu' }))).to.equal(
      '2026-05-14T02:15:00.000Z',
    )
  })

  it('ends at eight also after the night in which the clocks change', () => {
    const ny = { ...night, timeZone: 'America/New_York' }
    expect(iso(afterQuiet(at('2026-03-08T03:00:00Z'), ny))).to.equal('2026-03-08T12:00:00.000Z')
    expect(iso(afterQuiet(at('2026-11-01T03:00:00Z'), ny))).to.equal('2026-11-01T13:00:00.000Z')
  })

  it('never sends in the night, never waits longer than it, and is off where both hours are equal', () => {
    const zones = ['America/New_York', 'Pacific/Honolulu', 'Europe/Madrid', 'Australia/Lord_Howe', 'Asia/Kolkata']
    const hour = fc.integer({ min: 0, max: 23 })
    fc.assert(
      fc.property(
        fc.integer({ min: 1.7e12, max: 1.9e12 }),
        hour,
        hour,
        fc.constantFrom(...zones),
        (t, from, to, timeZone) => {
          const due = afterQuiet(t, { from, to, timeZone })
          expect(isQuiet(due, { from, to, timeZone })).to.equal(false)
          expect(due - t).to.be.within(0, hours(25))
          if (from === to) expect(due).to.equal(t)
        },
      ),
      { ...runs, numRuns: runs.numRuns / 5 },
    )
  })

  it('knows the zone of a number where the number tells it', () => {
    expect(['+12135550123', '+12125550123', '+18085550123', '+34612345678'].map(zoneOfNumber)).to.deep.equal([
      'America/Los_Angeles',
      'America/New_York',
      'Pacific/Honolulu',
      'Europe/Madrid',
    ])
    expect(['+18005550123', '+5511987654321'].map(zoneOfNumber)).to.deep.equal([null, null])
  })
})

describe('the life of a text', () => {
  const signals: TextSignal[] = ['sending', 'accepted', 'delivered', 'failed', 'silent'].map(
    kind => ({ kind }) as TextSignal,
  )
  const sequence = fc.array(fc.constantFrom(...signals), { maxLength: 12 })
  const run = (list: readonly TextSignal[], from: TextState = 'pending') => list.reduce(advanceText, from)

  it('never falls back, and repeats change nothing', () => {
    fc.assert(
      fc.property(sequence, fc.constantFrom(...textStates), (list, from) => {
        const end = run(list, from)
        expect(run(list, end)).to.equal(end)
        if (from === 'delivered') expect(end).to.equal('delivered')
      }),
      runs,
    )
  })

  it('comes out the same in whatever order the reports arrive', () => {
    fc.assert(
      fc.property(sequence, list => {
        expect(run(list)).to.equal(run(list.toReversed()))
      }),
      runs,
    )
  })

  it('sorts the provider’s errors; one that it does not know is judged by its status', () => {
    const kinds = [21610, 30006, 21614, 30034, 21211, 30007, 30001, 20429].map(c => classifyTwilioError(c))
    expect(kinds).to.deep.equal([
      'opted_out',
      'landline',
      'landline',
      'unregistered_sender',
      'invalid_number',
      'filtered',
      'transient',
      'transient',
    ])
    expect([
      classifyTwilioError(99999, 503),
      classifyTwilioError(undefined, 429),
      classifyTwilioError(99999, 400),
    ]).to.deep.equal(['transient', 'transient', 'unknown'])
  })
})

describe('telephone numbers', () => {
  it('are read as people type them, and given in one form', () => {
    const read = (t: string, c = 'US') => {
      const p = parsePhone(t, c)
      return isRefusal(p) ? p.code : `${p.e164} ${p.country} ${p.type}`
    }
    expect(read('(415) 555-2671')).to.equal('+14155552671 US mobile_or_landline')
    expect(read('+34 612 34 56 78')).to.equal('+34612345678 ES mobile')
    expect(read('612 34 56 78', 'ES')).to.equal('+34612345678 ES mobile')
    expect(read('+44 20 7946 0000')).to.equal('cannot-text')
    expect(read('+1 800 555 1234')).to.equal('cannot-text')
    for (const bad of ['', '12345', 'tomorrow', '+1 555', '9'.repeat(60), '415-555-2671 x12'])
      expect(read(bad), bad).to.equal('bad-number')
  })

  it('show two digits only', () => expect(maskPhone('+12025550123')).to.equal('…23'))
})

describe('the rate of sending', () => {
  it('spaces texts evenly, first come first served', async () => {
    let now = 0
    const waits: number[] = []
    const next = pace(4, { now: () => now, wait: async ms => void waits.push(ms) })
    for (let i = 0; i < 4; i++) await next()
    expect(waits).to.deep.equal([250, 500, 750])
    now = 5000
    await next()
    expect(waits).to.have.lengthOf(3)
  })
})

describe('the local SMS server and real credentials', () => {
  const real = `AC${'0123456789abcdef'.repeat(2)}`
  const config = { authToken: secret('t'), publicUrl: 'http://localhost:1', clock: systemClock, log: testLog() }
  const fails = async (promise: Promise<unknown>) => {
    const error = await promise.then(
      () => undefined,
      (e: Error) => e,
    )
    expect(error?.message).to.match(/does not start where credentials of a real SMS account/)
  }

  it('does not start where a real account is configured or in the environment', async () => {
    await fails(startLocal({ ...config, accountSid: real, env: {} }))
    await fails(startLocal({ ...config, env: { TWILIO_ACCOUNT_SID: real } }))
    await fails(startLocal({ ...config, env: { TWILIO_AUTH_TOKEN: 'x' } }))
  })

  it('a real account never goes to it, and its account never to Twilio', () => {
    const o = { authToken: secret('t'), statusCallback: 'http://localhost:1/sms/status' }
    const messagingServiceSid = `MG${'0'.repeat(32)}`
    expect(() =>
      twilioProvider({ ...o, accountSid: real, messagingServiceSid, origin: 'http://localhost:1' }),
    ).to.throw(/mixed/)
    expect(() => twilioProvider({ ...o, ...localAccount })).to.throw(/mixed/)
  })
})
