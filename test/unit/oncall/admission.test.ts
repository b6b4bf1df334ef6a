import { expect } from 'chai'
import fc from 'fast-check'
import { hours, minutes } from '../../../core/domain/clock.ts'
import { admit, admitAll, budgetDefaults, type Interruption } from '../../../core/domain/oncall/admission/budget.ts'
import { correlationKey, dedupe, dedupeDefaults, type Earlier } from '../../../core/domain/oncall/admission/dedupe.ts'
import { loadReport } from '../../../core/domain/oncall/admission/load.ts'
import { type GuardFacts, guardFor, guardWords, sameName } from '../../../core/domain/oncall/admission/misdirection.ts'
import { advance } from '../../../core/domain/oncall/paging/escalation.ts'
import { priorities } from '../../../core/domain/oncall/paging/priority.ts'
import { at, begin, create, happens, plan, shown, step, user, ward } from '../../support/oncall/paging.ts'
import { seed } from '../../support/random.ts'

const runs = (n: number) => ({ numRuns: process.env.WARDROOM_LONG === '1' ? 100_000 : n, seed })

/** Row 39. */
describe('duplicates and storms', () => {
  const old = (more: Partial<Earlier> = {}): Earlier => ({
    id: 'pg_1',
    key: 'k',
    priority: 'urgent',
    phase: 'open',
    createdAt: begin,
    ...more,
  })
  const comes = (earlier: readonly Earlier[], priority: Earlier['priority'] = 'urgent', key = 'k', now = at(1000)) =>
    dedupe({ key, priority }, earlier, dedupeDefaults, now)

  it('are told by the source’s key, or by what and where', () => {
    const base = { source: 'mon', target: 'role a', what: 'HR  high', where: 'bed 4', priority: 'urgent' as const }
    expect(correlationKey(base)).to.equal(correlationKey({ ...base, what: 'hr high ', priority: 'stat' }))
    expect(correlationKey(base)).to.not.equal(correlationKey({ ...base, where: 'bed 5' }))
    expect(correlationKey({ ...base, key: 'x' })).to.equal(correlationKey({ ...base, key: 'x', what: 'other' }))
  })

  it('join the page that is open, or was accepted lately, and raise it where they are higher', () => {
    expect(comes([old()])).to.deep.equal({ do: 'join', page: 'pg_1', because: 'duplicate', raise: false })
    expect(comes([old({ priority: 'routine' })], 'stat')).to.include({ do: 'join', raise: true })
    const accepted = old({ phase: 'accepted' })
    expect(comes([accepted])).to.include({ do: 'join' })
    expect(comes([accepted], 'urgent', 'k', at(hours(1)))).to.deep.equal({ do: 'new' })
    expect(comes([accepted], 'stat')).to.deep.equal({ do: 'new' })
    expect(comes([old({ phase: 'resolved' })])).to.deep.equal({ do: 'new' })
    expect(comes([old({ phase: 'exhausted' })]), 'nobody would be called').to.deep.equal({ do: 'new' })
    expect(comes([old()], 'urgent', 'k', at(-hours(1)))).to.include({ do: 'join' })
  })

  it('collapse a storm into one page, in which no stat item is hidden', () => {
    const storm = Array.from({ length: 6 }, (_, i) => old({ id: `pg_${i}`, key: `k${i}` }))
    expect(comes(storm, 'urgent', 'new')).to.include({ do: 'join', because: 'storm' })
    expect(comes(storm, 'stat', 'new')).to.deep.equal({ do: 'new' })
    expect(
      comes(
        storm.map(p => ({ ...p, phase: 'accepted' as const })),
        'urgent',
        'new',
      ),
    ).to.deep.equal({ do: 'new' })
    expect(comes(storm, 'urgent', 'new', at(minutes(5)))).to.deep.equal({ do: 'new' })
  })
})

/** Competitor row 10. */
describe('the interruption budget', () => {
  const had = (n: number, priority: Interruption['priority'] = 'urgent', when = begin) =>
    Array.from({ length: n }, () => ({ person: 'ann', at: when, priority }))
  const load = (n: number, shiftEndsAt: number | null = at(hours(1))) => ({ interruptions: had(n), shiftEndsAt })

  it('puts routine pages together, and beyond the budget at the end of the shift', () => {
    const now = at(minutes(7))
    expect(admit('routine', load(0), budgetDefaults, now)).to.deep.equal({
      at: at(minutes(30)),
      because: 'digest',
      over: false,
    })
    expect(admit('routine', load(20), budgetDefaults, now)).to.deep.equal({
      at: at(hours(1)),
      because: 'budget',
      over: true,
    })
    expect(admit('routine', load(20, at(hours(9))), budgetDefaults, now).at).to.equal(
      now + budgetDefaults.longestHoldMs,
    )
  })

  it('spaces a burst of urgent pages by less than a minute', () => {
    expect(admit('urgent', load(2), budgetDefaults, at(1000)).at).to.equal(at(1000))
    expect(admit('urgent', load(3), budgetDefaults, at(1000))).to.deep.equal({
      at: at(minutes(1)),
      because: 'burst',
      over: false,
    })
  })

  it('never holds a stat page, holds nothing for longer than it says, and begins with whoever has room first', () => {
    const rules = fc.record({
      perShift: fc.nat(30),
      digestMs: fc.nat(hours(4)),
      longestHoldMs: fc.nat(hours(3)),
      burst: fc.integer({ min: 1, max: 5 }),
      burstMs: fc.nat(minutes(5)),
    })
    const item = fc.record({
      person: fc.constant('ann'),
      at: fc.integer({ min: -hours(1), max: hours(1) }).map(at),
      priority: fc.constantFrom(...priorities),
    })
    fc.assert(
      fc.property(
        rules,
        fc.array(item, { maxLength: 30 }),
        fc.option(fc.integer({ min: -hours(2), max: hours(20) }).map(at)),
        (r, interruptions, shiftEndsAt) => {
          const of = (p: (typeof priorities)[number]) => admit(p, { interruptions, shiftEndsAt }, r, begin)
          expect(of('stat').at).to.equal(begin)
          expect(of('urgent').at).to.be.within(begin, begin + r.burstMs)
          expect(of('routine').at).to.be.within(begin, begin + r.longestHoldMs)
          expect(admitAll([of('routine'), of('stat')], begin)).to.equal(begin)
        },
      ),
      runs(300),
    )
  })

  it('holds the page itself until then, tells the sender, and lets go when it is raised', () => {
    const p = plan([step([user('ann')])])
    const held = create(p, ward(), { priority: 'routine', startAt: at(minutes(30)) })
    expect(shown(held.effects)).to.deep.equal(['sender created', 'sender held'])
    expect(shown(advance(held.page, at(minutes(30)), ward()).effects)).to.deep.equal(['sender asked', 'matrix ann'])
    const raised = happens(held.page, { kind: 'raise', by: 'sue', priority: 'urgent', plan: p }, at(1000))
    expect(shown(raised.effects)).to.deep.equal(['sender raised', 'sender asked', 'matrix ann'])
  })

  it('is reported by the week, the most interrupted first', () => {
    const one = (person: string, ms: number, answeredMs: number | null) => ({
      person,
      at: at(ms),
      priority: 'urgent' as const,
      answeredAt: answeredMs === null ? null : at(ms + answeredMs),
      overBudget: false,
    })
    const rows = loadReport(
      [one('ann', 0, 1000), one('bob', 1, 5), one('ann', 2, null), one('ann', 3, 3000), one('ann', hours(200), 1)],
      { from: begin, to: at(hours(168)), isNight: person => person === 'bob' },
    )
    expect(rows.map(r => [r.person, r.total, r.night, r.unanswered, r.medianMs])).to.deep.equal([
      ['ann', 3, 0, 1, 1000],
      ['bob', 1, 1, 0, 5],
    ])
  })
})

/** Competitor row 7. */
describe('the misdirection guard', () => {
  const facts = (more: Partial<GuardFacts> = {}): GuardFacts => ({
    onShift: () => true,
    isAbsent: () => false,
    namesakes: () => [],
    standIns: () => ['bob'],
    ...more,
  })

  it('lets a page go to somebody who is here and on the team, and to somebody in no schedule', () => {
    expect(guardFor(['ann'], facts({ onTeam: () => true }))).to.equal(undefined)
    expect(guardFor(['ann'], facts({ onShift: () => undefined }))).to.equal(undefined)
  })

  it('names every doubt and the right person', () => {
    const off = guardFor(['ann'], facts({ onShift: p => p !== 'ann', onTeam: p => p !== 'ann' }))
    expect(off?.reasons.map(r => r.kind)).to.deep.equal(['off_shift', 'not_on_team'])
    expect(off?.right).to.deep.equal(['bob'])
    expect(guardWords(off?.reasons ?? [], () => 'Ann Lee')).to.equal(
      'Ann Lee is not on shift and is not on this patient’s team.',
    )
    expect(guardFor(['ann'], facts({ isAbsent: p => p === 'ann' }))?.reasons.map(r => r.kind)).to.deep.equal(['absent'])
  })

  it('offers a namesake where they could be meant', () => {
    const twins = { namesakes: (p: string) => (p === 'ann' ? ['ann2'] : []) }
    expect(guardFor(['ann'], facts(twins))?.right).to.deep.equal(['ann2'])
    expect(guardFor(['ann'], facts({ ...twins, onTeam: p => p === 'ann' }))).to.equal(undefined)
    expect(sameName('Dr. José García', 'GARCIA, Jose')).to.equal(true)
    expect(sameName('Ann Lee', 'Ann Li')).to.equal(false)
  })

  it('asks the sender first; their answer, or their silence, sends the page', () => {
    const guard = { reasons: [{ person: 'ann', kind: 'off_shift' as const }], intended: ['ann'], right: ['bob'] }
    const asked = create(plan([step([user('ann')])]), ward(), { guard })
    expect(shown(asked.effects)).to.deep.equal(['sender created', 'sender guard'])
    const chosen = happens(asked.page, { kind: 'choose', by: 'sue', people: ['bob'] }, at(1000))
    expect(shown(chosen.effects)).to.deep.equal(['sender asked', 'matrix bob'])
    const silent = advance(asked.page, at(minutes(1)), ward())
    expect(shown(silent.effects)).to.deep.equal(['sender guard_unanswered', 'sender asked', 'matrix ann', 'matrix bob'])
    const stat = create(plan([step([user('ann')])]), ward(), { guard, priority: 'stat' })
    expect(shown(stat.effects)).to.deep.equal([
      'sender created',
      'sender guard',
      'sender asked',
      'matrix ann',
      'matrix bob',
    ])
  })
})
