import { expect } from 'chai'
import fc from 'fast-check'
import { countSegments } from '../../../core/domain/texts/sms-segments.ts'
import {
  renderTemplate,
  type TemplateLang,
  type TemplateName,
  templateNames,
} from '../../../core/domain/texts/template.ts'
import { defaultTemplates } from '../../../core/domain/texts/template-defaults.ts'
import { healthWords, lintTemplate, longestVars } from '../../../core/domain/texts/template-lint.ts'
import { seed } from '../../support/random.ts'

const sample = {
  clinic: 'Riverside Community Clinic Northeast Site',
  phone: '+1 (202) 555-0100',
  link: `https://chat.riverside-community.example/l/${'x'.repeat(22)}`,
}
const notice = (middle: string) => `{clinic}: ${middle} Open {link} today. Call {phone}. Reply STOP to stop texts.`
const lint = (body: string, name: TemplateName = 'notice') => lintTemplate(name, body, sample)

describe('the texts that ship (row 54)', () => {
  for (const name of templateNames)
    for (const lang of ['en', 'es'] as TemplateLang[])
      it(`${name} ${lang} pass the linter, in the cheap alphabet, with a long clinic name and address`, () => {
        const body = defaultTemplates[name][lang]
        expect(lint(body, name)).to.deep.equal([])
        expect(countSegments(renderTemplate(body, { ...longestVars, ...sample })).encoding).to.equal('gsm-7')
      })
})

describe('the template linter (rows 54, 81, 83)', () => {
  it('accepts ordinary words', () => {
    expect(lint(notice('there is news for you.'))).to.deep.equal([])
    expect(
      lint('{clinic}: hay novedades. Abra {link} hoy. Llame al {phone}. Responda ALTO para terminar.'),
    ).to.deep.equal([])
  })

  const blocked: [string, string, RegExp][] = [
    ['a name', 'John has news for you.', /person's name/],
    ['a doctor', 'Dr. smith-Jones wrote.'.replace('smith', 'Smith'), /person's name/],
    ['a greeting', 'Dear Wilhelmina, news.', /person's name/],
    ['two capitalised words', 'news from Anders Lindqvist.', /person's name/],
    ['a Spanish title', 'la Dra. Ibarra escribe.', /person's name/],
    ['a date of birth', 'you were born 03/04/1950.', /date of birth/],
    ['a date', 'see you on March 3.', /a date/],
    ['a Spanish date', 'nos vemos el 3 de marzo.', /a date/],
    ['a record number', 'your MRN is ready.', /record number/],
    ['a numbered case', 'case #4711 has news.', /record number/],
    ['a social security number', 'about 123-45-6789.', /social security/],
    ['a long number', 'call 2025550199.', /long number/],
    ['a specialty', 'oncology has news.', /specialty.*"oncology"/],
    ['a specialty in Spanish', 'Cardiología tiene novedades.', /specialty/],
    ['a diagnosis', 'your cancer results.', /condition.*"cancer"/],
    ['a diagnosis in Spanish', 'su diabetes y embarazo.', /condition.*"diabetes", "embarazo"/],
    ['a medicine', 'refill your lisinopril.', /medicine/],
    ['a medicine that only sounds like one', 'refill your zorbolizumab.', /medicine/],
    ['another address', 'see https://evil.example too.', /address of its own/],
    ['a bare address', 'see riverside.com too.', /address of its own/],
    ['an unknown placeholder', '{name}, news.', /\{name\} is not known/],
    ['a placeholder of another template', '{code} is news.', /not for this template/],
    ['a lonely brace', 'news { for you.', /no partner/],
    ['a second link', '{link} and', /more than one link/],
  ]
  for (const [what, middle, sentence] of blocked)
    it(`blocks ${what}`, () => expect(lint(notice(middle)).join('\n')).to.match(sentence))

  it('wants the clinic first, the link amid words, and how to stop', () => {
    expect(lint('News: {clinic} {link} call {phone}. Reply STOP.').join(' ')).to.match(/begin with \{clinic\}/)
    expect(lint('{clinic}: {link} call {phone}. Reply STOP.').join(' ')).to.match(/amid words/)
    expect(lint('{clinic}: call {phone}. Reply STOP, or open {link}').join(' ')).to.match(/amid words/)
    expect(lint('{clinic}: open {link} now, call {phone}.').join(' ')).to.match(/how to stop/)
    expect(lint('{clinic}: open {link} now. STOP ends it.').join(' ')).to.match(/\{phone\} is missing/)
  })

  it('counts the clinic’s own name and address, and says when an odd letter doubles the price', () => {
    expect(lint(notice(`${'news '.repeat(50)}.`)).join(' ')).to.match(/takes [34] segments/)
    const chinese = { ...sample, clinic: '河滨社区诊所' }
    expect(
      lintTemplate('notice', notice('news for you, and more news again, and yet more.'), chinese).join(' '),
    ).to.match(/not in the SMS alphabet/)
  })

  it('finds health words in a clinic’s public name as well', () => {
    expect(healthWords('Riverside Oncology').specialty).to.deep.equal(['oncology'])
    expect(healthWords('Riverside Clinic')).to.deep.equal({ specialty: [], diagnosis: [], drug: [] })
  })

  it('never breaks on any words, however odd', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 300 }), body => {
        expect(lint(body)).to.be.an('array').that.is.not.empty
      }),
      { seed, numRuns: 300 },
    )
  })

  it('never sends a text with a hole', () => {
    expect(() => renderTemplate('{clinic}: {link}', { clinic: 'x' })).to.throw('{link}')
    expect(() => renderTemplate('{toString}', {})).to.throw('{toString}')
  })
})
