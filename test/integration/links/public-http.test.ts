import { expect } from 'chai'
import type { KeeperClient } from '../../../appservice/keeper/client.ts'
import { createHomeserver } from '../../../core/matrix/homeserver.ts'
import { secret } from '../../../core/secret.ts'
import { changeSetting } from '../../../core/store/staff/settings.ts'
import { transact } from '../../../core/store/tx.ts'
import type { TapAnswer } from '../../../web/contract.ts'
import { database, type TestDatabase } from '../../support/database.ts'
import { unrecorded } from '../../support/unrecorded.ts'
import { type Enrolled, enrolled, linkFor, notice, noticeStates } from '../../support/worlds/enrolled.ts'
import { type Browser, type PublicServer, publicServer, publicUrl } from '../../support/worlds/public-http.ts'

const unknown = '1111111111111111111111'

describe('public HTTP', () => {
  let db: TestDatabase
  let server: PublicServer
  let maria: Enrolled
  let visitor: Browser

  before(async function () {
    this.timeout(120_000)
    db = await database()
    const noKeeper: Pick<KeeperClient, 'release'> = {
      release: async () => ({ refused: 'dead' }),
    }
    // Nothing listens there: a homeserver that is down.
    const homeserver = createHomeserver({ url: 'http://127.0.0.1:9', asToken: secret('none'), timeoutMs: 1000 })
    server = await publicServer({ store: db.store, homeserver, keeper: noKeeper })
    await transact(db.store, async tx => {
      await changeSetting(tx, { key: 'clinic.name', value: 'Ann & Bob <Clinic>', by: '@ann:clinic.example' })
      await changeSetting(tx, { key: 'clinic.phone', value: '+12025550100', by: '@ann:clinic.example' })
    })
  })
  beforeEach(async () => {
    maria = await enrolled(db.store, db.keys)
    visitor = server.browser()
  })
  after(async () => {
    await server?.stop()
    await db?.drop()
  })

  it('serves the same page for every token, with the clinic’s name as text', async () => {
    const { token } = await linkFor(db.store, maria)
    const pages = await Promise.all([token, unknown, 'x'].map(async t => (await visitor.call('GET', `/l/${t}`)).text()))
    expect(new Set(pages).size).to.equal(1)
    expect(pages[0]).to.include('Ann &#38; Bob &#60;Clinic&#62;').and.to.include('tel:+12025550100')
    expect(await (await visitor.call('GET', '/check')).text()).to.equal(pages[0])
  })

  it('sends the headers that the page is built for', async () => {
    const { headers } = await visitor.call('GET', `/l/${unknown}`)
    const csp = (headers.get('content-security-policy') ?? '').split(';').sort()
    expect(csp).to.deep.equal(
      [
        "default-src 'none'",
        "script-src 'self' 'wasm-unsafe-eval'",
        "connect-src 'self'",
        "img-src 'self' blob:",
        'media-src blob:',
        "style-src 'self'",
        "worker-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
        "require-trusted-types-for 'script'",
        "trusted-types 'none'",
      ].sort(),
    )
    const expected = {
      'cross-origin-opener-policy': 'same-origin',
      'cross-origin-embedder-policy': 'require-corp',
      'cross-origin-resource-policy': 'same-origin',
      'referrer-policy': 'no-referrer',
      'x-content-type-options': 'nosniff',
      'x-robots-tag': 'noindex, nofollow, noarchive',
      'cache-control': 'no-store',
    }
    for (const [name, value] of Object.entries(expected)) expect(headers.get(name), name).to.equal(value)
    expect(headers.get('permissions-policy')).to.include('microphone=(self)')
    expect(headers.get('x-powered-by')).to.equal(null)
    expect(headers.get('set-cookie')).to.equal(null)
  })

  it('serves assets packed and for ever, and nothing beside them', async () => {
    const asset = await visitor.call('GET', '/assets/main-abc.js', { headers: { 'accept-encoding': 'gzip' } })
    expect(await asset.text()).to.equal('export {}')
    expect(asset.headers.get('content-encoding')).to.equal('gzip')
    expect(asset.headers.get('cache-control')).to.equal('public, max-age=31536000, immutable')
    for (const path of ['/assets/..%2findex.html', '/assets/%2e%2e/index.html', '/assets/none.js', '/index.html'])
      expect((await visitor.call('GET', path)).status, path).to.equal(404)
  })

  it('changes nothing at any GET or HEAD, a hundred times', async () => {
    await notice(db.store, maria)
    const { token } = await linkFor(db.store, maria)
    const paths = [`/l/${token}`, '/check', '/', '/api/clinic', '/assets/main-abc.js', '/robots.txt', '/api/session']
    const apis = [
      '/api/session/consents',
      '/api/link/tap',
      '/api/link/verify',
      '/_matrix/client/v3/sync',
      '/sms/status',
    ]
    const before = unrecorded(await db.dump())
    for (let i = 0; i < 100; i++)
      for (const method of ['GET', 'HEAD'])
        await visitor.call(method, [...paths, ...apis][i % 12] ?? '/', { headers: { 'x-wardroom-link': token } })
    for (let i = 0; i < 100; i++) await visitor.call('GET', `/l/${token}`)
    expect(unrecorded(await db.dump())).to.equal(before)
    expect(visitor.cookies.size).to.equal(0)
  })

  it('answers with the same bytes for unknown, used, expired and withdrawn', async () => {
    const links = await Promise.all([1, 2, 3].map(() => linkFor(db.store, maria)))
    const changes = [{ used_at: 1 }, { expires_at: 1 }, { withdrawn_at: 1 }]
    for (const [i, change] of changes.entries()) await db.store.db('link').where({ id: links[i]?.id }).update(change)
    const answers = new Set<string>()
    for (const token of [unknown, 'not a token', ...links.map(l => l.token)])
      for (const [path, more] of [
        ['tap', {}],
        ['verify', { factor: 'birth_date', value: maria.dob }],
      ] as const) {
        const answer = await server.browser().post(`/api/link/${path}`, { token, ...more })
        const headers = [...answer.headers].filter(([name]) => name !== 'date').join('\n')
        answers.add(`${answer.status}\n${headers}\n${await answer.text()}`)
      }
    expect([...answers]).to.have.lengthOf(1)
    expect([...answers][0]).to.match(/^200\n[\s\S]*\n\{"state":"closed"\}$/)
  })

  it('answers every wish with the same bytes, granted or not', async () => {
    const { token } = await linkFor(db.store, maria)
    for (const wish of ['new', 'sms-code', 'not-me', 'stop']) {
      const answers = await Promise.all(
        [token, unknown, 'x'].map(async t => {
          const answer = await server.browser().post(`/api/link/${wish}`, { token: t })
          return `${answer.status} ${await answer.text()} ${answer.headers.getSetCookie()}`
        }),
      )
      expect(new Set(answers), wish).to.deep.equal(new Set(['202 {} ']))
    }
  })

  it('takes at least the neutral time for every answer that says nothing', async () => {
    const slow = await publicServer({ ...server.deps, neutralMs: 120 })
    const { token } = await linkFor(db.store, maria)
    await db.store.db('link').update({ expires_at: 1 }).where({ person_id: maria.person })
    for (const t of [token, unknown]) {
      const begun = performance.now()
      await slow.browser().post('/api/link/tap', { token: t })
      expect(performance.now() - begun).to.be.at.least(118)
    }
    await slow.stop()
  })

  it('takes a tap from our own page only, as JSON only, and not too much of it', async () => {
    const { token } = await linkFor(db.store, maria)
    const tapAs = (headers: Record<string, string>, raw = JSON.stringify({ token })) =>
      visitor.call('POST', '/api/link/tap', { raw, headers })
    const json = { 'content-type': 'application/json' }
    const before = await db.dump()
    const refused: [number, Promise<Response>][] = [
      [403, tapAs({ ...json, 'sec-fetch-site': 'cross-site' })],
      [403, tapAs({ ...json, origin: 'https://evil.example' })],
      [403, fetch(`${server.url}/api/link/tap`, { method: 'POST', headers: json, body: JSON.stringify({ token }) })],
      [415, tapAs({ 'content-type': 'text/plain' })],
      [415, tapAs({ 'content-type': 'application/x-www-form-urlencoded' }, `token=${token}`)],
      [413, tapAs(json, JSON.stringify({ token, x: 'y'.repeat(9000) }))],
      [400, tapAs(json, '{')],
      [400, tapAs(json, '[]')],
    ]
    for (const [status, answer] of refused) expect((await answer).status).to.equal(status)
    const kept = (dump: string) =>
      unrecorded(dump)
        .split('\n')
        .filter(l => !l.includes('"name":"'))
    expect(kept(await db.dump())).to.deep.equal(kept(before))
    expect((await tapAs({ ...json, origin: publicUrl })).status).to.equal(200)
  })

  it('slows an address and a link down, in the database, so that a restart forgets nothing', async () => {
    const limits = { address: { burst: 5, everyMs: 60_000 }, link: { burst: 2, everyMs: 60_000 } }
    const first = await publicServer({ ...server.deps, limits })
    await db.store.db('rate_bucket').delete()
    const { token } = await linkFor(db.store, maria)
    const status = async (s: PublicServer, t: string) => (await s.browser().post('/api/link/tap', { token: t })).status
    expect([await status(first, token), await status(first, token), await status(first, token)]).to.deep.equal([
      200, 200, 429,
    ])
    await first.stop()
    const second = await publicServer({ ...server.deps, limits })
    expect(await status(second, token)).to.equal(429)
    expect([await status(second, unknown), await status(second, unknown)]).to.deep.equal([200, 429])
    await second.stop()
    await db.store.db('rate_bucket').delete()
  })

  it('ends the session and says so when the homeserver does not answer; the tries are untouched', async () => {
    await notice(db.store, maria)
    const { token } = await linkFor(db.store, maria)
    const answer = await visitor.post('/api/link/verify', { token, factor: 'birth_date', value: maria.dob })
    expect(answer.status).to.equal(503)
    const [session] = await db.store.db('session').where({ person_id: maria.person })
    expect(session.end_reason).to.equal('homeserver')
    expect(await noticeStates(db.store, maria)).to.deep.equal(['verified'])
    expect((await db.store.db('person').where({ id: maria.person }).first()).tries).to.equal(0)
  })

  it('refuses every session call and every Matrix call without a session', async () => {
    for (const path of ['key', 'extend', 'reauth', 'end', 'consents', 'undecryptable', 'step'])
      expect((await visitor.post(`/api/session/${path}`, {}, 'x'.repeat(32))).status, path).to.equal(401)
    expect((await visitor.post('/api/session', {})).status).to.equal(401)
    const matrix = await visitor.call('GET', '/_matrix/client/v3/sync', { bearer: 'x'.repeat(32) })
    expect(matrix.status).to.equal(401)
    expect(await matrix.json()).to.include({ errcode: 'M_UNKNOWN_TOKEN' })
  })

  it('tells everybody the clinic, and whether a text is ours', async () => {
    const clinic = (await (await visitor.call('GET', '/api/clinic')).json()) as Record<string, unknown>
    expect(clinic).to.include({ name: 'Ann & Bob <Clinic>', phone: '+12025550100', host: 'localhost:8080' })
    const ours = async (host: string) => (await visitor.post('/api/check', { host })).json()
    expect(await ours('localhost:8080')).to.deep.equal({ ours: true })
    expect(await ours('wardroom.evil.example')).to.deep.equal({ ours: false })
  })

  it('writes no token, cookie, number or birth date into its log', async () => {
    const { token } = await linkFor(db.store, maria)
    const asked = (await (await visitor.post('/api/link/tap', { token })).json()) as TapAnswer
    expect(asked.state).to.equal('factors')
    await visitor.call('GET', `/l/${token}`)
    await visitor.call('GET', `/nowhere/${token}`)
    await visitor.post('/api/link/verify', { token, factor: 'birth_date', value: maria.dob })
    const secrets = [token, maria.dob, ...visitor.cookies.values(), '+1202555']
    for (const text of secrets) expect(server.logged()).to.not.include(text)
    expect(await db.dump()).to.not.include(token)
  })
})
