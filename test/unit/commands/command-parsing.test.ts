import { expect } from 'chai'
import fc from 'fast-check'
import { findCommand } from '../../../bots/commands/find.ts'
import { commands } from '../../../bots/commands/index.ts'
import { answer } from '../../../bots/framework/answer.ts'
import type { Env } from '../../../bots/framework/args.ts'
import * as arg from '../../../bots/framework/args.ts'
import { parseBirthDate } from '../../../bots/framework/birth-date.ts'
import { command } from '../../../bots/framework/command.ts'
import { messageText } from '../../../bots/framework/message-text.ts'
import { closest } from '../../../bots/framework/near.ts'
import { tokenize } from '../../../bots/framework/tokens.ts'
import { isRefusal } from '../../../core/domain/refusal.ts'
import { seed } from '../../support/random.ts'

const runs = { seed, numRuns: process.env.WARDROOM_LONG === '1' ? 50_000 : 1000 }
const env: Env = { country: 'US', today: '2026-11-21', serverName: 'clinic.example', source: '' }

const words = (text: string) => {
  const tokens = tokenize(text)
  return isRefusal(tokens) ? tokens.code : tokens.map(t => t.text)
}

/** The values that a command line gives, or the refusal's sentence. */
const read = (text: string): unknown => {
  let seen: unknown
  const spy = command({
    words: ['try'],
    needs: 'anyone',
    help: 'A command for this test.',
    args: {
      number: arg.phone(),
      dob: arg.named('dob', arg.birthDate()),
      name: arg.optional(arg.named('name', arg.phrase('name', 'Ann'))),
      lang: arg.optional(arg.named('lang', arg.choice(['en', 'es']))),
    },
    run: (_, args) => {
      seen = args
      return answer('done')
    },
  })
  const request = findCommand([spy], text)
  if (request.kind !== 'command') return request
  const parsed = spy.parse(request.tokens, { ...env, source: request.source })
  if (isRefusal(parsed)) return parsed.sentence
  void parsed.run({} as never, undefined)
  return seen
}

describe('the words of a command', () => {
  it('takes phrases in any quotes, and every dash as a hyphen outside them', () => {
    expect(words('a "b c" d')).to.deep.equal(['a', 'b c', 'd'])
    expect(words('“Ann Example” „x y“ «z z»')).to.deep.equal(['Ann Example', 'x y', 'z z'])
    expect(words("'two words' O'Brien ’s")).to.deep.equal(['two words', "O'Brien", '’s'])
    expect(words('1980–02–01 “a – b”')).to.deep.equal(['1980-02-01', 'a – b'])
    expect(words('say "he said \\"no\\""')).to.deep.equal(['say', 'he said "no"'])
    expect(words('a\u00a0b\u200b c')).to.deep.equal(['a', 'b', 'c'])
    expect(words('name="Ann B"')).to.deep.equal(['name=Ann B'])
  })

  it('refuses a quotation mark that is not closed', () => {
    expect(words('a "b c')).to.equal('unclosed-quote')
  })

  it('never throws, whatever is typed, and loses no visible letter', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 400 }), text => {
        const tokens = tokenize(text)
        if (!isRefusal(tokens)) for (const t of tokens) expect(text.slice(t.start, t.end).length).to.be.at.least(1)
        const request = findCommand(commands, `!${text}`)
        if (request.kind === 'command') request.command.parse(request.tokens, { ...env, source: request.source })
      }),
      runs,
    )
  })

  it('never throws for any command with any words behind it', () => {
    const piece = fc.oneof(
      fc.constantFrom(
        'dob',
        'name',
        'lang',
        'person',
        'unit',
        '+1',
        '202 555 0143',
        '"',
        '“',
        '1980-02-01',
        '@a:b',
        'K7M-4QP',
        'es',
        '=',
      ),
      fc.string({ maxLength: 12 }),
    )
    fc.assert(
      fc.property(fc.constantFrom(...commands), fc.array(piece, { maxLength: 12 }), (c, pieces) => {
        const request = findCommand(commands, `!${c.words.join(' ')} ${pieces.join(' ')}`)
        if (request.kind === 'command') request.command.parse(request.tokens, { ...env, source: request.source })
      }),
      runs,
    )
  })

  it('takes the user id where a client wrote a name for a mention', () => {
    const content = {
      msgtype: 'm.text',
      body: '!role grant Ann Example desk',
      formatted_body: '!role grant <a href="https://matrix.to/#/%40ann%3Aclinic.example">Ann Example</a> desk',
    }
    expect(messageText('m.room.message', content)).to.equal('!role grant @ann:clinic.example desk')
  })

  it('obeys neither notices nor edits', () => {
    expect(messageText('m.room.message', { msgtype: 'm.notice', body: '!help' })).to.equal(undefined)
    const edit = { msgtype: 'm.text', body: '* !help', 'm.relates_to': { rel_type: 'm.replace', event_id: '$1' } }
    expect(messageText('m.room.message', edit)).to.equal(undefined)
  })
})

describe('the arguments of a command', () => {
  it('reads numbers and dates of several words, and named arguments in any order', () => {
    const ann = { number: '+12025550143', dob: '1980-02-02', name: 'Ann Example', lang: 'es' }
    expect(read('!try +1 202 555 0143 dob 2 Feb 1980 name “Ann Example” lang es')).to.deep.equal(ann)
    expect(read('!try lang es name "Ann Example" dob 1980–02–02 (202) 555-0143')).to.deep.equal(ann)
    expect(read('!TRY 2025550143 --dob February 2, 1980 name="Ann Example" lang: es')).to.deep.equal(ann)
    expect(read('!try 2025550143 dob 1980-02-02')).to.deep.equal({ number: '+12025550143', dob: '1980-02-02' })
  })

  it('keep the letters and marks that a name is written with, and nothing that turns the lines around it', () => {
    const persian = '\u0639\u0644\u06cc\u200c\u0631\u0636\u0627\u200f'
    const tricked = `!try \u202a+1 202 555 0143\u202c dob 9 Apr 1953 name "\u202eann\u2066 ${persian}\u2069"`
    expect(read(tricked)).to.deep.include({ number: '+12025550143', name: `ann ${persian}` })
  })

  it('says what is wrong, with an example', () => {
    const example = '!try +1 202 555 0123 dob 1980-02-01 name Ann lang en'
    expect(read('!try 2025550143')).to.equal(`dob <date> is missing.\nExample: ${example}`)
    expect(read('!try 2025550143 dob 01/02/1980')).to.include('two ways: 1980-01-02 or 1980-02-01')
    expect(read('!try 12 dob 1980-02-01')).to.include('not a telephone number')
    expect(read('!try 2025550143 dob 1980-02-01 lang ess')).to.include('did you mean es?')
    expect(read('!try 2025550143 dob 1980-02-01 dob 1980-02-01')).to.include('given twice')
    expect(read('!try 2025550143 dob 1980-02-01 Ann Example')).to.include('more than this command takes')
    expect(read('!try 2025550143 dob')).to.include('missing after "dob"')
  })

  it('reads dates of birth in every form that can mean one day only', () => {
    const same = ['1980-12-25', '19801225', '1980/12/25', '25.12.1980', '25/12/1980', '12/25/1980', '25 Dec 1980']
    const more = ['December 25th, 1980', '25 de diciembre de 1980', 'Dec 25 1980', '1980 dec 25', '25-dec-1980']
    for (const text of [...same, ...more]) expect(parseBirthDate(text, env.today), text).to.equal('1980-12-25')
    for (const text of ['1980-02-30', '2027-01-01', '1850-01-01', 'yesterday', '1980', '25/12/80', '1/2'])
      expect(isRefusal(parseBirthDate(text, env.today)), text).to.equal(true)
  })

  it('agrees with the calendar for every day that is written out', () => {
    const day = fc.date({ min: new Date('1900-01-01'), max: new Date('2026-11-20'), noInvalidDate: true })
    fc.assert(
      fc.property(day, date => {
        const iso = date.toISOString().slice(0, 10)
        const long = (locale: string) => date.toLocaleDateString(locale, { dateStyle: 'long', timeZone: 'UTC' })
        for (const text of [iso, iso.replaceAll('-', ''), long('en-US'), long('en-GB'), long('es-ES')])
          expect(parseBirthDate(text, env.today), text).to.equal(iso)
      }),
      runs,
    )
  })

  it('reads users, codes, durations and what is left', () => {
    const value = (a: arg.AnyArg, text: string) => {
      const tokens = tokenize(text)
      if (isRefusal(tokens)) return tokens.code
      const taken = a.take(tokens, { ...env, source: text })
      return isRefusal(taken) ? taken.code : taken.value
    }
    expect(value(arg.userId(), 'ann')).to.equal('@ann:clinic.example')
    expect(value(arg.userId(), 'https://matrix.to/#/@ann:other.example')).to.equal('@ann:other.example')
    expect(value(arg.userId(), '@a b:c')).to.equal('@a:clinic.example')
    expect(value(arg.userId(), '<script>')).to.equal('bad-user')
    expect(value(arg.patientCode(), 'k7m4qp')).to.equal('K7M-4QP')
    expect(value(arg.duration(), '2 hours')).to.equal(7_200_000)
    expect(value(arg.duration(), '45min')).to.equal(2_700_000)
    expect(value(arg.duration(), '0h')).to.equal('bad-duration')
    expect(value(arg.rest('words', 'x'), '{clinic}: “hello” — bye')).to.equal('{clinic}: “hello” — bye')
    expect(value(arg.rest('words', 'x'), '"{clinic}: hello"')).to.equal('{clinic}: hello')
    expect(value(arg.role(), 'clinican')).to.equal('bad-choice')
  })
})

describe('a command that does not exist', () => {
  const said = (text: string) => {
    const request = findCommand(commands, text)
    return request.kind === 'refused' ? request.refusal.sentence : request.kind
  }
  it('is no command at all when it asks for help about some', () => {
    expect(findCommand(commands, '!patient help')).to.deep.equal({ kind: 'group', word: 'patient' })
    expect(said('!nothing help')).to.include('no such command')
  })
  it('is answered with what was probably meant', () => {
    expect(said('!patient ad +1 202 555 0143')).to.include('Did you mean !patient add?')
    expect(said('!patinet add')).to.include('Did you mean !patient add?')
    expect(said('!confg set x')).to.include('Did you mean !config set?')
    expect(said('!hlep')).to.include('Did you mean !help?')
    expect(said('!zzzzzzzz')).not.to.include('Did you mean')
    expect(said('!patient')).to.equal('group')
    expect(said('good morning!')).to.equal('not-a-command')
    expect(said('!!!')).to.equal('not-a-command')
  })

  it('may have three words, and its first two are a group', () => {
    const spy = (...words: [string, string, string]) =>
      command({ words, needs: 'anyone', args: {}, help: 'A command for this test.', run: () => answer('done') })
    const some = [spy('audit', 'sink', 'list'), spy('audit', 'sink', 'remove')]
    const asked = (text: string) => {
      const request = findCommand(some, text)
      if (request.kind === 'refused') return request.refusal.sentence
      return request.kind === 'group' ? request.word : request.kind
    }
    expect(asked('!audit sink list')).to.equal('command')
    expect(asked('!Audit Sink')).to.equal('audit sink')
    expect(asked('!audit')).to.equal('audit')
    expect(asked('!audit sink lst')).to.include('Did you mean !audit sink list?')
    expect(asked('!adit snk remove')).to.include('Did you mean !audit sink remove?')
  })

  it('counts swapped letters as one slip', () => {
    expect(closest('cofnig', ['config', 'consent'])).to.equal('config')
    expect(closest('x', ['config'])).to.equal(undefined)
  })

  it('is taken for one with patient data when it looks like one', () => {
    const request = findCommand(commands, '!patient ad +1 202 555 0143 dob 1980-02-01')
    expect(request).to.include({ kind: 'refused', phi: true })
    expect(findCommand(commands, '!confg set x y')).to.include({ phi: false })
  })
})
