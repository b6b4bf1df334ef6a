import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { parse } from 'yaml'
import { generated } from '../../../cli/commands/config.ts'
import { leaves } from '../../../config/entries.ts'
import { ConfigError, checkConfig, loadConfig } from '../../../config/load.ts'
import { sampleYaml } from '../../../config/reference.ts'
import { smsProvider } from '../../../config/schema.ts'

const root = join(import.meta.dirname, '../../..')
const twilio = {
  TWILIO_ACCOUNT_SID: `AC${'0a'.repeat(16)}`,
  TWILIO_AUTH_TOKEN: 'a-very-secret-token',
  TWILIO_MESSAGING_SERVICE_SID: `MG${'0b'.repeat(16)}`,
  PUBLIC_URL: 'https://chat.clinic.example',
}

const problemsOf = (run: () => unknown): readonly string[] => {
  try {
    run()
  } catch (error) {
    if (error instanceof ConfigError) return error.problems
    throw error
  }
  return []
}

describe('configuration', () => {
  let folder: string
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'wardroom-config-'))
  })
  after(() => rmSync(folder, { recursive: true }))

  const file = (text: string): string => {
    const path = join(folder, 'wardroom.yaml')
    writeFileSync(path, text)
    return path
  }

  it('is complete without a file: everything embedded, texts stay on this machine', () => {
    const config = loadConfig({ env: {} })
    expect(config.homeserver.url).to.equal(undefined)
    expect(config.database.url).to.equal(undefined)
    expect(smsProvider(config)).to.equal('local')
    expect(config.listen.public).to.deep.equal({ host: '127.0.0.1', port: 8080 })
  })

  it('lets each documented variable replace its entry of the file', () => {
    const path = file('publicUrl: https://old.example\nlog: { level: warn }\n')
    const config = loadConfig({
      env: {
        ...twilio,
        WARDROOM_CONFIG: path,
        HOMESERVER_URL: 'https://matrix.hospital.example/',
        HOMESERVER_NAME: 'hospital.example',
        DATABASE_URL: 'postgres://w:pw@db/wardroom',
        WARDROOM_KEY_FILE: '/etc/keys.json',
      },
    })
    expect(config.publicUrl).to.equal('https://chat.clinic.example')
    expect(config.log.level).to.equal('warn')
    expect(config.homeserver.url).to.equal('https://matrix.hospital.example')
    expect(config.database.url?.reveal()).to.equal('postgres://w:pw@db/wardroom')
    expect(config.keys.file).to.equal('/etc/keys.json')
    expect(config.sms.twilio?.authToken.reveal()).to.equal(twilio.TWILIO_AUTH_TOKEN)
    expect(smsProvider(config)).to.equal('twilio')
  })

  it('never prints a secret', () => {
    const config = loadConfig({ env: { ...twilio, DATABASE_URL: 'postgres://w:hidden@db/wardroom' } })
    expect(JSON.stringify(config)).not.to.match(/a-very-secret-token|hidden/)
    const wrong = problemsOf(() => loadConfig({ env: { ...twilio, DATABASE_URL: 'mysql://w:hidden@db/x' } }))
    expect(wrong).to.have.lengthOf(1)
    expect(wrong.join()).not.to.include('hidden')
  })

  it('names every problem at once, with the entry that was probably meant', () => {
    const path = file(
      'homeserver: { urll: "https://x.example" }\nlog: { level: loud }\nlisten: { public: here }\nfoo: 1\n',
    )
    const problems = problemsOf(() => loadConfig({ file: path, env: { TWILIO_ACCOUNT_SID: 'AC1' } }))
    expect(problems).to.have.members([
      'homeserver.urll is not an entry; did you mean homeserver.url?',
      'log.level must be debug, info, warn or error.',
      'listen.public must be host:port, for instance 127.0.0.1:8080.',
      'foo is not an entry.',
      'sms.twilio.accountSid must be AC and 32 hexadecimal digits.',
      'sms.twilio.authToken is missing (or set TWILIO_AUTH_TOKEN).',
      'sms.twilio.messagingServiceSid is missing (or set TWILIO_MESSAGING_SERVICE_SID).',
      'publicUrl is missing (or set PUBLIC_URL): Twilio and the patients need an address to come to.',
    ])
  })

  it('refuses the local SMS server beside real Twilio credentials', () => {
    const path = file('sms: { provider: local }\n')
    expect(problemsOf(() => loadConfig({ file: path, env: twilio })).join()).to.match(/provider is local although/)
  })

  it('refuses a page that patients would reach without TLS', () => {
    expect(problemsOf(() => checkConfig({ publicUrl: 'http://clinic.example' }))).to.have.lengthOf(1)
    expect(problemsOf(() => checkConfig({ publicUrl: 'http://localhost:8080' }))).to.be.empty
  })

  it('checks starting values by the rules of !config', () => {
    const problems = problemsOf(() => checkConfig({ settings: { 'clinic.nam': 'x', 'clinic.country': 'usa' } }))
    expect(problems).to.deep.equal([
      'settings.clinic.nam is not a setting; did you mean clinic.name?',
      'settings.clinic.country is not usable: Expected a country by its two capital letters.',
    ])
  })

  it('says in one sentence that a file is missing or is not YAML', () => {
    expect(problemsOf(() => loadConfig({ file: '/no/such.yaml', env: {} }))).to.deep.equal([
      'The file /no/such.yaml does not exist.',
    ])
    const broken = problemsOf(() => loadConfig({ file: file('a: [1\nb: 2'), env: {} }))
    expect(broken).to.have.lengthOf(1)
    expect(broken[0]).to.match(/is not YAML \(line \d\)/)
  })

  for (const [path, make] of Object.entries(generated))
    it(`${path} is what the schema says (else: node bin/wardroom.mjs config write)`, () => {
      expect(readFileSync(join(root, path), 'utf8')).to.equal(make())
    })

  it('ships a sample that is itself good, and shows every entry', () => {
    checkConfig(parse(sampleYaml()))
    const everything = parse(sampleYaml().replaceAll(/^( *)#(?=\S)/gm, '$1')) as Record<string, unknown>
    for (const { path } of leaves()) {
      const found = path.reduce<unknown>((at, name) => (at as Record<string, unknown> | undefined)?.[name], everything)
      expect(found, path.join('.')).not.to.equal(undefined)
    }
  })
})
