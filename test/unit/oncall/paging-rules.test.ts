import { expect } from 'chai'
import { hours } from '../../../core/domain/clock.ts'
import { quietUntil } from '../../../core/domain/oncall/paging/do-not-disturb.ts'
import { defaultRungs } from '../../../core/domain/oncall/paging/ladder.ts'
import type { News } from '../../../core/domain/oncall/paging/page.ts'
import { newsWords } from '../../../core/domain/oncall/paging/page-words.ts'
import type { Plan, Target } from '../../../core/domain/oncall/paging/policy.ts'
import { checkLadder, checkPolicy, type Directory } from '../../../core/domain/oncall/paging/policy-check.ts'
import { priorities } from '../../../core/domain/oncall/paging/priority.ts'
import { newRef, readRef } from '../../../core/domain/oncall/paging/ref.ts'
import { pageText, readKey, readReaction, readReply } from '../../../core/domain/oncall/paging/reply.ts'
import { plan, role, rungs, step, user } from '../../support/oncall/paging.ts'
import { seed, seededRandom } from '../../support/random.ts'

const _runs = (n: number) => ({ numRuns: process.env.WARDROOM_LONG === '1' ? 100_000 : n, seed })

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

describe('do-not-disturb', () => {
  it('ends by the person’s own clock, also in the night in which clocks change, and after a pause', () => {
    const night = { from: 22, to: 7, timeZone: 'America/New_York' }
    const late = Date.UTC(2026, 2, 8, 4) // 23:00 of 7 March; at 2:00 the clocks go forward
    expect(quietUntil({ hours: night, until: null }, late)).to.equal(Date.UTC(2026, 2, 8, 11))
    expect(quietUntil({ hours: night, until: null }, Date.UTC(2026, 2, 8, 18))).to.equal(null)
    expect(quietUntil({ hours: night, until: late }, late - hours(3))).to.equal(Date.UTC(2026, 2, 8, 11))
    expect(quietUntil({ hours: null, until: late }, late - 1)).to.equal(late)
    expect(quietUntil({ hours: null, until: late }, late)).to.equal(null)
  })

  it('leaves the ladders that come with Wardroom sound', () => {
    for (const p of priorities) expect(checkLadder(defaultRungs[p])).to.equal(undefined)
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
