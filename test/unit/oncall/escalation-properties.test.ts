import { expect } from 'chai'
import fc from 'fast-check'
import { hours, type Instant, minutes, seconds } from '../../../core/domain/clock.ts'
import { advance, createPage, type NewPage } from '../../../core/domain/oncall/paging/escalation.ts'
import { onEvent } from '../../../core/domain/oncall/paging/events.ts'
import type { Rung } from '../../../core/domain/oncall/paging/ladder.ts'
import type { Page, PageEffect, PageEvent, PagingPorts } from '../../../core/domain/oncall/paging/page.ts'
import type { Plan, Target } from '../../../core/domain/oncall/paging/policy.ts'
import { checkPolicy, type Directory } from '../../../core/domain/oncall/paging/policy-check.ts'
import { priorities } from '../../../core/domain/oncall/paging/priority.ts'
import { isDue, nextDue, shift } from '../../../core/domain/oncall/paging/timeline.ts'
import { isRefusal } from '../../../core/domain/refusal.ts'
import { begin, plan, role, shown, user, ward } from '../../support/oncall/paging.ts'
import { seed } from '../../support/random.ts'

const long = process.env.WARDROOM_LONG === '1'
const runs = (n: number) => ({ numRuns: long ? 1_000_000 : n, seed })

const names = ['ann', 'bob', 'cy', 'dan'] as const
const someone = fc.constantFrom(...names)
const target: fc.Arbitrary<Target> = fc.oneof(
  someone.map(user),
  fc.constantFrom('cardiology', 'surgery', 'empty').map(role),
)
const wait = fc.integer({ min: 15, max: 600 }).map(seconds)
const aPlan: fc.Arbitrary<Plan> = fc
  .record({
    steps: fc.array(
      fc.record({
        targets: fc.array(target, { minLength: 1, maxLength: 3 }),
        ask: fc.constantFrom('all' as const, 'first' as const),
        waitMs: wait,
        repeat: fc.integer({ min: 0, max: 2 }),
      }),
      { minLength: 1, maxLength: 3 },
    ),
    acks: fc.constantFrom(1, 1, 1, 2),
    fallback: fc.oneof(
      fc.constant({ kind: 'line' as const, line: 'switchboard' }),
      someone.map(u => ({ kind: 'user' as const, user: u })),
    ),
  })
  .map(p => plan(p.steps, p))

const ladder: fc.Arbitrary<Rung[]> = fc.array(
  fc.record({ way: fc.constantFrom('matrix' as const, 'sms' as const, 'voice' as const), waitMs: wait }),
  { maxLength: 3 },
)
const quietEnd = fc.option(
  fc.integer({ min: 0, max: 300 }).map(m => begin + minutes(m)),
  { nil: undefined },
)
const perPerson = <T>(of: fc.Arbitrary<T>) =>
  fc.tuple(of, of, of, of).map(all => names.map((n, i) => [n, all[i]] as const))
const duty = { cardiology: ['ann', 'bob'], surgery: ['cy'] }

const aWard = (withQuiet: boolean): fc.Arbitrary<PagingPorts> =>
  fc.record({ ladders: perPerson(ladder), quiets: perPerson(quietEnd) }).map(({ ladders, quiets }) =>
    ward({
      duty,
      rungs: Object.fromEntries(ladders) as Record<string, Rung[]>,
      quiet: withQuiet
        ? Object.fromEntries(quiets.filter((q): q is [(typeof names)[number], number] => q[1] !== undefined))
        : {},
    }),
  )

const aPage: fc.Arbitrary<NewPage> = fc.record({
  id: fc.constant('pg_1'),
  ref: fc.constant('7Q4K'),
  priority: fc.constantFrom(...priorities),
  sender: fc.constant('sue'),
  plan: aPlan,
  guard: fc.option(
    someone.map(p => ({ reasons: [{ person: p, kind: 'off_shift' as const }], intended: [p], right: ['cy'] })),
    { freq: 4 },
  ),
  startAt: fc.option(fc.integer({ min: 0, max: 120 }).map(m => begin + minutes(m))),
})

type Step =
  | { do: 'event'; event: PageEvent }
  | { do: 'wait'; ms: number; advances: number }
  | { do: 'clock'; ms: number; seen: boolean }
const way = fc.constantFrom('reply', 'command', 'reaction', 'sms', 'voice', 'web') as fc.Arbitrary<'reply'>
const event: fc.Arbitrary<PageEvent> = fc.oneof(
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('accept' as const),
      by: fc.constantFrom(...names, 'eve', 'switchboard'),
      way,
    }),
  },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('decline' as const), by: someone, way }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('hand_over' as const), by: someone, to: target }) },
  {
    weight: 4,
    arbitrary: fc.record({ kind: fc.constant('failed' as const), key: fc.integer({ min: 1, max: 15 }).map(String) }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('again' as const), by: fc.constantFrom('sue', 'tom') }) },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('raise' as const),
      by: fc.constant('sue'),
      priority: fc.constantFrom(...priorities),
      plan: aPlan,
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('choose' as const),
      by: fc.constantFrom('sue', 'tom'),
      people: fc.array(someone, { maxLength: 2 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('resolve' as const), by: fc.constantFrom('sue', 'eve') }) },
)
const aStep: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ do: fc.constant('event' as const), event }) },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('wait' as const),
      ms: fc.integer({ min: 0, max: 1200 }).map(seconds),
      advances: fc.integer({ min: 0, max: 2 }),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('clock' as const),
      ms: fc.constantFrom(-hours(1), hours(1), -1500, 700),
      seen: fc.boolean(),
    }),
  },
)

type World = { page: Page; now: Instant; ports: PagingPorts; effects: PageEffect[] }

/** As the store does it: what has left the page waits for nobody's memory. */
const turn = (w: World, made: { page: Page; effects: readonly PageEffect[] }): void => {
  // What the database keeps is JSON, and nothing else survives.
  w.page = JSON.parse(JSON.stringify(made.page)) as Page
  w.effects.push(...made.effects)
}
const advanceNow = (w: World): void => turn(w, advance(w.page, w.now, w.ports))

const take = (w: World, s: Step): void => {
  if (s.do === 'event') {
    const made = onEvent(w.page, s.event, w.now, w.ports)
    if (!isRefusal(made)) turn(w, made)
  } else if (s.do === 'wait') {
    w.now += s.ms
    for (let i = 0; i < s.advances; i++) advanceNow(w)
  } else {
    w.now += s.ms
    if (s.seen) w.page = shift(w.page, s.ms)
  }
}

/** Nothing of a page may ever stand still: somebody has it, somebody is named, or something is due. */
const isSafe = (p: Page): boolean => {
  if (p.phase === 'asking' || p.phase === 'held' || p.phase === 'open') return nextDue(p) !== null && p.dueAt !== null
  if (p.phase === 'accepted') return p.acceptedBy.length >= p.plan.acks && (p.handover === null) === (p.dueAt === null)
  return true
}

const finish = (w: World): void => {
  for (let i = 0, due = nextDue(w.page); due !== null; due = nextDue(w.page), i++) {
    expect(i, 'turns until the end').to.be.lessThan(1000)
    w.now = Math.max(w.now, due)
    expect(isDue(w.page, w.now)).to.equal(true)
    advanceNow(w)
  }
}
const toldOf = (w: World, kinds: readonly string[]): boolean =>
  w.effects.some(e => e.do === 'tell' && e.to.includes('sue') && kinds.includes(e.news.kind))

const ends: Record<string, readonly string[]> = {
  accepted: ['accepted', 'handed_over'],
  resolved: ['resolved'],
  exhausted: ['exhausted'],
}

/** Rows 38, 39; issue 5.11: pages lost 0. */
describe('a page, whatever happens', function () {
  if (long) this.timeout(hours(2))

  it('ends accepted, resolved or with its fallback called, and its sender is told; every message carries its reference', () => {
    fc.assert(
      fc.property(aPage, aWard(true), fc.array(aStep, { maxLength: 30, size: 'max' }), (given, ports, steps) => {
        const w: World = { ...createPage(given, begin, ports), now: begin, ports, effects: [] }
        turn(w, createPage(given, begin, ports))
        for (const s of steps) {
          take(w, s)
          expect(isSafe(w.page), JSON.stringify(w.page)).to.equal(true)
        }
        finish(w)
        expect(Object.keys(ends)).to.include(w.page.phase)
        expect(toldOf(w, ends[w.page.phase] ?? [])).to.equal(true)
        if (w.page.phase === 'exhausted') {
          const { fallback } = w.page.plan
          const called = w.effects.some(e =>
            e.do === 'call_line'
              ? fallback.kind === 'line'
              : e.do === 'send' && fallback.kind === 'user' && e.person === fallback.user,
          )
          expect(called || toldOf(w, ['fallback_failed'])).to.equal(true)
        }
        expect(w.effects.every(e => e.ref === '7Q4K')).to.equal(true)
        const keys = w.effects.flatMap(e => (e.do === 'send' || e.do === 'call_line' ? [e.key] : []))
        expect(new Set(keys).size).to.equal(keys.length)
      }),
      runs(800),
    )
  })

  it('has the same effects in the same order however late it is advanced, and twice gives nothing new', () => {
    const lateness = fc.array(fc.integer({ min: 0, max: 7200 }).map(seconds), { minLength: 1, maxLength: 8 })
    fc.assert(
      fc.property(aPage, aWard(false), lateness, (given, ports, lates) => {
        const started = createPage({ ...given, startAt: null }, begin, ports)
        const effectsOf = (late: (i: number) => number): PageEffect[] => {
          const effects = [...started.effects]
          let page = started.page
          for (let i = 0, due = nextDue(page); due !== null; due = nextDue(page), i++) {
            const now = Math.max(due, page.at) + late(i)
            const made = advance(page, now, ports)
            expect(advance(made.page, now, ports)).to.deep.equal({ page: made.page, effects: [] })
            effects.push(...made.effects)
            page = made.page
          }
          return effects
        }
        expect(effectsOf(i => lates[i % lates.length] ?? 0)).to.deep.equal(effectsOf(() => 0))
      }),
      runs(500),
    )
  })

  it('calls somebody at once for a stat page, whatever budget, quiet hours, digest or guard there is', () => {
    fc.assert(
      fc.property(aPage, aWard(true), (given, ports) => {
        const turned = createPage({ ...given, priority: 'stat' }, begin, ports)
        const kinds = shown(turned.effects)
        expect(kinds).to.not.include('sender held')
        expect(
          turned.effects.some(e => e.do === 'send' || e.do === 'call_line') || kinds.includes('sender fallback_failed'),
        ).to.equal(true)
        let page = turned.page
        for (let due = nextDue(page); due !== null; due = nextDue(page)) {
          const made = advance(page, due, ports)
          expect(shown(made.effects)).to.not.include('sender quiet')
          page = made.page
        }
      }),
      runs(300),
    )
  })

  it('is no later than its own waits after the clock went back unseen, by any amount', () => {
    fc.assert(
      fc.property(aPage, aWard(false), fc.integer({ min: 1, max: 7_200_000 }), (given, ports, back) => {
        const { page } = createPage({ ...given, startAt: null }, begin, ports)
        const due = nextDue(page)
        if (due === null) return
        const now = begin - back
        expect(isDue(page, now)).to.equal(true)
        const turned = advance(page, now, ports)
        expect(turned.effects).to.deep.equal([])
        expect(nextDue(turned.page)).to.equal(now + (due - begin))
      }),
      runs(300),
    )
  })

  it('is only made by policies that the check lets through', () => {
    const directory: Directory = {
      members: t => (t.kind === 'role' && t.role in { ...duty, empty: [] } ? [] : undefined),
      isPerson: u => (names as readonly string[]).includes(u),
      isLine: l => l === 'switchboard',
    }
    fc.assert(
      fc.property(aPlan, p => {
        const wrong = checkPolicy({ name: 'p', plans: { routine: p, urgent: p, stat: p } }, directory)
        expect(wrong?.code ?? 'acks').to.equal('acks')
      }),
      runs(200),
    )
  })
})
