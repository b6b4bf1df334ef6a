import { expect } from 'chai'
import fc from 'fast-check'
import { boundedEvent, maxField } from '../../../core/domain/audit/bounds.ts'
import type { AuditEvent } from '../../../core/domain/audit/event.ts'
import { leafOf, maxLeafBytes, type QueuedEvent, recordOf } from '../../../core/domain/audit/leaf.ts'
import { detailNames } from '../../support/audit/records.ts'
import { seed } from '../../support/random.ts'

const ref = 'R'.repeat(43)
const event = (more: Partial<QueuedEvent> = {}): QueuedEvent => ({
  id: 7,
  at: Date.UTC(2026, 10, 21, 23, 0),
  actor: { kind: 'user', id: '@ann:clinic.example', device: 'ABCDEF' },
  action: 'patient.view',
  object: { kind: 'patient', id: 'pt_7k2mabcdefghjkmn' },
  outcome: 'done',
  ...more,
})
const leaf = (e: QueuedEvent) => leafOf(e, () => ref)

const stringsOf = (value: unknown): string[] =>
  typeof value === 'string'
    ? [value]
    : typeof value === 'object' && value !== null
      ? Object.entries(value).flatMap(([name, below]) => [name, ...stringsOf(below)])
      : []

describe('the leaf of an audit entry', () => {
  it('has one text: keys in a fixed order, details sorted, no spaces', () => {
    const a = event({ patient: 'pt_1', room: '!r:x', detail: { zeta: 1, alpha: 'code' }, reason: 'not-found' })
    const b = event({ reason: 'not-found', detail: { alpha: 'code', zeta: 1 }, room: '!r:x', patient: 'pt_1' })
    expect(leaf(a)).to.equal(leaf(b))
    expect(leaf(a)).to.equal(
      `{"v":1,"id":7,"at":"2026-11-21T23:00:00.000Z","actor":{"kind":"user","id":"@ann:clinic.example","device":"ABCDEF"},"action":"patient.view",` +
        `"object":{"kind":"patient","ref":"${ref}"},"outcome":"done","patient":"${ref}","room":"${ref}","reason":"not-found","detail":{"alpha":"code","zeta":1}}`,
    )
  })

  it('keeps out whatever could lead to a patient', () => {
    const text = leaf(
      event({
        actor: { kind: 'person', id: 'ps_aaaaaaaaaaaaaaaa', device: 'PHONE' },
        object: { kind: 'link', id: 'ln_bbbbbbbbbbbbbbbb' },
        origin: { ip: '10.9.8.7', agent: 'Mozilla' },
        reason: 'Maria Alvarez called',
        detail: {
          name: 'Maria',
          born: '1950-03-07',
          phone: '15555550123',
          written: '+1 555 555 0123',
          ghost: '@p_abcdefgh:clinic.example',
          id: 'pt_7k2mabcdefghjkmn',
          room: '!care:clinic.example',
        },
      }),
    )
    for (const secret of ['ps_', 'ln_', 'pt_', '@p_', '!care', '10.9', 'Mozilla', 'Maria', '1950', '555', 'PHONE'])
      expect(text, secret).not.to.include(secret)
  })

  it('has staff, settings and codes in clear', () => {
    const text = leaf(
      event({
        object: { kind: 'setting', id: 'clinic.name' },
        detail: { by: '@ann:clinic.example', code: 'not_opened', n: 3, yes: true, none: null },
      }),
    )
    expect(text).to.include('"id":"clinic.name"').and.to.include('"by":"@ann:clinic.example"')
    expect(text).to.include('"code":"not_opened","n":3,"none":null,"yes":true')
    const ghost = leaf(event({ actor: { kind: 'user', id: '@p_abcdefgh:clinic.example' } }))
    expect(ghost).to.include(`"actor":{"kind":"user","ref":"${ref}"}`)
  })

  it('is read back as it was written', () => {
    const e = event({ patient: 'pt_1', reason: 'some words', detail: { n: -1.5, at: 'x.y', words: 'Free Words' } })
    expect(recordOf(3, leaf(e))).to.deep.equal({
      idx: 3,
      id: 7,
      at: e.at,
      actor: { kind: 'user', ref: '@ann:clinic.example', device: 'ABCDEF' },
      action: 'patient.view',
      object: { kind: 'patient', ref },
      outcome: 'done',
      patient: ref,
      reason: ref,
      detail: { n: -1.5, at: 'x.y', words: ref },
    })
  })

  it('is bounded plain ASCII, whatever an event holds, and the event itself can be stored', () => {
    const nasty = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 300 }),
      fc.constantFrom(
        '\0',
        '\ud800',
        '\udc00x',
        '"\\\n\r\t',
        '\u202egnp.exe',
        '\u2028',
        '𝒳'.repeat(5000),
        'a'.repeat(1_000_000),
      ),
    )
    const value = fc.oneof(nasty, fc.double(), fc.boolean(), fc.constant(null), fc.object({ maxDepth: 4 }), fc.bigInt())
    const events = fc.record(
      {
        actor: fc.record({ kind: nasty, id: nasty, device: nasty }, { requiredKeys: ['kind', 'id'] }),
        action: nasty,
        object: fc.record({ kind: nasty, id: nasty }),
        outcome: fc.constantFrom('done', 'refused', 'failed'),
        patient: nasty,
        room: nasty,
        origin: fc.record({ ip: nasty, agent: nasty }, { requiredKeys: [] }),
        reason: nasty,
        detail: fc.dictionary(detailNames(nasty), value, { maxKeys: 60 }),
      },
      { requiredKeys: ['actor', 'action', 'object', 'outcome'] },
    )
    fc.assert(
      fc.property(events, hostile => {
        const kept = boundedEvent({ at: 1_700_000_000_000, ...hostile } as unknown as AuditEvent)
        const json = JSON.stringify(kept)
        for (const string of stringsOf(kept)) expect(string.isWellFormed() && !string.includes('\0')).to.equal(true)
        expect(json.length).to.be.lessThan(60 * 6 * maxField)
        const text = leafOf({ ...kept, id: 1 }, () => ref)
        expect(text).to.match(/^[ -~]+$/)
        expect(text.length).to.be.at.most(maxLeafBytes)
        expect(leafOf({ ...(JSON.parse(json) as AuditEvent), id: 1 }, () => ref)).to.equal(text)
        recordOf(0, text)
      }),
      { numRuns: process.env.WARDROOM_LONG === '1' ? 20_000 : 200, seed },
    )
  })
})
