import { expect } from 'chai'
import { conflicts } from '../../../core/domain/oncall/schedule/conflicts.ts'
import { differences, nextHandoff } from '../../../core/domain/oncall/schedule/differences.ts'
import type { Schedule } from '../../../core/domain/oncall/schedule/schedule.ts'
import { gaps, shifts, shiftsOf } from '../../../core/domain/oncall/schedule/shifts.ts'
import { whoIsOn } from '../../../core/domain/oncall/schedule/who-is-on.ts'
import { showWall } from '../../../core/domain/oncall/zones.ts'
import { at, layer, replace, schedule, span, turns, zone, zones } from '../../support/oncall/schedules.ts'

const on = (s: Schedule, time: string): string[] => {
  const duty = whoIsOn(s, at(time), zones)
  return [duty.person, ...duty.also.map(a => a.person)]
}
const shown = (t: number) => showWall(zones.wall(t, zone))
/** `06-01 08:00 ann`, one for each segment. */
const listed = (s: Schedule, from: string, to: string) =>
  shifts(s, at(from), at(to), zones).map(
    x => `${shown(x.from).slice(5)} ${[x.person, ...x.also.map(a => a.person)].join('+')}`,
  )

const week = [0, 1, 2, 3, 4]

describe('who is on duty', () => {
  it('rotates by hour, day, week and month, every n, and in patterns such as 2-2-3', () => {
    const of = (rotation: ReturnType<typeof turns>) => schedule({ layers: [layer('l', rotation)] })
    const dayAndNight = of(turns('hour', '2026-06-01 07:00', ['ann', 'bob'], [12]))
    expect(['2026-06-05 06:59', '2026-06-05 07:00', '2026-06-05 19:00'].map(t => on(dayAndNight, t)[0])).to.deep.equal([
      'bob',
      'ann',
      'bob',
    ])
    const panama = of(turns('day', '2026-06-01 07:00', ['ann', 'bob'], [2, 2, 3]))
    expect(listed(panama, '2026-06-01 07:00', '2026-06-15 07:00')).to.deep.equal([
      '06-01 07:00 ann',
      '06-03 07:00 bob',
      '06-05 07:00 ann',
      '06-08 07:00 bob',
      '06-10 07:00 ann',
      '06-12 07:00 bob',
    ])
    const quarterly = of(turns('month', '2026-01-01 00:00', ['ann', 'bob'], [3]))
    expect(listed(quarterly, '2026-01-01', '2026-12-31')).to.deep.equal([
      '01-01 00:00 ann',
      '04-01 00:00 bob',
      '07-01 00:00 ann',
      '10-01 00:00 bob',
    ])
  })

  it('takes the layer on top where its restrictions hold, overnight ones too, and the one below elsewhere', () => {
    const nights = layer('nights', turns('day', '2026-06-01 20:00', ['dan', 'eve']), {
      restrictions: [{ days: week, from: 20 * 60, to: 7 * 60 }],
    })
    const s = schedule({ layers: [...schedule().layers, nights] })
    expect(listed(s, '2026-06-05 12:00', '2026-06-09 12:00')).to.deep.equal([
      '06-05 12:00 ann',
      '06-05 20:00 dan',
      '06-06 07:00 ann',
      '06-08 08:00 bob',
      '06-08 20:00 eve',
      '06-09 07:00 bob',
    ])
    expect(whoIsOn(s, at('2026-06-06 06:59'), zones).why).to.deep.equal({ by: 'layer', layer: 'nights' })
  })

  it('falls back to the named person in every gap, and reports it', () => {
    const office = schedule({
      layers: [
        layer('office', turns('week', '2026-06-01 08:00', ['ann']), {
          restrictions: [{ days: week, from: 8 * 60, to: 18 * 60 }],
        }),
      ],
    })
    const found = gaps(office, at('2026-06-04 08:00'), at('2026-06-08 09:00'), zones)
    expect(found.map(g => [shown(g.from), shown(g.to), g.fallback])).to.deep.equal([
      ['2026-06-04 18:00', '2026-06-05 08:00', 'switchboard'],
      ['2026-06-05 18:00', '2026-06-08 08:00', 'switchboard'],
    ])
    expect(on(office, '2026-06-06 12:00')).to.deep.equal(['switchboard'])
  })

  it('lets overrides add, remove and replace; the one made last counts', () => {
    const day = span('2026-06-02 08:00', '2026-06-03 08:00')
    const s = schedule({
      overrides: [
        { id: 'o1', kind: 'add', person: 'bob', ...day },
        replace('o2', 'cyd', '2026-06-02 12:00', '2026-06-02 18:00', 'ann'),
        { id: 'o3', kind: 'remove', person: 'bob', ...span('2026-06-02 14:00', '2026-06-02 16:00') },
        replace('o4', 'dan', '2026-06-02 15:00', '2026-06-02 17:00'),
      ],
    })
    expect(listed(s, '2026-06-02 00:00', '2026-06-04 00:00')).to.deep.equal([
      '06-02 00:00 ann',
      '06-02 08:00 ann+bob',
      '06-02 12:00 cyd+bob',
      '06-02 14:00 cyd',
      '06-02 15:00 dan',
      '06-02 17:00 cyd+bob',
      '06-02 18:00 ann+bob',
      '06-03 08:00 ann',
    ])
    expect(shiftsOf(shifts(s, at('2026-06-02 00:00'), at('2026-06-04 00:00'), zones), 'bob')).to.deep.equal([
      { ...span('2026-06-02 08:00', '2026-06-02 14:00'), person: 'bob' },
      { ...span('2026-06-02 17:00', '2026-06-03 08:00'), person: 'bob' },
    ])
  })

  it('gives what is taken away to the layer below, then to the fallback', () => {
    const weekend = layer('weekend', turns('week', '2026-06-01 00:00', ['dan']), {
      restrictions: [{ days: [5, 6], from: 0, to: 1440 }],
    })
    const away = { id: 'o', kind: 'remove' as const, person: 'dan', ...span('2026-06-06', '2026-06-07') }
    const two = schedule({ layers: [...schedule().layers, weekend], overrides: [away] })
    expect([on(two, '2026-06-06 12:00'), on(two, '2026-06-07 12:00')]).to.deep.equal([['ann'], ['dan']])
    const one = schedule({ layers: [weekend], overrides: [away] })
    expect(on(one, '2026-06-06 12:00')).to.deep.equal(['switchboard'])
  })

  it('puts a temporary schedule in the place of the layers, gaps and all', () => {
    const list = {
      kind: 'list' as const,
      shifts: [
        { ...span('2026-06-02 08:00', '2026-06-02 14:00'), person: 'dan' },
        { ...span('2026-06-02 12:00', '2026-06-02 13:00'), person: 'bob' },
        { ...span('2026-06-02 12:00', '2026-06-02 13:00'), person: 'eve' },
      ],
    }
    const s = schedule({
      temporary: [{ id: 't', ...span('2026-06-02 08:00', '2026-06-02 20:00'), layers: [layer('x', list)] }],
    })
    expect(listed(s, '2026-06-02 00:00', '2026-06-03 00:00')).to.deep.equal([
      '06-02 00:00 ann',
      '06-02 08:00 dan',
      '06-02 12:00 eve',
      '06-02 13:00 dan',
      '06-02 14:00 switchboard',
      '06-02 20:00 ann',
    ])
  })

  it('passes over whoever is away, except where an override names them', () => {
    const s = schedule({
      absences: [{ id: 'a', person: 'ann', ...span('2026-06-03 00:00', '2026-06-05 00:00') }],
      overrides: [
        replace('o1', 'cyd', '2026-06-04 00:00', '2026-06-04 12:00', 'ann'),
        replace('o2', 'ann', '2026-06-04 18:00', '2026-06-04 20:00'),
      ],
    })
    expect(listed(s, '2026-06-02 00:00', '2026-06-06 00:00')).to.deep.equal([
      '06-02 00:00 ann',
      '06-03 00:00 switchboard',
      '06-04 00:00 cyd',
      '06-04 12:00 switchboard',
      '06-04 18:00 ann',
      '06-04 20:00 switchboard',
      '06-05 00:00 ann',
    ])
  })

  it('shows beforehand what a change would change, and when others come on next', () => {
    const changed = schedule({ overrides: [replace('o', 'cyd', '2026-06-07 20:00', '2026-06-08 10:00')] })
    const found = differences(schedule(), changed, at('2026-06-01 08:00'), at('2026-07-01 08:00'), zones)
    expect(found.map(d => [shown(d.from), d.was.person, d.becomes.person])).to.deep.equal([
      ['2026-06-07 20:00', 'ann', 'cyd'],
      ['2026-06-08 08:00', 'bob', 'cyd'],
    ])
    expect(nextHandoff(schedule(), at('2026-06-02 00:00'), zones)).to.equal(at('2026-06-08 08:00'))
    const alone = schedule({ layers: [layer('l', turns('day', '2026-06-01 08:00', ['ann']))] })
    expect(nextHandoff(alone, at('2026-06-02 00:00'), zones)).to.equal(undefined)
  })
})

describe('conflicts', () => {
  const options = { zones, known: (p: string) => p !== 'ghost', reportTwoRoles: true }
  const [from, to] = [at('2026-06-01 08:00'), at('2026-06-15 08:00')]

  it('names double cover: shifts of a list that overlap, and overrides that replace the same person', () => {
    const list = {
      kind: 'list' as const,
      shifts: [
        { ...span('2026-06-02 08:00', '2026-06-02 20:00'), person: 'dan' },
        { ...span('2026-06-02 19:00', '2026-06-03 08:00'), person: 'eve' },
      ],
    }
    const s = schedule({
      layers: [layer('list', list)],
      overrides: [
        replace('o1', 'ann', '2026-06-04 08:00', '2026-06-04 12:00'),
        replace('o2', 'bob', '2026-06-04 11:00', '2026-06-04 14:00'),
      ],
    })
    expect(conflicts([s], from, to, options)).to.deep.equal([
      {
        kind: 'double-cover',
        schedule: 'cardiology',
        people: ['dan', 'eve'],
        ...span('2026-06-02 19:00', '2026-06-02 20:00'),
      },
      {
        kind: 'double-cover',
        schedule: 'cardiology',
        people: ['ann', 'bob'],
        ...span('2026-06-04 11:00', '2026-06-04 12:00'),
      },
    ])
  })

  it('names one person in two roles, when asked', () => {
    const other = schedule({ id: 'icu', layers: [layer('l', turns('week', '2026-06-04 08:00', ['bob', 'ann']))] })
    const both = conflicts([schedule(), other], from, to, options)
    expect(both).to.deep.equal([
      {
        kind: 'two-roles',
        person: 'bob',
        schedules: ['icu', 'cardiology'],
        ...span('2026-06-08 08:00', '2026-06-11 08:00'),
      },
    ])
    expect(conflicts([schedule(), other], from, to, { ...options, reportTwoRoles: false })).to.deep.equal([])
  })

  it('names whoever would be on while away, who covers, and who does not exist', () => {
    const s = schedule({
      layers: [layer('weekly', turns('week', '2026-06-01 08:00', ['ann', 'ghost']))],
      absences: [{ id: 'a', person: 'ann', ...span('2026-06-03 00:00', '2026-06-04 00:00') }],
      overrides: [replace('o', 'ann', '2026-06-03 20:00', '2026-06-03 22:00')],
    })
    const absent = { kind: 'absent', schedule: 'cardiology', person: 'ann' } as const
    expect(conflicts([s], from, to, options)).to.deep.equal([
      { ...absent, covering: 'switchboard', ...span('2026-06-03 00:00', '2026-06-03 20:00') },
      { ...absent, covering: 'ann', ...span('2026-06-03 20:00', '2026-06-03 22:00') },
      { ...absent, covering: 'switchboard', ...span('2026-06-03 22:00', '2026-06-04 00:00') },
      {
        kind: 'unknown-person',
        schedule: 'cardiology',
        person: 'ghost',
        ...span('2026-06-08 08:00', '2026-06-15 08:00'),
      },
    ])
  })
})
