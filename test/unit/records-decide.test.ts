import { expect } from 'chai'
import fc from 'fast-check'
import { days, hours, type Instant } from '../../core/domain/clock.ts'
import { decide, removalGrace } from '../../core/domain/records/decide.ts'
import { type RecordFacts, recordClasses } from '../../core/domain/records/facts.ts'
import { type Hold, holdOver } from '../../core/domain/records/hold.ts'
import { type Policy, windowBases } from '../../core/domain/records/policy.ts'
import { seed } from '../support/random.ts'

const sent = Date.UTC(2026, 0, 1)
const message = (more: Partial<RecordFacts> = {}): RecordFacts => ({
  event: '$a',
  room: '!r',
  class: 'staff',
  sender: '@ann:h',
  labels: [],
  sentAt: sent,
  roomActiveAt: sent,
  ...more,
})
const policy = (id: string, scope: Policy['scope'], keepDays: number | null, more: Partial<Policy> = {}): Policy => ({
  id,
  scope,
  from: 'sent',
  keepMs: keepDays === null ? null : days(keepDays),
  minimum: false,
  ...more,
})
const everywhere = { kind: 'organisation' } as const

/** Rows 32, 33, 34, 49. */
describe('what becomes of a message', () => {
  const at = (n: number): Instant => sent + days(n)

  it('stays where no rule says that it goes', () => {
    expect(decide(message(), { policies: [], holds: [] }, at(5000))).to.deep.equal({
      do: 'keep',
      rule: { kind: 'none' },
      until: null,
    })
  })

  it('follows the most specific window: label, then user, room, class, organisation', () => {
    const policies = [
      policy('o', everywhere, 10),
      policy('c', { kind: 'class', class: 'staff' }, 20),
      policy('r', { kind: 'room', room: '!r' }, 30),
      policy('u', { kind: 'user', user: '@ann:h' }, 40),
      policy('l', { kind: 'label', label: 'billing' }, 50),
    ]
    const labelled = message({ labels: ['billing'] })
    for (const [facts, last, id] of [
      [message({ class: 'desk', room: '!x', sender: '@bob:h' }), 10, 'o'],
      [message({ room: '!x', sender: '@bob:h' }), 20, 'c'],
      [message({ sender: '@bob:h' }), 30, 'r'],
      [message(), 40, 'u'],
      [labelled, 50, 'l'],
    ] as const) {
      const rule = { kind: 'window', id }
      expect(decide(facts, { policies, holds: [] }, at(last) - 1)).to.deep.equal({ do: 'keep', rule, until: at(last) })
      expect(decide(facts, { policies, holds: [] }, at(last))).to.deep.equal({ do: 'destroy', rule })
    }
  })

  it('keeps a message with two labels as long as the longer one says', () => {
    const policies = [policy('a', { kind: 'label', label: 'a' }, 5), policy('b', { kind: 'label', label: 'b' }, 9)]
    expect(decide(message({ labels: ['a', 'b'] }), { policies, holds: [] }, at(6)).do).to.equal('keep')
  })

  it('does not begin a window from discharge or reading before there was one', () => {
    for (const from of ['discharge', 'read'] as const) {
      const policies = [policy('w', everywhere, 1, { from })]
      expect(decide(message(), { policies, holds: [] }, at(9999))).to.deep.include({ do: 'keep', until: null })
      const begun = from === 'read' ? { readAt: at(3) } : { dischargedAt: at(3) }
      expect(decide(message(begun), { policies, holds: [] }, at(4)).do).to.equal('destroy')
      expect(decide(message(begun), { policies, holds: [] }, at(4) - 1).do).to.equal('keep')
    }
  })

  it('keeps under a hold whatever a window says, and destroys after the release', () => {
    const policies = [policy('o', everywhere, 10)]
    const hold: Hold = { id: 'h', room: '!r', placedAt: at(1) }
    expect(decide(message(), { policies, holds: [hold] }, at(99))).to.deep.equal({
      do: 'keep',
      rule: { kind: 'hold', id: 'h' },
      until: null,
    })
    const released = { ...hold, releasedAt: at(100) }
    expect(decide(message(), { policies, holds: [released] }, at(100)).do).to.equal('destroy')
  })

  it('hides a recalled message under a hold or a minimum, and destroys it otherwise', () => {
    const recalled = message({ recalledAt: at(1) })
    expect(decide(recalled, { policies: [], holds: [] }, at(1))).to.deep.equal({
      do: 'destroy',
      rule: { kind: 'recall' },
    })
    const hold: Hold = { id: 'h', user: '@ann:h', placedAt: at(0) }
    expect(decide(recalled, { policies: [], holds: [hold] }, at(2))).to.deep.include({
      do: 'hide',
      binds: { kind: 'hold', id: 'h' },
    })
    const policies = [policy('min', everywhere, 365, { minimum: true })]
    expect(decide(recalled, { policies, holds: [] }, at(2))).to.deep.include({ do: 'hide', until: at(365) })
    expect(decide(recalled, { policies, holds: [] }, at(365)).do).to.equal('destroy')
  })

  it('keeps for seven days what a client removed, so that a hold can still have it', () => {
    const removed = message({ removedAt: at(1) })
    expect(decide(removed, { policies: [], holds: [] }, at(8) - 1)).to.deep.include({
      do: 'hide',
      until: at(1) + removalGrace,
    })
    expect(decide(removed, { policies: [], holds: [] }, at(8)).do).to.equal('destroy')
  })

  it('lets an edit go when what it replaces goes, unless a hold or a minimum binds the edit itself', () => {
    const policies = [policy('o', everywhere, 10)]
    const edit = message({ event: '$e', sentAt: at(9), edited: { labels: [], sentAt: sent } })
    expect(decide(edit, { policies, holds: [] }, at(10))).to.deep.equal({
      do: 'destroy',
      rule: { kind: 'window', id: 'o' },
    })
    const recalled = { ...edit, edited: { labels: [], sentAt: sent, recalledAt: at(1) } }
    expect(decide(recalled, { policies: [], holds: [] }, at(9)).do).to.equal('destroy')
    const minimum = policy('min', everywhere, 5, { minimum: true })
    expect(decide(edit, { policies: [...policies, minimum], holds: [] }, at(10))).to.deep.include({ until: at(14) })
    for (const since of [at(8), undefined])
      expect(
        decide(
          edit,
          { policies, holds: [{ id: 'h', room: '!r', since, until: since ? undefined : at(1), placedAt: sent }] },
          at(10),
        ),
        'over the edit, or over what it replaces',
      ).to.deep.include({ do: 'keep', rule: { kind: 'hold', id: 'h' } })
  })

  it('lets a minimum keep a message beyond the window of a label', () => {
    const policies = [
      policy('short', { kind: 'label', label: 'x' }, 1),
      policy('min', everywhere, 30, { minimum: true }),
    ]
    const facts = message({ labels: ['x'] })
    const kept = { do: 'keep', rule: { kind: 'minimum', id: 'min' }, until: at(30) }
    expect(decide(facts, { policies, holds: [] }, at(0))).to.deep.equal(kept)
    expect(decide(facts, { policies, holds: [] }, at(2))).to.deep.equal(kept)
    expect(decide(facts, { policies, holds: [] }, at(30)).do).to.equal('destroy')
  })
})

const name = fc.constantFrom('1', '2', '3')
const instant = fc.integer({ min: 0, max: 400 }).map(h => sent + hours(h))
const facts: fc.Arbitrary<RecordFacts> = fc.record({
  event: name.map(n => `$${n}`),
  room: name.map(n => `!${n}`),
  class: fc.constantFrom(...recordClasses),
  sender: name.map(n => `@${n}:h`),
  patient: fc.option(name, { nil: undefined }),
  labels: fc.uniqueArray(name, { maxLength: 2 }),
  sentAt: instant,
  roomActiveAt: instant,
  dischargedAt: fc.option(instant, { nil: undefined }),
  readAt: fc.option(instant, { nil: undefined }),
  recalledAt: fc.option(instant, { nil: undefined, freq: 3 }),
  removedAt: fc.option(instant, { nil: undefined, freq: 3 }),
  edited: fc.option(
    fc.record({
      labels: fc.uniqueArray(name, { maxLength: 2 }),
      sentAt: instant,
      readAt: fc.option(instant, { nil: undefined }),
      recalledAt: fc.option(instant, { nil: undefined, freq: 3 }),
      removedAt: fc.option(instant, { nil: undefined, freq: 3 }),
    }),
    { nil: undefined },
  ),
})
const scope: fc.Arbitrary<Policy['scope']> = fc.oneof(
  fc.constant(everywhere),
  fc.constantFrom(...recordClasses).map(c => ({ kind: 'class' as const, class: c })),
  name.map(n => ({ kind: 'room' as const, room: `!${n}` })),
  name.map(n => ({ kind: 'user' as const, user: `@${n}:h` })),
  name.map(n => ({ kind: 'label' as const, label: n })),
)
const policies: fc.Arbitrary<Policy[]> = fc.uniqueArray(
  fc.record({
    id: fc.string({ minLength: 1, maxLength: 3 }),
    scope,
    from: fc.constantFrom(...windowBases),
    keepMs: fc.option(fc.integer({ min: 1, max: 300 }).map(hours), { nil: null }),
    minimum: fc.boolean(),
  }),
  { selector: p => p.id, maxLength: 5 },
)
const hold: fc.Arbitrary<Hold> = fc.record({
  id: fc.string({ minLength: 1, maxLength: 3 }),
  room: fc.option(
    name.map(n => `!${n}`),
    { nil: undefined },
  ),
  user: fc.option(
    name.map(n => `@${n}:h`),
    { nil: undefined },
  ),
  patient: fc.option(name, { nil: undefined }),
  since: fc.option(instant, { nil: undefined }),
  until: fc.option(instant, { nil: undefined }),
  placedAt: instant,
  releasedAt: fc.option(instant, { nil: undefined }),
})
const rules = fc.record({ policies, holds: fc.array(hold, { maxLength: 3 }) })
const runs = { seed, numRuns: process.env.WARDROOM_LONG === '1' ? 1_000_000 : 20_000 }

describe('what becomes of a message, whatever the rules', function () {
  this.timeout(process.env.WARDROOM_LONG === '1' ? 900_000 : 60_000)

  it('is never its destruction under a hold or before a minimum is over', () => {
    fc.assert(
      fc.property(facts, rules, instant, (f, r, now) => {
        const decision = decide(f, r, now)
        if (decision.do !== 'destroy') return
        expect(holdOver(r.holds, f)).to.equal(undefined)
        expect(decide(f, { ...r, policies: r.policies.filter(p => !p.minimum) }, now).do).to.equal('destroy')
      }),
      runs,
    )
  })

  it('does not depend on the order in which rules are listed', () => {
    fc.assert(
      fc.property(facts, rules, instant, (f, r, now) => {
        const turned = { policies: r.policies.toReversed(), holds: r.holds }
        expect(decide(f, turned, now)).to.deep.equal(decide(f, r, now))
      }),
      { ...runs, numRuns: runs.numRuns / 10 },
    )
  })

  it('comes true when its time has come: what is kept until an instant is not kept by that rule then', () => {
    fc.assert(
      fc.property(facts, rules, instant, (f, r, now) => {
        const decision = decide(f, r, now)
        if (decision.do === 'destroy' || decision.until === null) return
        expect(decision.until).to.be.greaterThan(now)
        expect(decide(f, r, decision.until).do).to.equal('destroy')
      }),
      { ...runs, numRuns: runs.numRuns / 10 },
    )
  })

  it('is at once what it was without a hold as soon as the hold is released', () => {
    fc.assert(
      fc.property(facts, rules, instant, (f, r, now) => {
        const released = { ...r, holds: r.holds.map(h => ({ ...h, releasedAt: now })) }
        expect(decide(f, released, now)).to.deep.equal(decide(f, { ...r, holds: [] }, now))
      }),
      { ...runs, numRuns: runs.numRuns / 10 },
    )
  })
})
