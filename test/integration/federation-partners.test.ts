import { expect } from 'chai'
import { federationPartners } from '../../cli/start/partners.ts'
import { homeserverConfig } from '../../config/synapse/homeserver.ts'
import { secret } from '../../core/secret.ts'
import { changeSetting } from '../../core/store/staff/settings.ts'
import { transact } from '../../core/store/tx.ts'
import { database, type TestDatabase } from '../support/database.ts'
import { database as postgres } from '../support/stack.ts'

/** What administrators name in `federation.allowed` is what the embedded homeserver federates with. */
describe('the hospitals that the homeserver federates with', function () {
  this.timeout(120_000)
  let d: TestDatabase
  before(async () => {
    d = await database()
  })
  after(() => d.drop())

  const configured = (federateWith: readonly string[]) => {
    const files = { signingKey: '', logConfig: '', media: '', registrations: [] }
    const secrets = { registration: '', macaroon: '', form: '' }
    const db = { host: '', port: 0, user: '', password: '', name: '' }
    const listen = { host: '127.0.0.1', port: 8008 }
    const config = homeserverConfig({
      ...{ serverName: 'a.example', publicBaseUrl: '', listen, database: db, files, secrets, federateWith },
    })
    const [listener] = config.listeners as { resources: { names: string[] }[] }[]
    return { allowed: config.federation_domain_whitelist, answers: listener?.resources[0]?.names }
  }

  it('are none by default, and then no other server is answered', () => {
    expect(configured([])).to.deep.equal({ allowed: [], answers: ['client'] })
  })

  it('are those of the configuration at the very first start', async () => {
    const empty = secret(await (await postgres()).freshDatabase())
    expect(await federationPartners(empty, {})).to.deep.equal([])
    expect(await federationPartners(empty, { 'federation.allowed': 'b.example' })).to.deep.equal(['b.example'])
  })

  it('are those that administrators decided on, once they did', async () => {
    const url = secret(d.url)
    const starting = { 'federation.allowed': 'b.example' }
    expect(await federationPartners(url, starting)).to.deep.equal(['b.example'])
    const value = ['c.example', 'd.example:8448']
    await transact(d.store, tx => changeSetting(tx, { key: 'federation.allowed', value, by: '@ada:a.example' }))
    const partners = await federationPartners(url, starting)
    expect(partners).to.deep.equal(value)
    expect(configured(partners)).to.deep.equal({ allowed: value, answers: ['client', 'federation'] })
    await transact(d.store, tx => changeSetting(tx, { key: 'federation.allowed', value: null, by: '@ada:a.example' }))
    expect(await federationPartners(url, starting), 'taken back').to.deep.equal([])
  })
})
