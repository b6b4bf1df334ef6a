import { expect } from 'chai'
import { renewalRules, renewalStep } from '../../core/domain/care/renewal.ts'

const now = 1_800_000_000_000
const { waiting: many, quietMs } = renewalRules
const quiet = { sessionOpen: false, wroteAt: now - quietMs }

describe('when a dehydrated device is renewed', () => {
  it('not before many events wait', () => {
    expect(renewalStep({ ...quiet, waiting: many - 1 }, now)).to.equal('enough')
    expect(renewalStep({ ...quiet, waiting: many }, now)).to.equal('renew')
    expect(renewalStep({ sessionOpen: false, wroteAt: null, waiting: many }, now)).to.equal('renew')
  })

  it('never while the page is open or somebody has just written', () => {
    expect(renewalStep({ ...quiet, waiting: many, sessionOpen: true }, now)).to.equal('later')
    expect(renewalStep({ ...quiet, waiting: many, wroteAt: now - quietMs + 1 }, now)).to.equal('later')
  })

  it('at once when there is none at all, since every message without it is lost; but not beside an open page', () => {
    expect(renewalStep({ sessionOpen: false, wroteAt: now, waiting: null }, now)).to.equal('renew')
    expect(renewalStep({ sessionOpen: true, wroteAt: now, waiting: null }, now)).to.equal('later')
  })
})
