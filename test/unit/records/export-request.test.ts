import { expect } from 'chai'
import fc from 'fast-check'
import { days, hours } from '../../../core/domain/clock.ts'
import {
  afterSignal,
  type ExportSignal,
  type ExportStanding,
  exportNotice,
  exportRange,
  exportStates,
} from '../../../core/domain/records/export-request.ts'
import { isRefusal } from '../../../core/domain/refusal.ts'

const now = Date.UTC(2026, 10, 1)
const standing = (state: ExportStanding['state'], lapsesAt = now + 1): ExportStanding => ({
  state,
  requestedBy: '@cora:h',
  lapsesAt,
})
const signals: ExportSignal[] = [
  { kind: 'approve', by: '@carl:h' },
  { kind: 'cancel' },
  { kind: 'begin' },
  { kind: 'finish' },
  { kind: 'look' },
]
const outcome = (r: ExportStanding, signal: ExportSignal, at = now) => {
  const after = afterSignal(r, signal, at)
  return isRefusal(after) ? after.code : after
}

describe('an export of records', () => {
  it('goes the one way that it may, and everything else is refused', () => {
    const table = exportStates.map(state => signals.map(s => outcome(standing(state), s)))
    expect(table).to.deep.equal([
      ['approved', 'cancelled', 'export-requested', 'export-requested', 'requested'],
      ['export-approved', 'cancelled', 'approved', 'done', 'approved'],
      ['export-expired', 'export-expired', 'export-expired', 'export-expired', 'expired'],
      ['export-cancelled', 'export-cancelled', 'export-cancelled', 'export-cancelled', 'cancelled'],
      ['export-done', 'export-done', 'export-done', 'export-done', 'done'],
    ])
  })

  it('is approved by somebody else than who asked', () => {
    expect(outcome(standing('requested'), { kind: 'approve', by: '@cora:h' })).to.equal('own-request')
  })

  it('lapses at its time; only a run that began before may still end', () => {
    for (const state of ['requested', 'approved'] as const) {
      const late = standing(state, now)
      for (const s of signals.filter(one => one.kind !== 'finish' && one.kind !== 'look'))
        expect(outcome(late, s), `${state} ${s.kind}`).to.equal('export-expired')
      expect(outcome(late, { kind: 'look' })).to.equal('expired')
    }
    expect(outcome(standing('approved', now), { kind: 'finish' })).to.equal('done')
  })

  it('is done only after two people and in order, whatever comes', () => {
    const signal = fc.oneof(
      fc.record({ kind: fc.constant('approve' as const), by: fc.constantFrom('@cora:h', '@carl:h') }),
      fc.record({ kind: fc.constantFrom('cancel' as const, 'begin' as const, 'finish' as const, 'look' as const) }),
    )
    fc.assert(
      fc.property(fc.array(fc.tuple(signal, fc.integer({ min: 0, max: 4 })), { maxLength: 20 }), steps => {
        let r = standing('requested', now + 5)
        let at = now
        let approvedBy: string | undefined
        for (const [s, later] of steps) {
          at += later
          const next = afterSignal(r, s as ExportSignal, at)
          if (isRefusal(next)) continue
          if (r.state === 'requested' && next === 'approved') approvedBy = (s as { by: string }).by
          r = { ...r, state: next, ...(next === 'approved' && r.state === 'requested' ? { lapsesAt: at + 5 } : {}) }
        }
        return r.state !== 'done' || (approvedBy !== undefined && approvedBy !== r.requestedBy)
      }),
      { numRuns: 2000 },
    )
  })

  it('covers a time that has been, which ends now at the latest', () => {
    const range = (from?: number, until?: number) => exportRange({ from, until }, now)
    expect(range()).to.deep.equal({ since: null, until: now })
    expect(range(now - days(2), now - days(1))).to.deep.equal({ since: now - days(2), until: now - days(1) })
    expect(range(now - days(2), now + hours(20)), 'today').to.deep.equal({ since: now - days(2), until: now })
    for (const [from, until, code] of [
      [now + 1, undefined, 'future'],
      [undefined, now + days(2), 'future'],
      [now - 5, now - 5, 'empty'],
      [now - 1, now - 2, 'empty'],
    ] as const)
      expect(range(from, until)).to.include({ code })
  })

  it('tells the room who and which time, and nothing else', () => {
    const people = { requestedBy: '@cora:h', approvedBy: '@carl:h' }
    const words = exportNotice({ since: null, until: now, copy: false, ...people })
    expect(words).to.equal(
      '📄 Records of this room from the beginning to 2026-11-01 00:00 (UTC) are being exported by compliance, requested by @cora:h, approved by @carl:h.',
    )
    expect(exportNotice({ since: 0, until: now, copy: true, ...people })).to.include('for the patient')
  })
})
