import { expect } from 'chai'
import fc from 'fast-check'
import type { SourcedShift } from '../../../core/domain/oncall/import-diff.ts'
import { planImport } from '../../../core/domain/oncall/import-plan.ts'
import type { Override, Schedule } from '../../../core/domain/oncall/schedule/schedule.ts'
import { whoIsOn } from '../../../core/domain/oncall/schedule/who-is-on.ts'
import { runtimeZones } from '../../../core/time-zones.ts'
import { seed } from '../../support/random.ts'

const zones = runtimeZones()
const day = 86_400_000
const start = Date.UTC(2026, 10, 22)
const at = (d: number) => start + d * day
const shift = (key: string, person: string, from: number, to: number): SourcedShift => ({
  key,
  person: `@${person}:x`,
  from: at(from),
  to: at(to),
})
const override = (id: string, from: number, to: number, rest: object): Override =>
  ({ id, from: at(from), to: at(to), ...rest }) as Override
const schedule = (overrides: Override[] = []): Schedule => ({
  id: 'sc_1',
  zone: 'Europe/Madrid',
  layers: [],
  fallback: '@desk:x',
  overrides,
  temporary: [],
  absences: [],
})
const plan = (current: SourcedShift[], imported: SourcedShift[], overrides: Override[] = [], to = 10) =>
  planImport({ schedule: schedule(overrides), layer: 'feed', current, imported, from: start, to: at(to) }, zones)
const week = [shift('a', 'ann', 0, 2), shift('b', 'bob', 2, 4), shift('c', 'ann', 4, 10)]

describe('planning an import', () => {
  it('tells what is added, removed and moved, and where other people would be on', () => {
    const p = plan(week, [shift('a', 'ann', 0, 3), shift('c', 'ann', 4, 10), shift('d', 'chidi', 3, 4)])
    expect(p.added.map(s => s.key)).to.deep.equal(['d'])
    expect(p.removed.map(s => s.key)).to.deep.equal(['b'])
    expect(p.moved.map(m => [m.before.to, m.after.to])).to.deep.equal([[at(2), at(3)]])
    expect(p).to.include({ same: 1, nothing: false, emptied: false })
    expect(p.differences.map(d => [d.from, d.was.person, d.becomes.person])).to.deep.equal([
      [at(2), '@bob:x', '@ann:x'],
      [at(3), '@bob:x', '@chidi:x'],
    ])
  })

  it('the same feed again changes nothing, also when its program made new UIDs', () => {
    expect(plan(week, week)).to.include({ nothing: true, same: 3 })
    const renamed = plan(
      week,
      week.map(s => ({ ...s, key: `new-${s.key}` })),
    )
    expect(renamed).to.include({ nothing: true, same: 3 })
    expect(renamed.shifts.map(s => s.key)).to.deep.equal(['new-a', 'new-b', 'new-c'])
  })

  it('what is past stays as it was, for feeds forget it; what lies beyond the window too', () => {
    const past = shift('p', 'ann', -3, -1)
    const far = shift('f', 'bob', 40, 41)
    const p = plan([past, ...week, far], [shift('q', 'zoe', -3, -1), ...week])
    expect(p.nothing).to.equal(true)
    expect(p.shifts.map(s => s.key)).to.deep.equal(['p', 'a', 'b', 'c', 'f'])
  })

  it('reports the gaps and the double cover that it makes apart from those that were there', () => {
    const before = [shift('a', 'ann', 0, 2), shift('c', 'ann', 3, 10)]
    const p = plan(before, [shift('a', 'ann', 0, 2), shift('c', 'ann', 3, 8), shift('d', 'bob', 7, 8)])
    expect(p.gaps).to.deep.equal([
      { from: at(2), to: at(3), fallback: '@desk:x', fresh: false },
      { from: at(8), to: at(10), fallback: '@desk:x', fresh: true },
    ])
    expect(p.conflicts.map(c => [c.kind, c.from, c.to, c.fresh])).to.deep.equal([['double-cover', at(7), at(8), true]])
  })

  it('an override stays in force whatever the source says, and where they meet is told', () => {
    const overrides = [
      override('o1', 2, 4, { kind: 'replace', person: '@dana:x' }),
      override('o2', 5, 6, { kind: 'replace', person: '@eve:x', replaces: '@ann:x' }),
      override('o3', 7, 8, { kind: 'add', person: '@bob:x' }),
      override('o4', -9, -8, { kind: 'replace', person: '@dana:x' }),
    ]
    const p = plan(week, [shift('a', 'ann', 0, 2), shift('b', 'chidi', 2, 4), shift('c', 'bob', 4, 10)], overrides)
    expect(p.schedule.overrides).to.deep.equal(overrides)
    expect(whoIsOn(p.schedule, at(3), zones).person).to.equal('@dana:x')
    expect(p.differences.map(d => d.from)).to.not.include(at(2))
    expect(p.overrides.map(o => [o.override.id, o.meets, o.from, o.person])).to.deep.equal([
      ['o1', 'stands', at(2), '@chidi:x'],
      ['o2', 'idle', at(5), '@ann:x'],
      ['o3', 'agrees', at(7), '@bob:x'],
    ])
  })

  it('a feed that is suddenly empty is told as such', () => {
    expect(plan(week, [])).to.include({ emptied: true, nothing: false })
    expect(plan([], [])).to.include({ emptied: false, nothing: true })
  })

  it('the source’s layer keeps its place and its restrictions; a new one lies below the others', () => {
    const own = { id: 'own', rotation: { kind: 'list' as const, shifts: [shift('x', 'zoe', 0, 1)] }, restrictions: [] }
    const feed = { ...own, id: 'feed', restrictions: [{ days: [0], from: 0, to: 60 }] }
    const input = { layer: 'feed', current: [], imported: week, from: start, to: at(10) }
    const added = planImport({ ...input, schedule: { ...schedule(), layers: [own] } }, zones).schedule
    expect(added.layers.map(l => l.id)).to.deep.equal(['feed', 'own'])
    expect(whoIsOn(added, at(0.5), zones).person).to.equal('@zoe:x')
    const kept = planImport({ ...input, schedule: { ...schedule(), layers: [own, feed] } }, zones).schedule
    expect(kept.layers.map(l => l.id)).to.deep.equal(['own', 'feed'])
    expect(kept.layers[1]?.restrictions).to.deep.equal(feed.restrictions)
  })

  it('any two readings: taking one and planning it again is nothing, and every shift is accounted for', () => {
    const shifts = fc.array(
      fc
        .record({
          key: fc.nat(6),
          person: fc.constantFrom('ann', 'bob', 'chidi'),
          from: fc.integer({ min: -4, max: 14 }),
          long: fc.integer({ min: 1, max: 4 }),
        })
        .map(s => shift(String(s.key), s.person, s.from, s.from + s.long)),
      { maxLength: 12 },
    )
    const override1 = override('o', 1, 3, { kind: 'replace', person: '@dana:x' })
    fc.assert(
      fc.property(shifts, shifts, (current, imported) => {
        const p = plan(current, imported, [override1])
        const inside = (s: SourcedShift) => s.from < at(10) && s.to > start
        expect(p.same + p.moved.length + p.removed.length).to.equal(current.filter(inside).length)
        expect(p.same + p.moved.length + p.added.length).to.equal(imported.filter(inside).length)
        const again = plan(p.shifts, imported, [override1])
        expect(again).to.include({ nothing: true })
        expect(again.shifts).to.deep.equal(p.shifts)
        expect(again.differences).to.deep.equal([])
        expect(whoIsOn(p.schedule, at(2), zones).person).to.equal('@dana:x')
      }),
      { seed, numRuns: process.env.WARDROOM_LONG === '1' ? 5_000 : 200 },
    )
  })
})
