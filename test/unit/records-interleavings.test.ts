import { expect } from 'chai'
import fc from 'fast-check'
import { days, type Instant } from '../../core/domain/clock.ts'
import { type Decision, decide } from '../../core/domain/records/decide.ts'
import type { RecordFacts } from '../../core/domain/records/facts.ts'
import { type Hold, overlaps, sameMatter } from '../../core/domain/records/hold.ts'
import type { Policy } from '../../core/domain/records/policy.ts'
import { seed } from '../support/random.ts'
import { begin, covers, type Message, meet, type Step, someMessages, someSteps } from '../support/records/steps.ts'

type Kept = RecordFacts & { content: boolean; copy: boolean; doomed: boolean }
/** What a hold found when it was placed: none of it may be lost while it is in force. */
type Pledge = { hold: Hold; matter: string; saved: Kept[] }
type Ward = {
  now: Instant
  messages: Kept[]
  policies: Map<string, Policy>
  pledges: Pledge[]
  /** What a deletion run saw to be due; it decides once more before the point of no return. */
  seen: Kept[]
  /** Holds that overlapped with another of their matter. */
  refused: number
}

const send = (w: Ward, { ageMs, ...m }: Message): void => {
  const sentAt = w.now - ageMs
  const kept = { content: true, copy: false, doomed: false }
  w.messages.push({ ...m, ...kept, event: `$${w.messages.length}`, sentAt, roomActiveAt: w.now })
}

const fate = (w: Ward, m: Kept): Decision =>
  decide(m, { policies: [...w.policies.values()], holds: w.pledges.map(p => p.hold) }, w.now)

/** A run in three parts, between which anything may happen: it looks, it passes the point of no return, it destroys. */
const deletion = {
  look: (w: Ward) => {
    w.seen = w.messages.filter(m => !m.doomed && fate(w, m).do !== 'keep')
  },
  pass: (w: Ward) => {
    for (const m of w.seen.splice(0)) {
      const decided = fate(w, m).do
      if (decided === 'destroy') m.doomed = true
      if (decided === 'hide') Object.assign(m, { copy: m.copy || m.content, content: false })
    }
  },
  destroy: (w: Ward) => {
    for (const m of w.messages) if (m.doomed) Object.assign(m, { content: false, copy: false })
  },
}
const parts = [deletion.look, deletion.pass, deletion.destroy]

const place = (w: Ward, { criteria, matter }: Step & { do: 'hold' }): void => {
  const others = w.pledges.filter(p => p.hold.releasedAt === undefined && overlaps(p.hold, criteria))
  expect(others.map(p => meet(p.hold, criteria))).not.to.include(false)
  if (others.some(p => sameMatter(p.matter, matter))) return void w.refused++
  const hold = { ...criteria, id: `h${w.pledges.length}`, placedAt: w.now }
  w.pledges.push({ hold, matter, saved: w.messages.filter(m => !m.doomed && covers(criteria, m)) })
}

const setPolicy = (w: Ward, { scope, minimum, value }: Step & { do: 'policy' }): void => {
  const key = `${JSON.stringify(scope)} ${minimum}`
  if (value === null) w.policies.delete(key)
  else w.policies.set(key, { id: key, scope, minimum, ...value })
}

const nth = <T>(of: readonly T[], n: number): T | undefined => of[n % Math.max(1, of.length)]

const mark = (field: 'recalledAt' | 'removedAt' | 'readAt') => (w: Ward, s: { nth: number }) => {
  const m = nth(w.messages, s.nth)
  if (m) m[field] ??= w.now
}

const effects: { [K in Step['do']]: (w: Ward, s: Step & { do: K }, part: number) => void } = {
  send: (w, s) => send(w, s.message),
  policy: setPolicy,
  hold: place,
  release: (w, s) => {
    const inForce = w.pledges.filter(p => p.hold.releasedAt === undefined)
    const one = nth(inForce, s.nth)
    if (one) one.hold.releasedAt = w.now
  },
  recall: mark('recalledAt'),
  remove: mark('removedAt'),
  read: mark('readAt'),
  wait: (w, s) => {
    w.now += s.ms
  },
  delete: (w, _, part) => parts[part % parts.length]?.(w),
}

const lost = (w: Ward): string[] =>
  w.pledges
    .filter(p => p.hold.releasedAt === undefined)
    .flatMap(p => p.saved.filter(m => m.doomed || !(m.content || m.copy)).map(m => `${m.event} under ${p.hold.id}`))

const long = process.env.WARDROOM_LONG === '1'

/** Row 49. */
describe('messages under a hold, whatever else is done to them', function () {
  this.timeout(long ? 1_800_000 : 120_000)

  it('are lost in no order of policies, holds, recalls, removals, releases and deletion; a released hold lets go', () => {
    let [held, gone, refused] = [0, 0, 0]
    fc.assert(
      fc.property(someMessages, someSteps(16), (messages, steps) => {
        const w: Ward = { now: begin + days(5), messages: [], policies: new Map(), pledges: [], seen: [], refused: 0 }
        for (const m of messages) send(w, m)
        let part = 0
        for (const s of steps) {
          const effect = effects[s.do] as (w: Ward, s: Step, part: number) => void
          effect(w, s, part)
          if (s.do === 'delete') part++
          expect(lost(w), JSON.stringify(s)).to.deep.equal([])
        }
        const free = (m: Kept) => decide(m, { policies: [...w.policies.values()], holds: [] }, w.now).do
        refused += w.refused
        held += w.messages.filter(m => !m.doomed && free(m) === 'destroy' && fate(w, m).do !== 'destroy').length
        for (const p of w.pledges) p.hold.releasedAt ??= w.now
        for (const one of parts) one(w)
        gone += w.messages.filter(m => m.doomed).length
        for (const m of w.messages) {
          if (free(m) === 'destroy') expect([m.content, m.copy]).to.deep.equal([false, false])
          else if (!m.doomed) expect(m.content || m.copy, `${m.event} is to be kept`).to.equal(true)
        }
      }),
      { seed, numRuns: long ? 1_000_000 : 20_000 },
    )
    // What only a hold kept, and what was destroyed: the steps lead somewhere.
    expect(held).to.be.greaterThan(3000)
    expect(gone).to.be.greaterThan(3000)
    expect(refused).to.be.greaterThan(500)
  })
})
