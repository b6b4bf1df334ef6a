import { expect } from 'chai'
import fc from 'fast-check'
import { isHigher, priorities } from '../../../core/domain/oncall/paging/priority.ts'
import { readValueRule, triageRulesOf } from '../../../core/domain/oncall/triage/own-rules.ts'
import { type TriageItem, type TriageRule, triage } from '../../../core/domain/oncall/triage/triage.ts'
import { checkTriageRules, defaultTriageRules } from '../../../core/domain/oncall/triage/triage-rules.ts'
import { convert } from '../../../core/domain/oncall/triage/units.ts'
import { seed } from '../../support/random.ts'

const item = (text: string, more: Partial<TriageItem> = {}): TriageItem => ({
  priority: 'routine',
  sender: 'sue',
  text,
  values: [],
  ...more,
})
const suggested = (text: string, more: Partial<TriageItem> = {}) => triage(item(text, more), defaultTriageRules)
const measured = (name: string, value: number, unit: string) => suggested('', { values: [{ name, value, unit }] })

/** Row 110. */
describe('triage', () => {
  it('suggests by words in English and Spanish, and says why', () => {
    expect(suggested('Pt has CHEST  pain')).to.deep.equal({
      priority: 'stat',
      raised: true,
      why: [{ rule: 'heart', because: 'it may be a heart attack', priority: 'stat' }],
      unread: [],
    })
    for (const text of [
      'dolor de pecho',
      'Paciente NO RESPIRA',
      'está sin pulso',
      'He can’t breathe',
      'No, chest pain!',
      'no fever but chest pain',
      'no mejora el dolor de pecho',
    ])
      expect(suggested(text).priority, text).to.equal('stat')
    expect(suggested('se cayó del sillón').priority).to.equal('urgent')
    expect(suggested('refill please').why).to.deep.equal([])
  })

  it('hears a denial', () => {
    for (const text of ['denies chest pain', 'sin dolor de pecho', 'no chest pain', 'patient is not unresponsive'])
      expect(suggested(text).priority, text).to.equal('routine')
  })

  it('compares values across units, and concludes nothing from a unit that it cannot read', () => {
    expect(measured('Glucose', 2.5, 'mmol/L').priority).to.equal('stat')
    expect(measured('glucose', 5, 'mmol/L').priority).to.equal('routine')
    expect(measured('Temp', 104, '°F').priority).to.equal('urgent')
    expect(measured('temperature', 37, 'Cel').priority).to.equal('routine')
    expect(measured('systolic', 10, 'kPa').priority).to.equal('urgent')
    expect(measured('SpO2', 0.8, '1').priority).to.equal('stat')
    expect(measured('heart_rate', 170, 'bpm').priority).to.equal('urgent')
    expect(measured('potassium', 9, 'furlong')).to.deep.include({ priority: 'routine', unread: ['potassium'] })
    expect(convert({ value: 1, unit: 'mmol/L' }, 'mg/dL', 'unheard-of')).to.equal(undefined)
    expect(convert({ value: 98.6, unit: 'F' }, 'Cel', '')).to.be.closeTo(37, 1e-9)
  })

  it('follows a clinic’s own rules, all conditions of each', () => {
    const rules: TriageRule[] = [
      {
        id: 'lab',
        suggest: 'urgent',
        because: 'the laboratory says critical',
        when: [
          { kind: 'sender', any: ['lab'] },
          { kind: 'words', any: ['critical'] },
        ],
      },
    ]
    expect(triage(item('critical', { sender: 'lab' }), rules).priority).to.equal('urgent')
    expect(triage(item('critical'), rules).priority).to.equal('routine')
  })

  it('never lowers a priority, and a rule more never lowers a suggestion', () => {
    const words = fc.constantFrom('chest pain', 'no', 'urgent', 'refill', 'sin', 'seizure', '.', 'sepsis', 'pero')
    fc.assert(
      fc.property(
        fc.array(words, { maxLength: 8 }),
        fc.constantFrom(...priorities),
        fc.subarray([...defaultTriageRules]),
        (text, priority, some) => {
          const it = item(text.join(' '), { priority })
          const few = triage(it, some).priority
          const all = triage(it, defaultTriageRules).priority
          expect(isHigher(priority, few)).to.equal(false)
          expect(isHigher(few, all)).to.equal(false)
        },
      ),
      { numRuns: process.env.WARDROOM_LONG === '1' ? 1_000_000 : 300, seed },
    )
  }).timeout(600_000)

  it('takes only rules that can be met and do not fit everything', () => {
    expect(checkTriageRules(defaultTriageRules)).to.equal(undefined)
    const rule = (more: Partial<TriageRule>): TriageRule => ({
      id: 'r',
      suggest: 'urgent',
      because: 'x',
      when: [],
      ...more,
    })
    const refusals: [string, TriageRule[]][] = [
      ['no-condition', [rule({})]],
      ['unknown-unit', [rule({ when: [{ kind: 'value', name: 'k', above: 1, unit: 'furlong' }] })]],
      ['no-limit', [rule({ when: [{ kind: 'value', name: 'k', unit: 'mmol/L' }] })]],
      ['limits-cross', [rule({ when: [{ kind: 'value', name: 'k', below: 5, above: 2, unit: 'mmol/L' }] })]],
      ['empty-words', [rule({ when: [{ kind: 'words', any: [' '] }] })]],
      ['double', [rule({ when: [{ kind: 'words', any: ['a'] }] }), rule({ when: [{ kind: 'words', any: ['b'] }] })]],
    ]
    for (const [code, rules] of refusals) expect(checkTriageRules(rules), code).to.include({ code })
  })

  it('are a clinic’s own by its settings, beside the built-in ones or alone', () => {
    const own = (defaults: boolean) =>
      triageRulesOf({
        'oncall.triage_defaults': defaults,
        'oncall.triage_stat': ['code white'],
        'oncall.triage_urgent': ['pump alarm'],
        'oncall.triage_values': ['SpO2 < 88 % stat', 'potassium > 6 mmol/L urgent'],
      })
    expect(checkTriageRules(own(true))).to.equal(undefined)
    const said = (text: string, more: Partial<TriageItem> = {}) => triage(item(text, more), own(false)).priority
    expect(said('Code White on 3')).to.equal('stat')
    expect(said('the pump alarm')).to.equal('urgent')
    expect(said('chest pain')).to.equal('routine')
    expect(said('x', { values: [{ name: 'SpO2', value: 87, unit: '%' }] })).to.equal('stat')
    for (const bad of ['SpO2 < 88 % routine', 'SpO2 = 88 % stat', 'SpO2 < 88 parsecs stat', '< 3 % stat'])
      expect(readValueRule(bad), bad).to.equal(undefined)
  })
})
