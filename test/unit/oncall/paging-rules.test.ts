import { expect } from 'chai'
import fc from 'fast-check'
import { hours, minutes } from '../../../core/domain/clock.ts'
import { admit, admitAll, budgetDefaults, type Interruption } from '../../../core/domain/oncall/paging/budget.ts'
import { correlationKey, dedupe, dedupeDefaults, type Earlier } from '../../../core/domain/oncall/paging/dedupe.ts'
import { advance } from '../../../core/domain/oncall/paging/escalation.ts'
import { loadReport } from '../../../core/domain/oncall/paging/load.ts'
import { type GuardFacts, guardFor, guardWords, sameName } from '../../../core/domain/oncall/paging/misdirection.ts'
import type { News } from '../../../core/domain/oncall/paging/page.ts'
import { newsWords } from '../../../core/domain/oncall/paging/page-words.ts'
import type { Plan, Target } from '../../../core/domain/oncall/paging/policy.ts'
import { checkLadder, checkPolicy, type Directory } from '../../../core/domain/oncall/paging/policy-check.ts'
import { priorities } from '../../../core/domain/oncall/paging/priority.ts'
import { newRef, readRef } from '../../../core/domain/oncall/paging/ref.ts'
import { pageText, readKey, readReaction, readReply } from '../../../core/domain/oncall/paging/reply.ts'
import { at, begin, create, happens, plan, role, rungs, shown, step, user, ward } from '../../support/oncall/paging.ts'
import { seed, seededRandom } from '../../support/random.ts'

const runs = (n: number) => ({ numRuns: process.env.WARDROOM_LONG === '1' ? 100_000 : n, seed })

describe('a page’s short reference', () => {
  it('has a letter and a digit, no look-alikes and no vowels, and is none that is taken', () => {
    const taken = new Set<string>()
    for (let i = 0; i < 3000; i++) {
      const ref = newRef(seededRandom(`ref ${i}`), r => taken.has(r))
      expect(ref).to.match(/^(?=.*\d)(?=.*[A-Z])[34679CDFGHJKMNPQRTWXY]{4}$/)
      expect(readRef(` #${ref.toLowerCase()} `)).to.equal(ref)
      expect(taken.has(ref)).to.equal(false)
      taken.add(ref)
    }
  })

  it('grows where the short ones have run out', () => {
    expect(newRef(seededRandom('full'), r => r.length < 6)).to.have.lengthOf(6)
  })

  it('is all that an SMS says', () => {
    expect(pageText('7Q4K', 'urgent')).to.equal('Urgent page. Open your chat. Ref 7Q4K.')
  })
})

describe('an answer in words', () => {
  it('is understood with and without the reference, in English and Spanish', () => {
    const answers: Record<string, ReturnType<typeof readReply>> = {
      '7q4k': { ref: '7Q4K', answer: 'accept' },
      'Ref 7Q4K.': { ref: '7Q4K', answer: 'accept' },
      '7Q4K no': { ref: '7Q4K', answer: 'decline' },
      'ok, thanks': { answer: 'accept' },
      'On my way!': { answer: 'accept' },
      'I’m on the way': { answer: 'accept' },
      'Sí, voy': { answer: 'accept' },
      'lo tomo': { answer: 'accept' },
      'I can’t': { answer: 'decline' },
      'no puedo': { answer: 'decline' },
      'not ok': { answer: 'decline' },
    }
    for (const [text, answer] of Object.entries(answers)) expect(readReply(text), text).to.deep.equal(answer)
  })

  it('is not guessed: what says more goes on as a message', () => {
    for (const text of [
      'no pulse, come now',
      'ok but what is the potassium',
      'yes no',
      '',
      'the patient',
      '7Q4K what is it',
    ])
      expect(readReply(text), text).to.equal(undefined)
  })

  it('may be a key or a reaction', () => {
    expect([readKey('1'), readKey('2'), readKey('11')]).to.deep.equal(['accept', 'decline', undefined])
    expect([readReaction('👍🏽'), readReaction('✔️'), readReaction('👎'), readReaction('👀')]).to.deep.equal([
      'accept',
      'accept',
      'decline',
      undefined,
    ])
  })
})

describe('the check of an escalation policy', () => {
  const members: Record<string, Target[]> = {
    'role a': [{ kind: 'rotation', rotation: 'r' }],
    'rotation r': [user('ann'), role('b')],
    'role b': [role('a')],
    'role ok': [user('ann')],
    'role half': [role('gone')],
  }
  const directory: Directory = {
    members: t =>
      t.kind === 'user' ? undefined : members[t.kind === 'role' ? `role ${t.role}` : `rotation ${t.rotation}`],
    isPerson: u => u === 'ann',
    isLine: l => l === 'switchboard',
  }
  const check = (p: Plan) => checkPolicy({ name: 'p', plans: { routine: p, urgent: p, stat: p } }, directory)

  it('passes a sound one', () => {
    expect(check(plan([step([role('ok')]), step([user('ann')], { repeat: 2 })]))).to.equal(undefined)
  })

  it('refuses, with the place and the way, what would never end, storm or reach nobody', () => {
    const refusals: [string, Plan][] = [
      ['no-steps', plan([])],
      ['empty-step', plan([step([])])],
      ['wait-too-short', plan([step([user('ann')], { waitMs: 0 })])],
      ['wait-too-short', plan([step([user('ann')], { waitMs: Number.NaN })])],
      ['wait-too-long', plan([step([user('ann')], { waitMs: hours(5) })])],
      ['endless', plan([step([user('ann')], { repeat: Infinity })])],
      ['endless', plan([step([user('ann')], { waitMs: hours(4), repeat: 10 })])],
      ['unknown-target', plan([step([user('eve')])])],
      ['unknown-target', plan([step([role('half')])])],
      ['loop', plan([step([role('a')])])],
      ['acks', plan([step([user('ann')])], { acks: 2 })],
      ['no-fallback', plan([step([user('ann')])], { fallback: { kind: 'user', user: 'eve' } })],
    ]
    for (const [code, p] of refusals) expect(check(p), code).to.include({ code })
    expect(check(plan([step([role('ok')]), step([role('a')])]))?.sentence).to.equal(
      'Policy p, routine, step 2 never reaches a person: role a → rotation r → role b → role a.',
    )
  })

  it('refuses a contact ladder without rungs, without end or without a pause', () => {
    expect(checkLadder(rungs)).to.equal(undefined)
    expect(checkLadder([])).to.include({ code: 'no-rungs' })
    expect(checkLadder(Array.from({ length: 11 }, () => ({ way: 'sms' as const, waitMs: 60_000 })))).to.include({
      code: 'endless',
    })
    expect(
      checkLadder([
        { way: 'sms', waitMs: 0 },
        { way: 'voice', waitMs: 0 },
      ]),
    ).to.include({ code: 'wait-too-short' })
  })
})

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

describe('what the sender reads', () => {
  it('begins with the reference and names people', () => {
    const wording = { name: (p: string) => `Dr ${p}`, time: () => '07:00' }
    const say = (news: News) => newsWords('7Q4K', news, wording)
    expect(say({ kind: 'accepted', person: 'ann', have: 1, need: 1 })).to.equal('7Q4K: Dr ann has accepted.')
    expect(say({ kind: 'asked', people: ['ann', 'bob', 'cy'], step: 0 })).to.equal(
      '7Q4K: Calling Dr ann, Dr bob and Dr cy.',
    )
    expect(say({ kind: 'exhausted', fallback: { kind: 'line', line: 'switchboard' }, have: 0, need: 1 })).to.contain(
      'Calling the fallback: switchboard.',
    )
  })
})
