import { expect } from 'chai'
import fc from 'fast-check'
import { approversOf } from '../../../bots/commands/changes.ts'
import { findCommand } from '../../../bots/commands/find.ts'
import { commands } from '../../../bots/commands/index.ts'
import { answer, code, fields, list, table } from '../../../bots/framework/answer.ts'
import { helpFor, helpOf } from '../../../bots/framework/help.ts'
import { render } from '../../../bots/framework/render.ts'
import { isRefusal } from '../../../core/domain/refusal.ts'
import { permits, roles } from '../../../core/domain/roles.ts'
import { seed } from '../../support/random.ts'

const runs = { seed, numRuns: process.env.WARDROOM_LONG === '1' ? 20_000 : 500 }
const env = { country: 'US', today: '2026-11-21', serverName: 'clinic.example' }

describe('every command', () => {
  it('has its own words, a sentence of help, somebody who may use it, and an example that works', () => {
    const names = commands.map(c => c.words.join(' '))
    expect(new Set(names).size).to.equal(names.length)
    for (const c of commands) {
      const name = c.words.join(' ')
      expect(c.help, name).to.match(/^[A-Z].*[.]$/)
      expect(c.needs === 'anyone' || roles.some(r => permits([r], c.needs)), name).to.equal(true)
      expect(c.usage, name).to.match(new RegExp(`^!${name}`))
      const request = findCommand(commands, c.example)
      expect(request.kind, c.example).to.equal('command')
      if (request.kind !== 'command') continue
      expect(request.command, c.example).to.equal(c)
      const parsed = c.parse(request.tokens, { ...env, source: request.source })
      expect(isRefusal(parsed) ? parsed.sentence : '', c.example).to.equal('')
    }
  })

  it('that takes a telephone number, a date of birth or a PIN is removed from the chat', () => {
    for (const c of commands) if (/<number>|<date>|<pin>/.test(c.usage)) expect(c.phi, c.usage).to.equal(true)
  })

  it('that changes settings, roles or approvals is for administrators alone', () => {
    for (const c of commands)
      if (/^!(config (set|rollback)|role (grant|revoke)|unit add)/.test(c.usage))
        expect(c.needs, c.usage).to.deep.equal(['admin'])
  })

  it('that decides about a proposal is for those who may propose it: administrators, and compliance officers for records', () => {
    for (const c of commands)
      if (/^!(approve|reject)/.test(c.usage)) expect(c.needs, c.usage).to.deep.equal(['admin', 'compliance'])
    const setting = { kind: 'setting', key: 'help.url', before: null, after: null } as const
    expect(approversOf(setting)).to.deep.equal(['admin'])
    expect(approversOf({ kind: 'hold.release', hold: 'lh_1' })).to.deep.equal(['compliance', 'admin'])
    const absence = { kind: 'oncall', proposal: { do: 'withdraw', id: 'ab_1' }, summary: '' } as const
    expect(approversOf({ ...absence, own: false })).to.deep.equal(['supervisor', 'admin'])
    expect(approversOf({ ...absence, own: true })).to.include('clinician')
  })

  it('with patient data is not for administrators by that role', () => {
    for (const c of commands)
      if (/^!(patient|consent)/.test(c.usage)) expect(permits(['admin'], c.needs), c.usage).to.equal(false)
  })
})

describe('help', () => {
  it('shows a role its commands only', () => {
    const desk = render(helpFor(commands, ['desk'])).text
    expect(desk).to.include('!patient add').and.include('!help').and.not.include('!config')
    expect(render(helpFor(commands, ['admin'], 'config')).text)
      .to.include('!config rollback')
      .and.not.include('!role')
  })

  it('of a command is made from the command', () => {
    const add = commands.find(c => c.words.join(' ') === 'patient add')
    const text = add ? render(helpOf(add)).text : ''
    expect(text).to.include('!patient add <number> dob <date> [name "…"] [lang en|es]')
    expect(text).to.include('removed from the chat').and.include('desk, clinician')
  })
})

describe('an answer', () => {
  it('is the same words with and without markup', () => {
    const a = answer('Hello', fields(['A', '1']), list(['x', 'y']), ...table(['H', 'I'], [['1', '22']]), code('!x'))
    expect(render(a).text).to.equal('Hello\n\nA: 1\n\n• x\n• y\n\nH  I\n1  22\n\n!x')
    expect(render(a).html).to.include('<li>x</li>').and.include('<td>22</td>').and.include('<pre><code>!x</code></pre>')
  })

  it('lets nothing that somebody typed become markup', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 60 }), typed => {
        const html = render(answer(`${typed}<b>`, code(typed), list([typed]), ...table([typed], [[typed]]))).html
        const rest = html.replace(
          /<\/?(?:p|br|ul|li|table|thead|tbody|tr|th|td|pre|code|strong)>|<a href="https:\/\/matrix\.to\/#\/[^"<>]*">|<\/a>/g,
          '',
        )
        expect(rest).not.to.match(/[<>]/)
      }),
      runs,
    )
    expect(render(answer('https://evil.example/ "x"')).html).not.to.include('<a')
  })

  it('cuts a long table and says so', () => {
    const rows = Array.from({ length: 75 }, (_, i) => [String(i)])
    expect(render(answer(...table(['n'], rows))).text).to.include('… and 15 more.')
  })
})
