import { expect } from 'chai'
import { alertWords } from '../../../core/domain/audit/alerts/alert-words.ts'
import { collapse, type Seen, type Values, valuesOf } from '../../../core/domain/audit/alerts/rule.ts'
import { ruleNamed, rules } from '../../../core/domain/audit/alerts/rules.ts'
import { surnamesOf } from '../../../core/domain/audit/alerts/surname.ts'
import { minutes } from '../../../core/domain/clock.ts'
import { parseOpenHours } from '../../../core/domain/settings/open-hours.ts'

const context = { hours: parseOpenHours('Mon-Fri 08:00-18:00') ?? [], timeZone: 'America/New_York' }
const monday = Date.parse('2026-11-23T15:00:00Z')

type Part = Partial<Omit<Seen, 'idx'>>
const entries = (parts: readonly Part[]): Seen[] =>
  parts.map((part, idx) => ({
    idx,
    id: idx + 1,
    at: monday + idx * 1000,
    actor: { kind: 'user', ref: '@ann:clinic.example' },
    action: 'patient.view',
    object: { kind: 'patient', ref: 'p' },
    outcome: 'done',
    facts: {},
    ...part,
  }))

const find = (name: string, seen: readonly Seen[], from = 0, values: Values = {}) => {
  const rule = ruleNamed(name)
  if (!rule?.find) throw new Error(`no rule ${name}`)
  return rule.find(seen, from, { ...valuesOf(rule, {}), ...values }, context)
}

describe('alert rules', () => {
  it('count failed verifications by address, by patient and altogether, in their window', () => {
    const wrong = (patient: string, origin: string, at = 0): Part => ({
      action: 'link.verify',
      outcome: 'refused',
      actor: { kind: 'anonymous', ref: 'x' },
      patient,
      origin,
      at: monday + at,
    })
    const spread = entries(Array.from({ length: 19 }, (_, i) => wrong(`p${i}`, `o${i}`, i)))
    expect(find('verify-burst', spread)).to.deep.equal([])
    const all = entries(Array.from({ length: 20 }, (_, i) => wrong(`p${i}`, `o${i}`, i)))
    expect(find('verify-burst', all).map(f => [f.key, f.count, f.first, f.last])).to.deep.equal([
      ['all:all', 20, 0, 19],
    ])
    const origin = entries(Array.from({ length: 5 }, (_, i) => wrong(`p${i}`, 'same', i)))
    expect(find('verify-burst', origin).map(f => f.key)).to.deep.equal(['origin:same'])
    const slow = entries(Array.from({ length: 5 }, (_, i) => wrong('one', `o${i}`, i * minutes(4))))
    expect(find('verify-burst', slow)).to.deep.equal([])
    const right = entries(Array.from({ length: 9 }, (_, i) => ({ ...wrong('one', 'o', i), outcome: 'done' as const })))
    expect(find('verify-burst', right)).to.deep.equal([])
  })

  it('find only for new entries, with the past counted in', () => {
    const views = entries(Array.from({ length: 31 }, (_, i) => ({ patient: `p${i}` })))
    expect(find('many-patients', views).map(f => [f.last, f.count])).to.deep.equal([
      [29, 30],
      [30, 31],
    ])
    expect(find('many-patients', views, 30).map(f => f.last)).to.deep.equal([30])
    expect(find('many-patients', views, 31)).to.deep.equal([])
  })

  it('take the same patient, opened again and again, for one', () => {
    const views = entries(Array.from({ length: 90 }, (_, i) => ({ patient: `p${i % 29}` })))
    expect(find('many-patients', views)).to.deep.equal([])
  })

  it('name a namesake and who is outside of the room once per person and patient', () => {
    const seen = entries([
      { patient: 'p1', facts: { sameSurname: true } },
      { patient: 'p1', facts: { sameSurname: true }, outcome: 'refused' },
      { patient: 'p2', facts: { sameSurname: false, outsideTeam: true } },
      { patient: 'p1', facts: { sameSurname: true }, action: 'message.receipt' },
      { patient: 'p3', facts: { outsideTeam: true }, action: 'message.sent' },
    ])
    const same = find('same-surname', seen)
    expect(same.map(f => f.last)).to.deep.equal([0, 3])
    expect(collapse(same, minutes(60))).to.have.lengthOf(1)
    expect(find('outside-team', seen).map(f => f.last)).to.deep.equal([2])
  })

  it('see a new administrator, but no other role and no pin', () => {
    const grant = (detail: Seen['detail'], outcome: Seen['outcome'] = 'done'): Part => ({
      action: 'role.grant',
      object: { kind: 'role', ref: '@new:clinic.example' },
      detail,
      outcome,
    })
    const seen = entries([
      grant({ role: 'clinician' }),
      grant({ role: 'admin', approved_by: '@second:clinic.example' }),
      grant({ roles: 'admin' }),
      grant({ role: 'admin' }, 'refused'),
    ])
    const found = find('new-admin', seen)
    expect(found.map(f => f.last)).to.deep.equal([1])
    expect(ruleNamed('new-admin')?.sentence(found[0]?.about ?? {}, 1)).to.equal(
      '@new:clinic.example was made admin by @ann:clinic.example; approved by @second:clinic.example.',
    )
  })

  it('see administration out of hours by the wall clock of the clinic, and from the command line', () => {
    const night = Date.parse('2026-11-24T03:00:00Z')
    const seen = entries([
      { action: 'config.change', at: monday },
      { action: 'config.change', at: night },
      { action: 'role.grant', at: night, actor: { kind: 'service', ref: 'host:root' } },
      { action: 'role.grant', at: night, actor: { kind: 'service', ref: 'configuration' } },
      { action: 'audit.key_rotate', at: night, actor: { kind: 'service', ref: 'cli/root' } },
      { action: 'patient.view', at: night },
    ])
    expect(find('out-of-hours', seen).map(f => f.last)).to.deep.equal([1, 2, 4])
    for (const action of ['retention.change', 'hold.place', 'hold.release', 'patient.erase', 'export.request'] as const)
      expect(find('out-of-hours', entries([{ action, at: night }])), action).to.have.lengthOf(1)
  })

  it('count what one person takes: exports of the log and of records, reports and reveals together', () => {
    const taken = ['audit.export', 'audit.report', 'audit.reveal', 'export.request'] as const
    const burst = entries(Array.from({ length: 5 }, (_, i) => ({ action: taken[i % 4] })))
    expect(find('export-burst', burst).map(f => [f.last, f.count])).to.deep.equal([[4, 5]])
    const shell = { actor: { kind: 'service', ref: 'cli/root' }, action: 'audit.export' } as const
    expect(find('export-burst', entries(Array.from({ length: 5 }, () => shell)))).to.have.lengthOf(1)
    expect(find('export-burst', burst.slice(0, 4))).to.deep.equal([])
    const two = burst.map((s, i) => ({ ...s, actor: { kind: 'user' as const, ref: `@${i % 2}:clinic.example` } }))
    expect(find('export-burst', two)).to.deep.equal([])
  })

  it('see foreign devices of ours only, and never the failure of their own messages', () => {
    const seen = entries([
      { action: 'device.change', object: { kind: 'device', ref: 'NEW' } },
      { action: 'device.change', object: { kind: 'device', ref: 'NEW' }, reason: 'foreign-device' },
      { action: 'job.failed', detail: { kind: 'compliance.alert' } },
      { action: 'job.failed', detail: { kind: 'bot.say' } },
    ])
    expect(find('foreign-device', seen).map(f => f.last)).to.deep.equal([1])
    expect(find('broke-down', seen).map(f => f.last)).to.deep.equal([3])
  })

  it('collapse what follows soon, and begin anew later', () => {
    const f = (at: number) => ({ rule: 'r', key: 'k', about: {}, count: 5, first: at, last: at, at: minutes(at) })
    const alerts = collapse([f(0), f(10), f(20), f(90)], minutes(30))
    expect(alerts.map(a => [a.firstAt, a.count, a.last])).to.deep.equal([
      [0, 7, 20],
      [minutes(90), 5, 90],
    ])
  })

  it('have parameters that read what they show, and sentences that are whole', () => {
    expect(new Set(rules.map(r => r.name)).size).to.equal(rules.length)
    for (const rule of rules) {
      expect(rule.params.enabled, rule.name).to.be.an('object')
      expect(valuesOf(rule, {}), rule.name).to.include({ enabled: true })
      for (const [name, p] of Object.entries(rule.params))
        expect(p.kind.revive((p.kind.show as (v: unknown) => string)(p.default)), `${rule.name} ${name}`).to.equal(
          p.default,
        )
      expect(rule.sentence({}, 2), rule.name).to.match(/\.$/)
    }
  })

  it('say who, how often and which entries, never which patient', () => {
    const about = { user: '@ann:clinic.example', patient: 'commitment' }
    const alert = {
      rule: 'same-surname',
      severity: 'warning' as const,
      about,
      first: 7,
      last: 7,
      count: 1,
      lastAt: monday,
    }
    const first = alertWords({ ...alert, clearedAt: null, saidCount: 0 })
    expect(first).to.include('@ann:clinic.example').and.include('!audit reveal #7 reason').and.not.include('commitment')
    const more = alertWords({ ...alert, last: 12, count: 3, clearedAt: null, saidCount: 1 })
    expect(more).to.include('3 by now').and.include('Entries #7 to #12')
    expect(alertWords({ ...alert, clearedAt: monday, saidCount: 1 })).to.match(/^✅/)
  })
})

describe('surnames', () => {
  for (const [name, expected] of [
    ['Rosa Ejemplo García', ['ejemplo', 'garcia']],
    ['GARCIA, Rosa', ['garcia']],
    ['Dr. Lee', ['lee']],
    ['Dr Ann Lee, MD', ['lee']],
    ['Lee', ['lee']],
    ["Maeve O'Brien (she/her)", ['obrien']],
    ['Jan van der Berg', ['berg']],
    ['Nurse Kim RN', ['kim']],
    ['', []],
    ['李 小龍', ['李']],
    ['김민준', ['김']],
  ] as const)
    it(`of "${name}" are ${expected.join(', ') || 'none'}`, () => expect(surnamesOf(name)).to.deep.equal(expected))
})
