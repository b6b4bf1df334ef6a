import { expect } from 'chai'
import type { ImportedShift } from '../../../core/oncall/calendar/imported.ts'
import { matchNames, nameKey } from '../../../core/oncall/calendar/names/match-names.ts'

const people = [
  { person: '@ann:clinic.example', names: ['Ann Smith'], emails: ['ann.smith@clinic.example'] },
  { person: '@bob:clinic.example', names: ['Dr. Bob García-López'] },
  { person: '@chidi:clinic.example', names: ['Chidi Okafor'] },
  { person: '@maria:clinic.example', names: ['María José Núñez'] },
  { person: '@sam:clinic.example', names: ['Sam Lee'] },
  { person: '@susan:clinic.example', names: ['Susan Lee'] },
  { person: '@ana:clinic.example', names: ['Ana García'] },
  { person: '@anal:clinic.example', names: ['Ana García López'] },
]
const shift = (name: string, more: Partial<ImportedShift> = {}): ImportedShift => ({
  from: 0,
  to: 1,
  uid: name,
  name,
  summary: name,
  ...more,
})
const meant = (name: string, more: Partial<ImportedShift> = {}) => {
  const s = shift(name, more)
  return matchNames([s], people).people.get(nameKey(s))
}
const asked = (name: string) => {
  const { people: found, questions } = matchNames([shift(name)], people)
  expect(found.size).to.equal(0)
  return questions[0]
}

describe('matching the names of imported shifts', () => {
  it('whatever the case, accents, title and order', () => {
    for (const name of ['Ann Smith', 'ANN SMITH', 'Smith, Ann', 'smith ann', 'Dr. Ann Smith, MD', 'Dra. Ann  Smith'])
      expect(meant(name), name).to.equal('@ann:clinic.example')
    for (const name of ['Maria Jose Nunez', 'NÚÑEZ, María José', 'Dra. María José Núñez'])
      expect(meant(name), name).to.equal('@maria:clinic.example')
    expect(meant('Garcia Lopez, Bob')).to.equal('@bob:clinic.example')
  })

  it('by initials where they mean one person', () => {
    for (const name of ['A. Smith', 'Smith, A', 'Smith A.']) expect(meant(name), name).to.equal('@ann:clinic.example')
    expect(meant('B. García-López')).to.equal('@bob:clinic.example')
    expect(asked('S. Lee')).to.include({ reason: 'several', shifts: 1 })
    expect(asked('S. Lee')?.candidates.map(c => c.person)).to.deep.equal([
      '@sam:clinic.example',
      '@susan:clinic.example',
    ])
  })

  it('inside a longer summary', () => {
    expect(meant('On Call - Ann Smith - Cardiology Primary')).to.equal('@ann:clinic.example')
    expect(meant('Smith, Ann - OR Call 1')).to.equal('@ann:clinic.example')
    expect(meant('Medicine night -- A. Smith')).to.equal('@ann:clinic.example')
    expect(meant('Stroke night: Núñez, María José')).to.equal('@maria:clinic.example')
  })

  it('of two names of which one holds the other, each means its own person', () => {
    expect(meant('Ana García')).to.equal('@ana:clinic.example')
    expect(meant('Night: Ana García López')).to.equal('@anal:clinic.example')
  })

  it('by an e-mail address or a Matrix id, before any name', () => {
    expect(meant('Stroke day: ANN.SMITH@clinic.example')).to.equal('@ann:clinic.example')
    expect(meant('Bob García', { contacts: ['ann.smith@clinic.example'] })).to.equal('@ann:clinic.example')
    expect(meant('backup @sam:clinic.example')).to.equal('@sam:clinic.example')
  })

  it('asks about a misspelled name, a lone surname and a stranger, with those who are most alike', () => {
    expect(asked('Ann Smiht')?.candidates[0]?.person).to.equal('@ann:clinic.example')
    expect(asked('Okafor')?.candidates.map(c => c.person)).to.deep.equal(['@chidi:clinic.example'])
    expect(asked('Wolfgang Xylander')).to.deep.equal({
      name: 'Wolfgang Xylander',
      shifts: 1,
      reason: 'unknown',
      candidates: [],
    })
    expect(asked('')).to.include({ name: '', reason: 'unknown' })
  })

  it('two people of one name are asked about, never taken by chance', () => {
    const twins = [...people, { person: '@ann2:clinic.example', names: ['Ann Smith'] }]
    const { people: found, questions } = matchNames([shift('Smith, Ann')], twins)
    expect(found.size).to.equal(0)
    expect(questions[0]?.candidates.map(c => c.person)).to.have.members(['@ann:clinic.example', '@ann2:clinic.example'])
  })

  it('an answer that was given before, as another spelling, is not asked again', () => {
    const taught = [{ person: '@chidi:clinic.example', names: ['Chidi Okafor', 'OK'] }]
    const { people: found } = matchNames([shift('OK')], taught)
    expect([...found.values()]).to.deep.equal(['@chidi:clinic.example'])
  })

  it('every shift is matched or asked about, the most frequent name first', () => {
    const found = ['Ann Smith', 'Nobody', 'Noone', 'Noone', 'Sam Lee'].map((name, i) => shift(name, { uid: String(i) }))
    const { people: matched, questions } = matchNames(found, people)
    expect(questions.map(q => [q.name, q.shifts])).to.deep.equal([
      ['Noone', 2],
      ['Nobody', 1],
    ])
    expect(found.filter(s => matched.has(nameKey(s)))).to.have.lengthOf(2)
  })

  it('a thousand shifts with hostile names among 500 people take no time', () => {
    const crowd = Array.from({ length: 500 }, (_, i) => ({ person: `@p${i}:x`, names: [`Person ${i} Name${i}`] }))
    const found = Array.from({ length: 1_000 }, (_, i) => shift(`${'a-'.repeat(400)}@${'b'.repeat(400)} ${i % 50}`))
    const began = performance.now()
    matchNames(found, crowd)
    expect(performance.now() - began).to.be.lessThan(5_000)
  })
})
