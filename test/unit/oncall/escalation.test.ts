import { expect } from 'chai'
import { hours } from '../../../core/domain/clock.ts'
import { advance } from '../../../core/domain/oncall/paging/escalation.ts'
import { onEvent } from '../../../core/domain/oncall/paging/events.ts'
import type { Page, PagingPorts } from '../../../core/domain/oncall/paging/page.ts'
import { clockStep, isDue, nextDue, shift } from '../../../core/domain/oncall/paging/timeline.ts'
import {
  at,
  begin,
  create,
  happens,
  minutes,
  plan,
  role,
  seconds,
  shown,
  step,
  user,
  ward,
} from '../../support/oncall/paging.ts'

/** Lets everything happen when it is due; `minute effect` for each. */
const run = (page: Page, ports: PagingPorts): { page: Page; effects: string[] } => {
  const effects: string[] = []
  for (let due = nextDue(page); due !== null; due = nextDue(page)) {
    const turn = advance(page, due, ports)
    effects.push(...shown(turn.effects).map(e => `${(turn.page.at - begin) / 60_000} ${e}`))
    page = turn.page
  }
  return { page, effects }
}
const two = plan([step([user('ann')]), step([role('cardiology')])])
const onDuty = ward({ duty: { cardiology: ['bob'] } })

/** Rows 37, 38. */
describe('a page that nobody answers', () => {
  it('climbs the ladder, goes to the next step, then to the named fallback, and the sender hears of each', () => {
    const first = create(two, onDuty)
    expect(shown(first.effects)).to.deep.equal(['sender created', 'sender asked', 'matrix ann'])
    const { page, effects } = run(first.page, onDuty)
    expect(effects).to.deep.equal([
      '1 sms ann',
      '3 voice ann',
      '5 sender ignored',
      '5 sender asked',
      '5 matrix bob',
      '6 sms bob',
      '8 voice bob',
      '10 sender ignored',
      '10 sender exhausted',
      '10 call switchboard',
    ])
    expect(page.phase).to.equal('exhausted')
    expect(nextDue(page)).to.equal(null)
  })

  it('asks one after another, and does a step again as often as it says', () => {
    const p = plan([step([user('ann'), user('bob')], { ask: 'first', waitMs: seconds(30), repeat: 1 })])
    const only = ward({ rungs: { ann: [{ way: 'matrix', waitMs: 0 }], bob: [{ way: 'matrix', waitMs: 0 }] } })
    const first = create(p, only)
    const sends = [...shown(first.effects), ...run(first.page, only).effects].filter(e => e.includes('matrix'))
    expect(sends).to.deep.equal(['matrix ann', '0.5 matrix bob', '1 matrix ann', '1.5 matrix bob'])
  })

  it('goes on at once where nobody is on duty or nobody can be reached, down to the fallback', () => {
    const nobody = create(plan([step([role('empty')]), step([user('ann')])]), ward({ rungs: { ann: [] } }))
    expect(shown(nobody.effects)).to.deep.equal([
      'sender created',
      'sender nobody',
      'sender asked',
      'sender unreachable',
      'sender exhausted',
      'call switchboard',
    ])
  })

  it('calls a fallback person through do-not-disturb, and says when they cannot be reached either', () => {
    const p = plan([step([user('ann')])], { fallback: { kind: 'user', user: 'dan' } })
    const ports = ward({ quiet: { dan: at(hours(9)) }, rungs: { ann: [] } })
    const first = create(p, ports)
    expect(run(first.page, ports).effects).to.deep.equal(['1 sms dan', '3 voice dan', '5 sender fallback_failed'])
    const late = happens(run(first.page, ports).page, { kind: 'accept', by: 'dan', way: 'sms' }, at(minutes(9)), ports)
    expect(late.page.acceptedBy).to.deep.equal(['dan'])
    const declined = happens(first.page, { kind: 'decline', by: 'dan', way: 'reply' }, at(1000), ports)
    expect(shown(declined.effects).filter(e => e.includes('fallback'))).to.deep.equal(['sender fallback_failed'])
    expect(nextDue(declined.page)).to.equal(null)
    const deaf = ward({ rungs: { ann: [], dan: [] } })
    expect(shown(create(p, deaf).effects).at(-1)).to.equal('sender fallback_failed')
  })
})

describe('the line that is the fallback', () => {
  it('declines with its key as it does by not answering: the sender hears it, once', () => {
    const { page } = run(create(two, onDuty).page, onDuty)
    const { lineKey } = page
    const declined = happens(page, { kind: 'decline', by: 'switchboard', way: 'voice' }, at(minutes(11)), onDuty)
    expect(shown(declined.effects)).to.deep.equal(['sender fallback_failed'])
    const over = happens(declined.page, { kind: 'failed', key: lineKey ?? '' }, at(minutes(12)), onDuty)
    expect(over.effects).to.deep.equal([])
    const again = happens(over.page, { kind: 'decline', by: 'switchboard', way: 'voice' }, at(minutes(12)), onDuty)
    expect(again.effects).to.deep.equal([])
    const late = happens(again.page, { kind: 'accept', by: 'switchboard', way: 'voice' }, at(minutes(13)), onDuty)
    expect(late.page.phase).to.equal('accepted')
  })
})

describe('a person’s contact ladder', () => {
  it('goes to the next rung at once when one fails, and to the next person when all have', () => {
    const { page } = create(two, onDuty)
    const sms = happens(page, { kind: 'failed', key: '1' }, at(100), onDuty)
    expect(shown(sms.effects)).to.deep.equal(['sms ann'])
    expect(happens(sms.page, { kind: 'failed', key: '1' }, at(150), onDuty).effects).to.deep.equal([])
    const voice = happens(sms.page, { kind: 'failed', key: '2' }, at(200), onDuty)
    expect(shown(voice.effects)).to.deep.equal(['voice ann'])
    const next = happens(voice.page, { kind: 'failed', key: '3' }, at(300), onDuty)
    expect(shown(next.effects)).to.deep.equal(['sender unreachable', 'sender asked', 'matrix bob'])
  })

  it('holds SMS and calls until do-not-disturb ends, and tells the sender; stat does not wait', () => {
    const p = plan([step([user('ann')], { waitMs: hours(3) })])
    const ports = ward({ quiet: { ann: at(hours(2)) } })
    expect(run(create(p, ports).page, ports).effects.slice(0, 3)).to.deep.equal([
      '1 sender quiet',
      '120 sms ann',
      '122 voice ann',
    ])
    expect(run(create(p, ports, { priority: 'stat' }).page, ports).effects.slice(0, 2)).to.deep.equal([
      '1 sms ann',
      '3 voice ann',
    ])
  })

  it('calls anew, and through do-not-disturb, when the page is raised to stat', () => {
    const p = plan([step([user('ann')], { waitMs: hours(3) })])
    const ports = ward({ quiet: { ann: at(hours(2)) } })
    const held = advance(create(p, ports).page, at(minutes(1)), ports).page
    const raised = happens(held, { kind: 'raise', by: 'sue', priority: 'stat', plan: p }, at(minutes(2)), ports)
    expect(shown(raised.effects)).to.deep.equal(['sender raised', 'update ann ×1', 'sender asked', 'matrix ann'])
    expect(run(raised.page, ports).effects.slice(0, 2)).to.deep.equal(['3 sms ann', '5 voice ann'])
    const lowered = happens(
      raised.page,
      { kind: 'raise', by: 'sue', priority: 'routine', plan: p },
      at(minutes(2)),
      ports,
    )
    expect(lowered).to.deep.equal({ page: raised.page, effects: [] })
  })
})

describe('an answer to a page', () => {
  it('ends the calls, confirms, tells the sender and stands the others down', () => {
    const { page } = create(plan([step([user('ann'), user('bob')])]))
    const turn = happens(page, { kind: 'accept', by: 'bob', way: 'sms' }, at(1000))
    expect(shown(turn.effects)).to.deep.equal(['confirm bob accepted', 'sender accepted', 'stand down ann'])
    expect(nextDue(turn.page)).to.equal(null)
    expect(happens(turn.page, { kind: 'accept', by: 'bob', way: 'voice' }, at(2000)).effects).to.deep.equal([])
    expect(onEvent(turn.page, { kind: 'accept', by: 'ann', way: 'reply' }, at(2000), ward())).to.include({
      code: 'already-accepted',
    })
  })

  it('counts from whom the page asked only, except by command', () => {
    const { page } = create(two, onDuty)
    for (const way of ['reaction', 'reply', 'sms', 'voice'] as const)
      expect(onEvent(page, { kind: 'accept', by: 'eve', way }, at(1000), onDuty)).to.include({ code: 'not-asked' })
    expect(
      happens(page, { kind: 'accept', by: 'eve', way: 'command' }, at(1000), onDuty).page.acceptedBy,
    ).to.deep.equal(['eve'])
  })

  it('goes to the next person at once after a decline, and counts late from one who did not answer in time', () => {
    const declined = happens(create(two, onDuty).page, { kind: 'decline', by: 'ann', way: 'reply' }, at(1000), onDuty)
    expect(shown(declined.effects)).to.deep.equal([
      'sender declined',
      'confirm ann declined',
      'sender asked',
      'matrix bob',
    ])
    const late = advance(create(two, onDuty).page, at(minutes(5)), onDuty).page
    expect(happens(late, { kind: 'accept', by: 'ann', way: 'sms' }, at(minutes(6)), onDuty).page.phase).to.equal(
      'accepted',
    )
  })

  it('waits for as many as the policy wants', () => {
    const p = plan([step([user('ann'), user('bob'), user('cy')])], { acks: 2 })
    const one = happens(create(p).page, { kind: 'accept', by: 'ann', way: 'reply' }, at(1000))
    expect(one.page.phase).to.equal('open')
    expect(happens(one.page, { kind: 'accept', by: 'cy', way: 'reply' }, at(2000)).page.phase).to.equal('accepted')
    expect(run(one.page, ward()).effects.at(-1)).to.equal('5 call switchboard')
  })

  it('goes on where it stood when somebody gives an accepted page back', () => {
    const taken = happens(create(two, onDuty).page, { kind: 'accept', by: 'ann', way: 'reply' }, at(1000), onDuty)
    const back = happens(taken.page, { kind: 'decline', by: 'ann', way: 'reply' }, at(9000), onDuty)
    expect(shown(back.effects)).to.deep.equal([
      'sender given_back',
      'confirm ann declined',
      'sender asked',
      'matrix bob',
    ])
  })

  it('keeps a page with the one who hands it over until the other accepts', () => {
    const taken = happens(create(two, onDuty).page, { kind: 'accept', by: 'ann', way: 'reply' }, at(0), onDuty).page
    const handing = happens(taken, { kind: 'hand_over', by: 'ann', to: user('cy') }, at(1000), onDuty)
    expect(shown(handing.effects)).to.deep.equal(['sender handing_over', 'matrix cy'])
    expect(handing.page.acceptedBy).to.deep.equal(['ann'])
    const over = happens(handing.page, { kind: 'accept', by: 'cy', way: 'reaction' }, at(2000), onDuty)
    expect(over.page).to.deep.include({ phase: 'accepted', acceptedBy: ['cy'] })
    expect(shown(over.effects)).to.include('sender handed_over')
    const kept = run(handing.page, onDuty)
    expect(kept.effects.slice(-3))
      .to.have.lengthOf(3)
      .and.to.satisfy((e: string[]) => e.at(-1)?.endsWith('confirm ann kept'))
    expect(kept.page).to.deep.include({ phase: 'accepted', acceptedBy: ['ann'] })
    expect(onEvent(taken, { kind: 'hand_over', by: 'ann', to: role('empty') }, at(1000), onDuty)).to.include({
      code: 'nobody-there',
    })
  })

  it('keeps it there also when it is handed on by the one who was to take it over', () => {
    const taken = happens(create(two, onDuty).page, { kind: 'accept', by: 'ann', way: 'reply' }, at(0), onDuty).page
    const handing = happens(taken, { kind: 'hand_over', by: 'ann', to: user('cy') }, at(1000), onDuty).page
    const on = happens(handing, { kind: 'hand_over', by: 'cy', to: user('dan') }, at(2000), onDuty)
    expect(shown(on.effects)).to.deep.equal(['sender handing_over', 'confirm cy handed_over', 'matrix dan'])
    expect(on.page).to.deep.include({ phase: 'accepted', acceptedBy: ['ann'], handover: { from: 'ann', to: ['dan'] } })
    const refused = happens(on.page, { kind: 'decline', by: 'dan', way: 'reply' }, at(3000), onDuty)
    expect(shown(refused.effects).at(-1)).to.equal('confirm ann kept')
  })

  it('resolves for good', () => {
    const gone = happens(create(two, onDuty).page, { kind: 'resolve', by: 'sue' }, at(1000), onDuty)
    expect(shown(gone.effects)).to.deep.equal(['stand down ann', 'sender resolved', 'confirm sue resolved'])
    expect(nextDue(gone.page)).to.equal(null)
    expect(onEvent(gone.page, { kind: 'accept', by: 'ann', way: 'reply' }, at(2000), onDuty)).to.include({
      code: 'closed',
    })
  })

  it('counts a duplicate, tells its sender and shows the number without calling again', () => {
    const turn = happens(create(two, onDuty).page, { kind: 'again', by: 'tom' }, at(1000), onDuty)
    expect(shown(turn.effects)).to.deep.equal(['sender joined', 'update ann ×2'])
    expect(turn.page.senders).to.deep.equal(['sue', 'tom'])
    expect(turn.effects.every(e => e.ref === '7Q4K')).to.equal(true)
  })
})

describe('a page and the clock', () => {
  it('gives whoever is called late their full time', () => {
    const { page } = create(two, onDuty)
    const late = advance(page, at(hours(1)), onDuty)
    expect(shown(late.effects)).to.deep.equal(['sms ann'])
    expect(nextDue(late.page)).to.equal(at(hours(1) + minutes(2)))
  })

  it('is due when the clock stands before the last look, and is no later for it', () => {
    const { page } = create(two, onDuty)
    const back = at(-hours(1))
    expect(isDue(page, back)).to.equal(true)
    expect(nextDue(advance(page, back, onDuty).page)).to.equal(back + minutes(1))
    expect(isDue(page, at(1))).to.equal(false)
  })

  it('moves with a step of the clock that the engine saw', () => {
    const { page } = create(two, onDuty)
    const read = (wall: number, monotonic: number) => ({ wall, monotonic })
    expect(clockStep(read(begin, 50), read(begin + 1250, 1050))).to.equal(0)
    const by = clockStep(read(begin, 50), read(begin + 1000 - hours(1), 1050))
    expect(by).to.equal(-hours(1))
    expect(nextDue(shift(page, by))).to.equal(at(minutes(1) - hours(1)))
  })
})
