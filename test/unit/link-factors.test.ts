import { expect } from 'chai'
import fc from 'fast-check'
import { days, hours, minutes } from '../../core/domain/clock.ts'
import {
  afterWrong,
  codeIsOpen,
  type Factor,
  factors,
  factorsLeft,
  maxTries,
  reauthFactor,
  type Tries,
  triesLeft,
} from '../../core/domain/factor.ts'
import { base58Token } from '../../core/domain/ids.ts'
import { closedBy, type LinkFacts, linkLifeMs, mayRenew } from '../../core/domain/link.ts'
import { seed } from '../support/random.ts'

const policy = fc.subarray([...factors])
const open: LinkFacts = {
  expiresAt: 1000,
  usedAt: null,
  withdrawnAt: null,
  withdrawnReason: null,
  personRemoved: false,
  patientState: 'open',
  ready: true,
}

describe('link factors', () => {
  it('lock at the third wrong answer and stay locked, whatever comes after (row 55)', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 9 }), { maxLength: 12 }), steps => {
        let now = 0
        let state: Tries = { tries: 0, lockedAt: null }
        let locked: number | null = null
        for (const [i, step] of steps.entries()) {
          now += step
          state = afterWrong(state, now)
          if (i + 1 === maxTries) locked = now
          expect(state.lockedAt).to.equal(locked)
          expect(triesLeft(state.tries)).to.equal(Math.max(0, maxTries - i - 1))
        }
      }),
      { seed },
    )
  })

  it('are asked in order, each once, until none is left, and never fewer than one', () => {
    fc.assert(
      fc.property(policy, fc.boolean(), (asked, hasPin) => {
        const passed: Factor[] = []
        const all = factorsLeft(asked, { hasPin }, [])
        expect(all).to.have.length.greaterThan(0)
        for (let left = all; left.length > 0; left = factorsLeft(asked, { hasPin }, passed))
          passed.push(left[0] as Factor)
        expect(passed).to.deep.equal(all)
        expect(all.includes('pin')).to.equal(asked.includes('pin') && hasPin)
      }),
      { seed },
    )
  })

  it('text no code before the birth date is proved', () => {
    expect(factorsLeft(['sms_code', 'birth_date'], { hasPin: false }, [])[0]).to.equal('birth_date')
    expect(factorsLeft(['sms_code', 'birth_date'], { hasPin: false }, ['birth_date'])).to.deep.equal(['sms_code'])
  })

  it('never ask a texted code again in a running session', () => {
    fc.assert(
      fc.property(policy, fc.boolean(), (asked, hasPin) => {
        expect(reauthFactor(asked, { hasPin })).to.not.equal('sms_code')
      }),
      { seed },
    )
  })

  it('void a texted code after ten minutes or five tries', () => {
    expect(codeIsOpen({ expiresAt: minutes(10), tries: 4 }, minutes(10) - 1)).to.equal(true)
    expect(codeIsOpen({ expiresAt: minutes(10), tries: 4 }, minutes(10))).to.equal(false)
    expect(codeIsOpen({ expiresAt: minutes(10), tries: 5 }, 0)).to.equal(false)
  })
})

describe('link rules', () => {
  it('open only a link that is neither used, expired nor withdrawn, of an open patient', () => {
    expect(closedBy(open, 999)).to.equal(undefined)
    expect(closedBy(open, 1000)).to.equal('expired')
    expect(closedBy({ ...open, usedAt: 1 }, 5)).to.equal('used')
    expect(closedBy({ ...open, withdrawnAt: 1 }, 5)).to.equal('withdrawn')
    expect(closedBy({ ...open, personRemoved: true }, 5)).to.equal('patient')
    expect(closedBy({ ...open, patientState: 'closed' }, 5)).to.equal('patient')
    expect(closedBy({ ...open, ready: false }, 5)).to.equal('not-ready')
  })

  it('text a new link for a used or expired one, but not after "this is not me"', () => {
    expect(mayRenew({ ...open, usedAt: 1 })).to.equal(true)
    expect(mayRenew({ ...open, withdrawnAt: 1, withdrawnReason: 'withdrawn' })).to.equal(true)
    expect(mayRenew({ ...open, withdrawnAt: 1, withdrawnReason: 'not_me' })).to.equal(false)
    expect(mayRenew({ ...open, patientState: 'closed' })).to.equal(false)
  })

  it('hold a life between one hour and seven days', () => {
    expect(linkLifeMs(1)).to.equal(hours(1))
    expect(linkLifeMs(hours(72))).to.equal(hours(72))
    expect(linkLifeMs(days(99))).to.equal(days(7))
  })

  it('make tokens of 22 base58 characters from any 128 bits, different for different bits', () => {
    const sixteen = fc.uint8Array({ minLength: 16, maxLength: 16 })
    fc.assert(
      fc.property(sixteen, sixteen, (a, b) => {
        expect(base58Token(a)).to.match(/^[1-9A-HJ-NP-Za-km-z]{22}$/)
        expect(base58Token(a) === base58Token(b)).to.equal(Buffer.compare(a, b) === 0)
      }),
      { seed },
    )
  })
})
