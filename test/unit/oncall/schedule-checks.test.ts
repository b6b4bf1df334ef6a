import { expect } from 'chai'
import { checkSchedule } from '../../../core/domain/oncall/schedule/check.ts'
import { checkAbsence, checkOverride, checkTemporary } from '../../../core/domain/oncall/schedule/check-change.ts'
import type { Override } from '../../../core/domain/oncall/schedule/schedule.ts'
import {
  answerSwap,
  lapseSwap,
  lapsesAt,
  proposeSwap,
  type Swap,
  type SwapStep,
} from '../../../core/domain/oncall/schedule/swap.ts'
import { whoIsOn } from '../../../core/domain/oncall/schedule/who-is-on.ts'
import { isRefusal } from '../../../core/domain/refusal.ts'
import { at, context, layer, replace, schedule, span, turns, zones } from '../../support/oncall/schedules.ts'

const now = context('2026-06-02 12:00')
const said = (answer: unknown): [string, string] | undefined =>
  isRefusal(answer) ? [answer.code, answer.sentence] : undefined
const code = (answer: unknown): string | undefined => said(answer)?.[0]

describe('a schedule is refused with a sentence', () => {
  const daily = turns('day', '2026-06-01 08:00', ['ann'])
  const withLayer = (more: Parameters<typeof layer>[2], rotation: Parameters<typeof layer>[1] = daily) =>
    checkSchedule(schedule({ layers: [layer('days', rotation, more)] }), now)

  it('passes one that is right', () => {
    expect(checkSchedule(schedule(), now)).to.equal(undefined)
    expect(withLayer({ restrictions: [{ days: [5], from: 22 * 60, to: 6 * 60 }] })).to.equal(undefined)
  })

  it('for a time zone that does not exist', () => {
    for (const zone of ['Mars/Base', '+02:00', '', 'America/New York']) {
      expect(said(checkSchedule(schedule({ zone }), now))).to.deep.equal([
        'unknown-zone',
        `"${zone}" is not a time zone; write it like America/New_York.`,
      ])
    }
  })

  it('for a rotation without people, shifts or length', () => {
    expect(said(withLayer({}, { ...daily, people: [] }))).to.deep.equal([
      'empty-rotation',
      'Layer "days" has nobody who takes turns.',
    ])
    expect(code(withLayer({}, { kind: 'list', shifts: [] }))).to.equal('empty-rotation')
    for (const lengths of [[], [0], [1.5], [-1], [10_001], Array(101).fill(1)]) {
      expect(code(withLayer({}, { ...daily, lengths })), String(lengths)).to.equal('turn-length')
    }
    expect(code(withLayer({}, { ...daily, people: Array(501).fill('ann') }))).to.equal('too-many')
    expect(code(withLayer({}, { ...daily, start: Number.NaN }))).to.equal('implausible-date')
  })

  it('for a restriction that never holds', () => {
    expect(said(withLayer({ restrictions: [{ days: [], from: 0, to: 60 }] }))).to.deep.equal([
      'never-holds',
      'Layer "days": a restriction would never hold, because it names no weekday.',
    ])
    expect(code(withLayer({ restrictions: [{ days: [1], from: 60, to: 60 }] }))).to.equal('never-holds')
    expect(code(withLayer({ restrictions: [{ days: [7], from: 0, to: 60 }] }))).to.equal('bad-restriction')
    const saturdays = [{ days: [5], from: 0, to: 1440 }]
    const monday = {
      kind: 'list' as const,
      shifts: [{ ...span('2026-06-01 08:00', '2026-06-01 20:00'), person: 'ann' }],
    }
    expect(said(withLayer({ restrictions: saturdays }, monday))).to.deep.equal([
      'never-holds',
      'Layer "days" would never put anybody on duty: its times and its restrictions have nothing in common.',
    ])
    expect(code(withLayer({ restrictions: saturdays, ...span('2026-06-01', '2026-06-03') }))).to.equal('never-holds')
  })

  it('for people who do not exist, two layers of one name, an end before the beginning, no fallback', () => {
    expect(said(withLayer({}, { ...daily, people: ['ann', 'zoe'] }))).to.deep.equal([
      'unknown-person',
      'zoe is not a person that Wardroom knows.',
    ])
    expect(code(checkSchedule(schedule({ fallback: 'zoe' }), now))).to.equal('unknown-person')
    expect(code(checkSchedule(schedule({ fallback: '' }), now))).to.equal('no-fallback')
    expect(code(checkSchedule(schedule({ layers: [layer('a', daily), layer('a', daily)] }), now))).to.equal(
      'layer-twice',
    )
    expect(code(withLayer({ from: at('2026-06-03'), to: at('2026-06-03') }))).to.equal('ends-before-start')
  })
})

describe('a change of a schedule is refused with a sentence', () => {
  const add = (from: string, to: string): Override => ({ id: 'o', kind: 'add', person: 'bob', ...span(from, to) })

  it('when it lies in the past or ends before it begins; what has begun counts from now', () => {
    expect(said(checkOverride(add('2026-06-01 08:00', '2026-06-02 12:00'), schedule(), now))).to.deep.equal([
      'in-the-past',
      'The override would have ended at 2026-06-02 12:00 (America/New_York); who was on duty in the past is not changed.',
    ])
    expect(said(checkOverride(add('2026-06-04', '2026-06-03'), schedule(), now))).to.deep.equal([
      'ends-before-start',
      'The override ends before it begins.',
    ])
    expect(checkOverride(add('2026-06-01 08:00', '2026-06-03'), schedule(), now)).to.deep.equal(
      add('2026-06-02 12:00', '2026-06-03'),
    )
    expect(code(checkOverride(add('2026-06-04', '2028-06-04'), schedule(), now))).to.equal('too-long')
    const strange = { ...add('2026-06-04', '2026-06-05'), to: Number.POSITIVE_INFINITY }
    expect(code(checkOverride(strange, schedule(), now))).to.equal('implausible-date')
  })

  it('when it would change nothing or names nobody', () => {
    const gone: Override = { id: 'o', kind: 'remove', person: 'cyd', ...span('2026-06-03', '2026-06-04') }
    expect(said(checkOverride(gone, schedule(), now))).to.deep.equal([
      'not-on-duty',
      'cyd is not on duty at any time of the override, so it would change nothing.',
    ])
    expect(code(checkOverride(replace('o', 'bob', '2026-06-03', '2026-06-04', 'cyd'), schedule(), now))).to.equal(
      'not-on-duty',
    )
    expect(code(checkOverride(replace('o', 'ann', '2026-06-03', '2026-06-04', 'ann'), schedule(), now))).to.equal(
      'same-person',
    )
    expect(code(checkOverride(replace('o', 'zoe', '2026-06-03', '2026-06-04'), schedule(), now))).to.equal(
      'unknown-person',
    )
    const leave = { id: 'a', person: 'ann', ...span('2026-06-03', '2026-06-05') }
    const cover = replace('o', 'bob', '2026-06-03', '2026-06-04', 'ann')
    expect(checkOverride(cover, schedule({ absences: [leave] }), now), 'cover for leave').to.deep.equal(cover)
  })

  it('when a temporary schedule overlaps another, or an absence is not possible', () => {
    const t = (id: string, from: string, to: string) => ({ id, ...span(from, to), layers: [] })
    const s = schedule({ temporary: [t('t1', '2026-07-01', '2026-07-03')] })
    expect(said(checkTemporary(t('t2', '2026-07-02', '2026-07-04'), s, now))).to.deep.equal([
      'overlaps',
      'There is a temporary schedule already, from 2026-07-01 00:00 (America/New_York) to 2026-07-03 00:00 (America/New_York).',
    ])
    expect(code(checkTemporary(t('t2', '2026-07-03', '2026-07-04'), s, now))).to.equal(undefined)
    const empty = { ...t('t3', '2026-08-01', '2026-08-02'), layers: [layer('x', turns('day', '2026-08-01', []))] }
    expect(code(checkTemporary(empty, s, now))).to.equal('empty-rotation')
    const away = (person: string, from: string, to: string) =>
      code(checkAbsence({ id: 'a', person, ...span(from, to) }, 'America/New_York', now))
    expect([away('ann', '2026-06-01', '2026-06-02'), away('zoe', '2026-07-01', '2026-07-02')]).to.deep.equal([
      'in-the-past',
      'unknown-person',
    ])
    expect(away('ann', '2026-07-01', '2026-07-02')).to.equal(undefined)
  })
})

describe('a swap', () => {
  const gives = { ...span('2026-06-06 08:00', '2026-06-08 08:00'), person: 'ann' }
  const takes = { ...span('2026-06-13 08:00', '2026-06-15 08:00'), person: 'bob' }
  const proposal = { id: 'w', gives, takes, partner: 'bob', proposedBy: 'ann' }
  const step = (answer: unknown): SwapStep => {
    if (isRefusal(answer)) throw new Error(answer.sentence)
    return answer as SwapStep
  }
  const proposed = (): Swap => step(proposeSwap(proposal, schedule(), now)).swap
  const yes = (by: string) => ({ by, consents: true })
  const no = (by: string) => ({ by, consents: false })

  it('changes nothing before both consent, then both duties at once', () => {
    const { swap, overrides } = step(proposeSwap(proposal, schedule(), now))
    expect([swap.state, swap.consents, overrides]).to.deep.equal(['proposed', ['ann'], []])
    const agreed = step(answerSwap(swap, yes('bob'), schedule(), now))
    expect(agreed.swap.state).to.equal('in-force')
    const after = schedule({ overrides: agreed.overrides })
    const who = (time: string) => whoIsOn(after, at(time), zones)
    expect(
      ['2026-06-06 07:59', '2026-06-06 08:00', '2026-06-08 08:00', '2026-06-13 08:00'].map(t => who(t).person),
    ).to.deep.equal(['ann', 'bob', 'bob', 'ann'])
    expect(who('2026-06-13 08:00').why).to.deep.equal({ by: 'override', override: 'w-2', swap: 'w' })
  })

  it('wants both consents when somebody else proposes it, each once', () => {
    const { swap } = step(proposeSwap({ ...proposal, proposedBy: 'cyd' }, schedule(), now))
    const one = step(answerSwap(swap, yes('bob'), schedule(), now))
    expect([one.swap.state, one.swap.consents, one.overrides]).to.deep.equal(['proposed', ['bob'], []])
    expect(code(answerSwap(one.swap, yes('bob'), schedule(), now))).to.equal('already-consented')
    expect(code(answerSwap(one.swap, yes('cyd'), schedule(), now))).to.equal('not-theirs')
    expect(step(answerSwap(one.swap, yes('ann'), schedule(), now)).overrides).to.have.lengthOf(2)
  })

  it('is over when declined, withdrawn or late, and then takes no answer', () => {
    const late = context('2026-06-06 08:00')
    expect(lapsesAt(proposed())).to.equal(gives.from)
    for (const [ended, state] of [
      [answerSwap(proposed(), no('bob'), schedule(), now), 'declined'],
      [answerSwap(proposed(), no('ann'), schedule(), now), 'withdrawn'],
      [answerSwap(proposed(), yes('bob'), schedule(), late), 'lapsed'],
      [lapseSwap(proposed(), late.now), 'lapsed'],
    ] as const) {
      const { swap, overrides } = step(ended)
      expect([swap.state, overrides]).to.deep.equal([state, []])
      expect(code(answerSwap(swap, yes('bob'), schedule(), now))).to.equal('settled')
    }
    expect(lapseSwap(proposed(), gives.from - 1).swap.state).to.equal('proposed')
  })

  it('lapses when the schedule was changed meanwhile', () => {
    const changed = schedule({ overrides: [replace('o', 'cyd', '2026-06-07 00:00', '2026-06-07 12:00')] })
    const { swap, overrides, because } = step(answerSwap(proposed(), yes('bob'), changed, now))
    expect([swap.state, overrides, because?.code]).to.deep.equal(['lapsed', [], 'not-on-duty'])
  })

  it('is refused for duties that are not theirs, have begun, or that the other cannot take', () => {
    const propose = (more: Partial<typeof proposal>, s = schedule()) =>
      code(proposeSwap({ ...proposal, ...more }, s, now))
    expect(said(proposeSwap({ ...proposal, gives: { ...gives, person: 'cyd' } }, schedule(), now))).to.deep.equal([
      'not-on-duty',
      'cyd is not on duty all the time from 2026-06-06 08:00 (America/New_York) to 2026-06-08 08:00 (America/New_York).',
    ])
    expect(propose({ partner: 'ann' })).to.equal('same-person')
    expect(propose({ takes: { ...takes, person: 'cyd' } })).to.equal('not-theirs')
    expect(propose({ gives: { ...gives, ...span('2026-06-02 08:00', '2026-06-03 08:00') } })).to.equal('in-the-past')
    expect(propose({ gives: { ...gives, to: gives.from } })).to.equal('ends-before-start')
    const away = { id: 'a', person: 'bob', ...span('2026-06-07', '2026-06-09') }
    expect(propose({}, schedule({ absences: [away] }))).to.equal('absent')
    const already: Override = { id: 'o', kind: 'add', person: 'bob', ...span('2026-06-07', '2026-06-08') }
    expect(propose({}, schedule({ overrides: [already] }))).to.equal('already-on-duty')
  })
})
