import { expect } from 'chai'
import fc from 'fast-check'
import {
  guessLang,
  isProviderStop,
  isYes,
  meaningOf,
  readChoice,
  readKeyword,
} from '../../../core/domain/texts/keywords.ts'
import { seed } from '../../support/random.ts'

const runs = { seed, numRuns: process.env.WARDROOM_LONG === '1' ? 20_000 : 500 }
const stops =
  'STOP STOPALL UNSUBSCRIBE CANCEL END QUIT OPTOUT REVOKE ALTO PARAR CANCELAR BAJA DETENER DETENGA DESUSCRIBIR BASTA'.split(
    ' ',
  )

const anyCase = (word: string) =>
  fc
    .array(fc.boolean(), { minLength: word.length, maxLength: word.length })
    .map(up => [...word].map((c, i) => (up[i] ? c.toUpperCase() : c.toLowerCase())).join(''))
const noise = fc.stringMatching(/^[ .,!¡¿?"'\n…-]{0,6}$/)

describe('words that come in by SMS (row 66)', () => {
  it('knows every stop word in any case, with any punctuation around it', () => {
    const written = fc.constantFrom(...stops).chain(w => fc.tuple(noise, anyCase(w), noise))
    fc.assert(
      fc.property(written, ([before, word, after]) => {
        expect(readKeyword(before + word + after)).to.deep.equal({ meaning: 'stop', bare: true })
      }),
      runs,
    )
  })

  const wishes = [
    'please stop texting me',
    'Stop sending me these messages!',
    "Don't text me again",
    'DO NOT CONTACT ME',
    'I don’t want these texts anymore',
    'no more texts',
    'Take me off your list',
    'opt out',
    'Stop please',
    'S.T.O.P',
    'I revoke my consent',
    'No me envíen más mensajes',
    'deje de escribirme por favor',
    'No quiero recibir más mensajes',
    'Quiero darme de baja',
  ]
  for (const wish of wishes) it(`hears a wish to stop in "${wish}"`, () => expect(meaningOf(wish)).to.equal('stop'))

  const texts = [
    'Can I stop the medication?',
    'STOP taking metformin?',
    "the bleeding won't stop, please message me",
    'Can you take me off the blood thinner',
    'cancel please',
    'I could not stop sending the message',
    'necesito ayuda para enviar mensajes',
    'no me mande la receta a la otra farmacia',
    'help me I fell',
    'I am at the bus stop',
    '¿Puedo parar el tratamiento?',
    'When does it end?',
    'ok',
    '',
    '🙂',
  ]
  for (const text of texts) it(`leaves "${text}" to the care team`, () => expect(meaningOf(text)).to.equal('text'))

  it('tells a keyword alone from a sentence that carries more', () => {
    expect(readKeyword('stop').bare).to.equal(true)
    expect(readKeyword('please stop texting me, my knee hurts').bare).to.equal(false)
  })

  it('knows start, yes, help and wrong numbers in both languages', () => {
    for (const w of ['START', 'unstop', 'Comenzar', 'yes', 'Sí', 'SI']) expect(meaningOf(w), w).to.equal('start')
    expect([isYes('Sí!'), isYes('start')]).to.deep.equal([true, false])
    for (const w of ['HELP', 'info', 'Ayuda', 'INFORMACIÓN']) expect(meaningOf(w), w).to.equal('help')
    for (const w of ['Wrong number', 'You have the wrong person', 'Número equivocado'])
      expect(meaningOf(w), w).to.equal('wrong_number')
  })

  it('never breaks on any text, and takes no more than a moment for a long one', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 400 }), text => {
        expect(readKeyword(text).meaning).to.be.oneOf(['stop', 'start', 'help', 'wrong_number', 'text'])
      }),
      runs,
    )
    const begin = performance.now()
    for (const piece of ['stop me ', 'no quiero mas ', 'do not want to get ', 'me me all the '])
      readKeyword(piece.repeat(400))
    expect(performance.now() - begin).to.be.lessThan(5000)
  })

  it('reads a choice by digit or word, and nothing else', () => {
    expect(['2', ' #2. ', 'two', 'Dos', 'uno'].map(t => readChoice(t, 2))).to.deep.equal([2, 2, 2, 2, 1])
    expect(['3', '0', '22', '2 pills', 'no'].map(t => readChoice(t, 2))).to.deep.equal([null, null, null, null, null])
  })

  it('knows which words the provider answers itself, and guesses a language', () => {
    expect([isProviderStop('Stop!'), isProviderStop('alto')]).to.deep.equal([true, false])
    expect([guessLang('hola, tengo una cita'), guessLang('hello, who is this?'), guessLang('ALTO')]).to.deep.equal([
      'es',
      'en',
      'es',
    ])
  })
})
