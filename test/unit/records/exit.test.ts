import { expect } from 'chai'
import { days } from '../../../core/domain/clock.ts'
import { decideExit, type ExitFacts } from '../../../core/domain/records/exit.ts'
import type { RecordFacts } from '../../../core/domain/records/facts.ts'
import type { Hold } from '../../../core/domain/records/hold.ts'
import type { Policy } from '../../../core/domain/records/policy.ts'

const now = Date.UTC(2026, 5, 1)
const closedAt = now - days(40)
const over: ExitFacts = {
  patient: 'pt_1',
  room: '!1:h',
  labels: [],
  closedAt,
  activeAt: now - days(400),
  live: [],
  left: 0,
}
const message: RecordFacts = {
  event: '$1',
  room: '!1:h',
  class: 'care',
  sender: '@ann:h',
  patient: 'pt_1',
  labels: [],
  sentAt: now - days(400),
  roomActiveAt: now - days(400),
  dischargedAt: closedAt,
}
const care = { kind: 'class', class: 'care' } as const
const policy = (keep: number | null, more: Partial<Policy> = {}): Policy => {
  const keepMs = keep === null ? null : days(keep)
  return { id: `p${keep}`, scope: care, from: 'discharge', keepMs, minimum: false, ...more }
}
const hold = (more: Partial<Hold>): Hold => ({ id: 'h1', placedAt: now, ...more })
const asked = { ...over, requestedAt: now }
const fate = (f: ExitFacts, policies: Policy[] = [], holds: Hold[] = []) => decideExit(f, { policies, holds }, now)

/** Row 53. */
describe('the end of a patient’s record', () => {
  it('comes when the window is over, counted from the closing, and nothing is left', () => {
    expect(fate(over, [policy(30)])).to.deep.equal({ do: 'destroy', rule: { kind: 'window', id: 'p30' } })
    expect(fate(over, [policy(50)])).to.deep.equal({
      ...{ do: 'keep', why: 'window', id: 'p50', until: closedAt + days(50) },
    })
    expect(fate(over, [policy(null)])).to.deep.include({ why: 'window', until: null })
    expect(fate(over)).to.deep.equal({ do: 'keep', why: 'none' })
    const { closedAt: _, ...inCare } = over
    expect(fate(inCare, [policy(1)])).to.deep.equal({ do: 'keep', why: 'open' })
  })

  it('does not come at once when an old chart is closed, whatever a window runs from', () => {
    const today = { ...over, closedAt: now }
    for (const from of ['sent', 'activity', 'discharge', 'read'] as const) {
      expect(fate(today, [policy(30, { from })]), from).to.deep.include({ why: 'window', until: now + days(30) })
      expect(fate({ ...over, closedAt: now - days(30) }, [policy(30, { from })]).do, from).to.equal('destroy')
    }
  })

  it('waits for every message, those included that have passed the point of no return', () => {
    expect(fate({ ...over, left: 2 }, [policy(30)])).to.deep.equal({ do: 'keep', why: 'messages', count: 2 })
    expect(fate({ ...asked, left: 1, live: [message] })).to.deep.equal({ do: 'keep', why: 'messages', count: 1 })
    expect(fate(asked)).to.deep.equal({ do: 'destroy', rule: { kind: 'request' } })
  })

  it('is stopped by a hold on the patient or the room, whatever its dates, and by one over a message', () => {
    for (const h of [
      { patient: 'pt_1' },
      { room: '!1:h' },
      { room: '!1:h', until: 1 },
      { patient: 'pt_1', user: '@x:h' },
    ])
      for (const f of [over, asked]) expect(fate(f, [policy(30)], [hold(h)])).to.deep.include({ why: 'hold', id: 'h1' })
    const others = [{ patient: 'pt_2' }, { room: '!2:h' }, { user: '@ann:h' }, { room: '!1:h', releasedAt: 1 }]
    for (const h of others) expect(fate(over, [policy(30)], [hold(h)]).do).to.equal('destroy')
    const left = { ...asked, left: 1, live: [message] }
    expect(fate(left, [], [hold({ user: '@ann:h' })])).to.deep.include({ why: 'hold' })
    expect(fate(left, [], [hold({ user: '@bob:h' })])).to.deep.include({ why: 'messages' })
  })

  it('is stopped by a statutory minimum, also when two people ask, and by the one that binds longest', () => {
    const minimum = policy(100, { minimum: true })
    for (const f of [over, asked])
      expect(fate(f, [policy(30), minimum])).to.deep.equal({
        ...{ do: 'keep', why: 'minimum', id: 'p100', until: closedAt + days(100) },
      })
    const ann = policy(900, { id: 'ann', scope: { kind: 'user', user: '@ann:h' }, from: 'sent', minimum: true })
    expect(fate({ ...asked, left: 1, live: [message] }, [minimum, ann])).to.deep.include({
      ...{ id: 'ann', until: message.sentAt + days(900) },
    })
    const sent = policy(300, { from: 'sent', minimum: true })
    expect(fate(asked, [sent]).do, 'on request it runs from the last message').to.equal('destroy')
    expect(fate(over, [policy(30), sent]), 'otherwise from the closing').to.deep.include({ why: 'minimum' })
  })

  it('waits for an export', () => {
    expect(fate({ ...asked, exporting: 'ex_1' })).to.deep.equal({ do: 'keep', why: 'export', id: 'ex_1' })
    expect(fate({ ...over, exporting: 'ex_1' }, [policy(30)])).to.deep.include({ why: 'export' })
  })
})
