import { expect } from 'chai'
import fc from 'fast-check'
import { failureText } from '../../../core/domain/care/card.ts'
import {
  advance,
  type Failure,
  failureOfRefusal,
  isClosed,
  type NoticeSignal,
  type NoticeState,
  noticeStates,
} from '../../../core/domain/care/notice.ts'
import { seed } from '../../support/random.ts'

const progress = noticeStates.filter(s => s !== 'waiting')
const failures: Failure[] = [
  'sms_failed',
  'stopped',
  'no_consent',
  'no_texts',
  'closed',
  'room_failed',
  'removed',
  'landline',
  'locked',
  'undecryptable',
  'not_me',
  'not_opened',
  'provider_down',
  'wrong_number',
]
const step = fc.constantFrom(...progress).map((kind): NoticeSignal => ({ kind }))
const failure = fc.constantFrom(...failures).map((f): NoticeSignal => ({ kind: 'failed', failure: f }))
const ending = fc.constantFrom('withdrawn' as const, 'expired' as const).map((kind): NoticeSignal => ({ kind }))
const signal = fc.oneof(step, failure, ending)
const run = (signals: NoticeSignal[], from: NoticeState = 'waiting') =>
  signals.reduce((state, next) => advance(state, next), from)
const options = { seed, numRuns: process.env.WARDROOM_LONG === '1' ? 20_000 : 1000 }

describe('the closed loop of a notice', () => {
  it('is never opened again once the patient has read or the sender has withdrawn it', () => {
    fc.assert(
      fc.property(fc.array(signal), signal, (before, next) => {
        const state = run(before)
        if (isClosed(state) && state !== 'expired') expect(isClosed(advance(state, next))).to.equal(true)
      }),
      options,
    )
  })

  it('is opened again after its link expired only by a step of the patient', () => {
    for (const kind of ['texted', 'delivered', 'withdrawn', 'expired'] as const)
      expect(isClosed(advance('expired', { kind }))).to.equal(true)
    for (const f of failures) expect(advance('expired', { kind: 'failed', failure: f })).to.equal('expired')
    expect(advance('expired', { kind: 'opened' })).to.equal('opened')
    expect(advance('expired', { kind: 'read' })).to.equal('read')
  })

  it('changes nothing when a signal comes twice', () => {
    fc.assert(
      fc.property(fc.array(signal), signal, (before, next) => {
        const once = advance(run(before), next)
        expect(advance(once, next)).to.equal(once)
      }),
      options,
    )
  })

  it('ends the same in whatever order the receipts of one text arrive', () => {
    const shuffled = fc
      .subarray(progress, { minLength: 1 })
      .chain(kinds =>
        fc.tuple(fc.constant(kinds), fc.shuffledSubarray(kinds, { minLength: kinds.length, maxLength: kinds.length })),
      )
    fc.assert(
      fc.property(shuffled, ([inOrder, mixed]) => {
        const of = (kinds: typeof inOrder) => run(kinds.map(kind => ({ kind })))
        expect(of(mixed)).to.equal(of(inOrder))
        expect(of(mixed)).to.equal(inOrder.at(-1))
      }),
      options,
    )
  })

  it('does not fall back: a late failure of the text means nothing once the link was opened', () => {
    for (const state of ['opened', 'verified', 'read', 'answered'] as const) {
      expect(advance(state, { kind: 'failed', failure: 'sms_failed' })).to.equal(state)
      expect(advance(state, { kind: 'failed', failure: 'not_opened' })).to.equal(state)
    }
  })

  it('fails after opening when the patient is locked out, cannot decrypt, or is somebody else', () => {
    for (const failed of ['locked', 'undecryptable', 'not_me'] as const) {
      expect(advance('opened', { kind: 'failed', failure: failed })).to.equal('failed')
      expect(advance('read', { kind: 'failed', failure: failed })).to.equal('read')
    }
  })

  it('stays failed, whatever the carrier reports late, where it was no failure of the way', () => {
    for (const f of ['stopped', 'not_me', 'locked', 'no_consent', 'undecryptable', 'landline', 'wrong_number'] as const)
      expect(advance('failed', { kind: 'delivered' }, f), f).to.equal('failed')
    for (const f of ['sms_failed', 'provider_down', 'not_opened'] as const)
      expect(advance('failed', { kind: 'delivered' }, f), f).to.equal('delivered')
    for (const f of failures)
      for (const kind of ['opened', 'verified', 'read', 'answered'] as const)
        expect(advance('failed', { kind }, f), `${f} ${kind}`).to.equal(kind)
  })

  it('is mended by a delivery after a failure, but not by another attempt to send', () => {
    expect(advance('failed', { kind: 'texted' })).to.equal('failed')
    expect(advance('failed', { kind: 'delivered' })).to.equal('delivered')
    expect(advance('failed', { kind: 'read' })).to.equal('read')
  })

  it('has words of its own for every failure, with the next step and nothing that a patient said', () => {
    const said = failures.map(f => failureText(f, 'K7M-4QP'))
    expect(new Set(said).size).to.equal(failures.length)
    for (const text of said) expect(text).to.match(/^⚠️ K7M-4QP: .*(call|!patient|!consent|send it again)/)
    expect(failureText('provider_down', 'K7M-4QP')).to.include('ten minutes').and.not.include('hours')
  })

  it('names every refusal of a text, and none as another', () => {
    const codes = ['stopped', 'landline', 'invalid-number', 'no-consent', 'preference', 'closed', 'failed', 'removed']
    expect(new Set(codes.map(failureOfRefusal)).size).to.equal(codes.length)
    expect(() => failureOfRefusal('toString')).to.throw('no name')
  })
})
