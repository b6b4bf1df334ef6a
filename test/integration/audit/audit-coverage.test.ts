import { randomBytes } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import express from 'express'
import type { CareDeps } from '../../../appservice/care/deps.ts'
import { careJobs } from '../../../appservice/care/index.ts'
import { routes as matrixRoutes } from '../../../appservice/http/proxy/matrix-routes.ts'
import { publicApp } from '../../../appservice/http/public-app.ts'
import type { KeeperClient } from '../../../appservice/keeper/client.ts'
import { startKeeper } from '../../../appservice/keeper/keeper.ts'
import { sweepSessions } from '../../../appservice/links/devices.ts'
import { pageJobs, pageWebhooks, smsJobs, smsWebhooks } from '../../../appservice/sms/index.ts'
import { sign } from '../../../appservice/sms/twilio.ts'
import type { AuditDeps } from '../../../audit/deps.ts'
import { auditJobs } from '../../../audit/jobs/index.ts'
import { commands } from '../../../bots/commands/index.ts'
import type { DeskDeps } from '../../../bots/desk/deps.ts'
import { deskJobs } from '../../../bots/desk/jobs.ts'
import type { RolesDeps } from '../../../bots/roles/deps.ts'
import { roleJobs } from '../../../bots/roles/jobs.ts'
import { hours, minutes } from '../../../core/domain/clock.ts'
import type { SessionId } from '../../../core/domain/ids.ts'
import { listen } from '../../../core/http/listen.ts'
import { refusalLog, refusedHere } from '../../../core/http/refusals.ts'
import { transactionsRouter } from '../../../core/http/transactions.ts'
import { generateKeys } from '../../../core/keys.ts'
import { clinicDuty } from '../../../core/oncall/pages/clinic-duty.ts'
import { type JobHandler, silentJobs, startOutbox } from '../../../core/queues/outbox-worker.ts'
import { secret } from '../../../core/secret.ts'
import { claimKey } from '../../../core/store/links/keeper.ts'
import { changeSetting } from '../../../core/store/staff/settings.ts'
import { type StoreDeps, transact } from '../../../core/store/tx.ts'
import { database, type TestDatabase } from '../../support/database.ts'
import { eventually } from '../../support/eventually.ts'
import { seededRandom } from '../../support/random.ts'
import { testLog } from '../../support/test-log.ts'
import { type CommandWorld, commandWorld } from '../../support/worlds/command-world.ts'
import { deafHomeserver } from '../../support/worlds/deaf-homeserver.ts'
import { type Enrolled, enrolled, linkFor } from '../../support/worlds/enrolled.ts'
import { type Browser, type PublicServer, publicServer } from '../../support/worlds/public-http.ts'

const root = join(import.meta.dirname, '../../..')

type Row = {
  action: string
  outcome: string
  object: { kind: string; id: string }
  origin: { ip: string } | null
  detail: Record<string, unknown> | null
}
const logOf = (store: Pick<StoreDeps, 'db'>): Promise<Row[]> => store.db('audit_queue').orderBy('id')

/** Commands that leave nothing but `command.run` when they are done, and why. */
const onlyTheCommand: Record<string, string> = {
  help: 'shows what everybody may know',
  whoami: 'shows the person themselves',
  'unit add': 'the job desk.room makes the room: room.create',
  'config set': 'a preview; what is confirmed is config.change',
  'config rollback': 'a preview; what is confirmed is config.change',
  'retention set': 'a preview; what is confirmed has its own event',
  'audit sink list': 'shows names and states of sinks',
  'audit sink types': 'shows what may be written',
  'audit sink add': 'a preview; what is confirmed is sink.add',
  'audit sink test': 'the audit process sends it: sink.test',
  'oncall role add': 'a preview; what is confirmed is oncall.role',
  'oncall role set': 'a preview; what is confirmed is oncall.change',
  'oncall role remove': 'a preview; what is confirmed is oncall.role',
  'oncall policy': 'a preview; what is confirmed is oncall.change',
  'oncall set': 'a preview; what is confirmed is oncall.change',
  'oncall unset': 'a preview; what is confirmed is oncall.change',
  'oncall temporary': 'a preview; what is confirmed is oncall.change',
  'oncall override': 'a preview; what is confirmed is oncall.change',
  'oncall absent': 'a preview; what is confirmed is oncall.change',
  'oncall undo': 'a preview; what is confirmed is oncall.change',
}

describe('the audit log has an event for every command', () => {
  let w: CommandWorld
  let all: Awaited<ReturnType<CommandWorld['person']>>
  let code: string
  before(async function () {
    this.timeout(120_000)
    w = await commandWorld()
    all = await w.person('ada', 'admin', 'compliance', 'supervisor', 'clinician', 'desk')
    const added = await w.ask(all, '!patient add +1 202 555 0143 dob 1953-04-09 name "Rosa Ejemplo"')
    code = /[2-9A-Z]{3}-[2-9A-Z]{3}/.exec(added.body)?.[0] ?? ''
    await w.db.store.db('patient').update({ state: 'open', room_id: '!care:clinic.example' })
    for (const given of [
      `!consent record ${code} care verbal`,
      `!patient caregiver ${code} +1 202 555 0144 dob 1980-01-02 name Luis`,
    ])
      expect((await w.ask(all, given)).mark, given).to.equal('✅')
  })
  after(() => w?.db.drop())

  const run = async (text: string, who = all, options = {}) => {
    for (const table of ['audit_queue', 'rate_bucket']) await w.db.store.db(table).delete()
    const said = await w.ask(who, text, options)
    return { said, rows: await logOf(w.db.store) }
  }
  /** As its help shows it, about somebody who is there. */
  const example = (text: string) =>
    text
      .replaceAll(/[2-9A-Z]{3}-[2-9A-Z]{3}(?= |$)/g, m => (m === 'ABCD' ? m : code))
      .replace(/ person 3\b/, ' person 2')

  for (const c of commands) {
    const name = c.words.join(' ')
    it(`!${name}`, async function () {
      this.timeout(120_000)
      const stranger = await run(c.example, all, { identity: null })
      expect(
        stranger.rows.map(r => [r.action, r.outcome]),
        'refused',
      ).to.deep.include(['command.run', 'refused'])
      const { said, rows } = await run(example(c.example))
      const own = rows.filter(r => r.action === 'command.run')
      expect(
        own.map(r => [r.object.id, r.outcome]),
        said.body,
      ).to.deep.equal([[name, said.mark === '✅' ? 'done' : 'refused']])
      const more = rows.length > own.length
      if (said.mark === '✅')
        expect(more || name in onlyTheCommand, `!${name} did something and left nothing but command.run`).to.equal(true)
    })
  }

  it('and the list of those that leave nothing else is true', async function () {
    this.timeout(120_000)
    expect(Object.keys(onlyTheCommand).filter(name => !commands.some(c => c.words.join(' ') === name))).to.deep.equal(
      [],
    )
  })
})

type Layer = { route?: { path: string; methods: Record<string, boolean> }; handle?: { stack?: Layer[] } }
/** `POST /tap` … for every route of an application, whatever it is mounted under. */
const routesIn = (stack: readonly Layer[]): string[] =>
  stack.flatMap(({ route, handle }) =>
    route
      ? Object.keys(route.methods).map(method => `${method.toUpperCase()} ${route.path}`)
      : routesIn(handle?.stack ?? []),
  )

/** Routes that write nothing when they answer, and why. */
const silentRoutes: Record<string, string> = {
  'GET /clinic': 'what anybody may know of the clinic',
  'POST /check': 'compares an address with ours; nothing is looked up',
  'GET /l/:token': 'the same page for every token; nothing is looked up before the tap',
  'GET /check': 'a page of the clinic',
  'GET /': 'leads to that page',
  'GET /robots.txt': 'the same for everybody',
  'GET /assets/:name': 'files of the page',
  'GET /brand/logo.svg': 'the logo',
  'GET /:file':
    'a calendar of duties, which programs ask for every few minutes; making and revoking its address is oncall.feed',
  'POST /answer': 'reads out what a page’s call asks; the key that is pressed is page.accept or page.decline',
  'POST /text': 'how a page’s text went; where it failed, the next page.contact follows',
}

/** Matrix calls of the page that write nothing, and why. */
const silentCalls: Record<string, string> = {
  'GET /_matrix/client/versions': 'what the server can do',
  'GET /_matrix/client/v3/capabilities': 'what the server can do',
  'GET /_matrix/client/v3/pushrules/': 'the page gets none of its own',
  'POST /_matrix/client/v3/user/{me}/filter': 'answered here, nothing is stored',
  'POST /_matrix/client/v3/keys/upload': "keys of the session's own device, whose start is session.start",
  'POST /_matrix/client/v3/keys/query': 'public keys of the members',
  'POST /_matrix/client/v3/keys/claim': 'to send to members’ devices',
  'POST /_matrix/client/v3/keys/signatures/upload':
    "the session's own device is signed: the homeserver reports device.change",
  'GET /_matrix/client/v3/room_keys/version': 'which backup there is',
  'GET /_matrix/client/v3/room_keys/keys/{room}/{session}': 'a key that only K opens, whose release is session.key',
  'PUT /_matrix/client/v3/room_keys/keys': 'a key that only K opens',
  'GET /_matrix/client/unstable/org.matrix.msc3814.v1/dehydrated_device': 'a device that only K opens',
  'GET /_matrix/client/unstable/org.matrix.msc3814.v1/dehydrated_device/{device}/events': 'keys that only K opens',
  'PUT /_matrix/client/v3/sendToDevice/m.room.encrypted/{txn}': 'keys of a message, which is session.write',
  'GET /_matrix/client/v3/user/{me}/account_data/{secret}': 'secrets that only K opens',
  'GET /_matrix/client/v3/user/{me}/account_data/io.wardroom.draft': 'what the person themselves typed',
  'PUT /_matrix/client/v3/user/{me}/account_data/io.wardroom.draft': 'what the person themselves typed, not sent',
}

describe('the audit log has an event for every route of the public application', () => {
  let d: TestDatabase
  let server: PublicServer
  let maria: Enrolled
  let hs: Awaited<ReturnType<typeof deafHomeserver>>
  let visitor: Browser
  let csrf: string
  let token: string
  const sms = { accountSid: 'AC1', authToken: secret('sms-secret'), publicUrl: 'http://localhost:8080' }
  const log = testLog()

  before(async function () {
    this.timeout(120_000)
    d = await database()
    hs = await deafHomeserver()
    const release: KeeperClient['release'] = async ({ sessionId, cookie, origin }) => {
      const claim = await transact(d.store, tx => claimKey(tx, sessionId as SessionId, cookie, origin))
      return 'refused' in claim ? claim : { jwe: 'wrapped' }
    }
    server = await publicServer({
      store: d.store,
      homeserver: hs.homeserver,
      keeper: { release },
      smsWebhooks: smsWebhooks({ store: d.store, ...sms, log }),
      pageWebhooks: pageWebhooks({ store: d.store, ...sms, log, duty: clinicDuty }),
    })
    await transact(d.store, tx =>
      changeSetting(tx, { key: 'clinic.phone', value: '+12025550100', by: '@ann:clinic.example' }),
    )
  })
  after(async () => {
    await server?.stop()
    await hs?.stop()
    await d?.drop()
  })

  /** The events that a call wrote; those of a refusal come just after the answer, and a call before it may still be tidying up. */
  const wrote = async (call: () => Promise<Response>, refused: boolean): Promise<{ status: number; rows: Row[] }> => {
    await d.store.db('audit_queue').delete()
    const answer = await call()
    await answer.arrayBuffer()
    if (!refused) return { status: answer.status, rows: await logOf(d.store) }
    const rows = await eventually(
      async () => {
        const found = (await logOf(d.store)).filter(r => r.action !== 'device.delete' && r.detail?.count === undefined)
        return found.length > 0 && found
      },
      { what: `an event for an answer of ${answer.status}`, timeout: 5000 },
    )
    return { status: answer.status, rows }
  }
  const newMinute = () => d.store.clock.advance(minutes(1))

  const session = async () => {
    maria = await enrolled(d.store, d.keys)
    visitor = server.browser()
    token = (await linkFor(d.store, maria)).token
    const begun = await visitor.post('/api/link/verify', { token, factor: 'birth_date', value: maria.dob })
    csrf = ((await begun.json()) as { session: { csrf: string } }).session.csrf
  }

  const key = { kty: 'EC', crv: 'P-256', x: 'x'.repeat(43), y: 'y'.repeat(43) }
  /** What a good call of each route is, and the event that it leaves. */
  const good: Record<string, { call: () => Promise<Response>; leaves: string }> = {
    'POST /tap': { call: () => visitor.post('/api/link/tap', { token }), leaves: 'link.tap' },
    'POST /verify': {
      call: () => server.browser().post('/api/link/verify', { token, factor: 'birth_date', value: maria.dob }),
      leaves: 'session.start',
    },
    'POST /new': { call: () => visitor.post('/api/link/new', { token }), leaves: 'link.renew' },
    'POST /sms-code': { call: () => visitor.post('/api/link/sms-code', { token }), leaves: 'text.queue' },
    'POST /not-me': { call: () => visitor.post('/api/link/not-me', { token }), leaves: 'link.not_me' },
    'POST /stop': { call: () => visitor.post('/api/link/stop', { token }), leaves: 'number.stop' },
    'POST /': {
      call: () => visitor.call('POST', '/api/session', { body: {}, headers: { 'x-wardroom-link': token } }),
      leaves: 'session.start',
    },
    'POST /key': { call: () => visitor.post('/api/session/key', { publicKey: key }, csrf), leaves: 'session.key' },
    'POST /extend': { call: () => visitor.post('/api/session/extend', {}, csrf), leaves: 'session.extend' },
    'POST /reauth': {
      call: () => visitor.post('/api/session/reauth', { factor: 'birth_date', value: '1900-01-01' }, csrf),
      leaves: 'link.verify',
    },
    'POST /end': { call: () => visitor.post('/api/session/end', {}, csrf), leaves: 'session.end' },
    'GET /consents': {
      call: () => visitor.call('GET', '/api/session/consents', { bearer: csrf }),
      leaves: 'consent.view',
    },
    'POST /consents': {
      call: () => visitor.post('/api/session/consents', { scope: 'care', agreed: true }, csrf),
      leaves: 'session.consent',
    },
    'POST /undecryptable': {
      call: () => visitor.post('/api/session/undecryptable', { eventId: '$event' }, csrf),
      leaves: 'session.undecryptable',
    },
    'POST /step': {
      call: () => visitor.post('/api/session/step', { step: 'decrypted' }, csrf),
      leaves: 'session.read',
    },
    'POST /status': {
      call: () => webhook('/sms/status', { MessageSid: 'SM1', MessageStatus: 'delivered' }),
      leaves: 'text.status',
    },
    'POST /inbound': {
      call: () =>
        webhook('/sms/inbound', {
          MessageSid: `SM${randomBytes(4).toString('hex')}`,
          From: '+12025550177',
          Body: 'hello',
        }),
      leaves: 'text.inbound',
    },
  }
  const webhook = (path: string, form: Record<string, string>, secretWord = sms.authToken) => {
    const body = { AccountSid: sms.accountSid, ...form }
    return fetch(server.url + path, {
      method: 'POST',
      headers: {
        'content-type': 'application/x-www-form-urlencoded',
        'x-twilio-signature': sign(secretWord, sms.publicUrl + path, body),
      },
      body: new URLSearchParams(body),
    })
  }

  it('that exists: each has a case here, or a reason', () => {
    const app = publicApp({ ...server.deps, logoFile: undefined }) as unknown as { router: { stack: Layer[] } }
    const found = [...new Set(routesIn(app.router.stack))]
    expect(found.length).to.be.greaterThan(20)
    expect(found.filter(route => !(route in good) && !(route in silentRoutes))).to.deep.equal([])
    expect(
      Object.keys(good).filter(route => !found.includes(route)),
      'cases of routes that are gone',
    ).to.deep.equal([])
  })

  for (const [route, { call, leaves }] of Object.entries(good)) {
    it(`${route} leaves ${leaves}, with the address where a browser asked`, async () => {
      await session()
      const { status, rows } = await wrote(call, false)
      expect(status, `answered ${status}`).to.be.lessThan(400)
      const own = rows.filter(r => r.action === leaves)
      expect(own, JSON.stringify(rows.map(r => r.action))).not.to.have.lengthOf(0)
      if (!['POST /status', 'POST /inbound'].includes(route))
        expect(
          own.map(r => r.origin?.ip !== undefined),
          'origin',
        ).to.include(true)
    })

    it(`${route} leaves an event when it refuses`, async () => {
      newMinute()
      const path = route.slice(route.indexOf(' ') + 1)
      const method = route.split(' ')[0] ?? ''
      const prefix = ['/tap', '/verify', '/new', '/sms-code', '/not-me', '/stop'].includes(path)
        ? '/api/link'
        : ['/status', '/inbound'].includes(path)
          ? '/sms'
          : '/api/session'
      const stranger = () =>
        prefix === '/sms'
          ? webhook(prefix + path, {}, secret('wrong'))
          : server.browser().call(method, prefix + (path === '/' ? '' : path), {
              ...(method === 'GET' ? {} : { body: { token: 7 } }),
              bearer: 'x'.repeat(32),
            })
      const { status, rows } = await wrote(stranger, true)
      expect(status).to.be.within(400, 499)
      expect(rows.map(r => [r.action, r.outcome])).to.deep.equal([
        [prefix === '/sms' ? 'webhook.refused' : 'request.refused', 'refused'],
      ])
      expect(JSON.stringify(rows)).not.to.include(token)
    })
  }

  it('also when the body makes no sense, the page is another site’s, or there is no such address', async () => {
    await session()
    const odd: (() => Promise<Response>)[] = [
      () => visitor.call('POST', '/api/link/tap', { raw: '{', headers: { 'content-type': 'application/json' } }),
      () => visitor.call('POST', '/api/link/tap', { body: { token }, headers: { 'sec-fetch-site': 'cross-site' } }),
      () => visitor.call('GET', `/nowhere/${token}`),
      () => visitor.call('DELETE', '/api/session'),
      () => webhook('/sms/status', {}),
    ]
    for (const call of odd) {
      newMinute()
      const { rows } = await wrote(call, true)
      expect(rows.map(r => r.outcome)).to.deep.equal(['refused'])
      expect(JSON.stringify(rows)).not.to.include(token)
    }
  })

  describe('and of the Matrix proxy:', () => {
    const fill = (path: string) =>
      path
        .replace('{me}', encodeURIComponent(maria.ghost))
        .replace('{room}', encodeURIComponent(maria.room))
        .replace('{event}', encodeURIComponent('$event'))
        .replace('{secret}', 'm.megolm_backup.v1')
        .replace('{server}', 'clinic.example')
        .replace(/\{\w+\}/g, 'ABC')
    const encrypted = { algorithm: 'm.megolm.v1.aes-sha2', ciphertext: 'x' }
    const named = (r: { method: string; path: string }) => `${r.method} ${r.path}`

    for (const route of matrixRoutes) {
      const why = silentCalls[named(route)]
      it(`${named(route)} ${why ? `(${why}) leaves nothing when it passes` : 'leaves an event'}`, async () => {
        await session()
        const receipt = route.handling === 'receipt'
        if (receipt)
          await d.store.db('notice').insert({
            id: `nt_${randomBytes(8).toString('hex')}`,
            patient_id: maria.patient,
            person_id: maria.person,
            room_id: maria.room,
            event_id: '$event',
            sender: '@ann:clinic.example',
            sent_at: 1,
            state: 'texted',
            updated_at: 1,
          })
        const body = route.handling === 'send' ? encrypted : {}
        const more = route.method === 'GET' ? {} : route.handling === 'upload' ? { raw: 'file' } : { body }
        const { status, rows } = await wrote(
          () => visitor.call(route.method, fill(route.path), { ...more, bearer: csrf }),
          false,
        )
        const expected = route.handling === 'to-device' ? 403 : 200
        expect(status, named(route)).to.equal(expected)
        if (why === undefined) expect(rows.filter(r => r.origin !== null)).not.to.have.lengthOf(0)
        if (receipt) await d.store.db('notice').delete()
      })
    }

    it('a refused call leaves one, with whoever it was', async () => {
      await session()
      newMinute()
      const foreign = '/_matrix/client/v3/rooms/!other:clinic.example/messages'
      const { status, rows } = await wrote(() => visitor.call('GET', foreign, { bearer: csrf }), true)
      expect(status).to.equal(403)
      expect(rows[0]).to.deep.include({
        action: 'request.refused',
        patient: maria.patient,
        room: maria.room,
        reason: 'm_forbidden',
      })
    })
  })

  it('counts a stranger’s further refusals instead of writing each, and writes the count when the minute is over', async () => {
    // At the beginning of a minute, which does not pass meanwhile.
    d.store.clock.set(Math.ceil(d.store.clock.now() / minutes(1)) * minutes(1))
    d.store.clock.freeze()
    await d.store.db('audit_queue').delete()
    // The application's own counts of what was refused before may come meanwhile.
    const here = async () => (await logOf(d.store)).filter(r => r.object.id === '/x')
    const refusals = refusalLog({ store: d.store, log, perMinute: 5, lookMs: 20 })
    const refused = (ip: string) => ({ action: 'request.refused' as const, route: '/x', status: 404, origin: { ip } })
    for (let i = 0; i < 100; i++) await refusals.note(refused('198.51.100.7'))
    for (let i = 0; i < 100; i++) await refusals.note(refused(`203.0.113.${i}`))
    expect((await here()).length, 'of two hundred').to.be.lessThan(8)
    newMinute()
    const counted = await eventually(async () => {
      const rows = (await here()).filter(r => r.detail?.count !== undefined)
      return rows.length === 2 && rows
    })
    expect(counted.map(r => [r.origin?.ip, r.detail?.count])).to.deep.equal([
      ['198.51.100.7', 99],
      [undefined, 95],
    ])
    await refusals.stop()
    expect((await here()).length).to.equal(8)
  })
})

describe('the audit log has an event for every other door', () => {
  let d: TestDatabase
  const log = testLog()
  before(async () => {
    d = await database()
  })
  after(() => d?.drop())

  it('where the homeserver pushes: a wrong token, and what is told to the metrics’ reader', async () => {
    const refusals = refusalLog({ store: d.store, log })
    const app = express()
      .use(refusals.watch(refusedHere))
      .use(transactionsRouter({ source: 'ghosts', hsToken: secret('right'), store: d.store, log }))
    const server = await listen(app)
    await d.store.db('audit_queue').delete()
    const put = (authorization: string) =>
      fetch(`${server.url}/_matrix/app/v1/transactions/1`, {
        method: 'PUT',
        headers: { authorization },
        body: '{"events":[]}',
      })
    await put('Bearer wrong')
    await put('')
    const rows = await eventually(async () => ((await logOf(d.store)).length === 2 ? logOf(d.store) : false))
    // Each is written down after its answer: the second may be the first.
    expect(rows.map(r => [r.action, r.detail])).to.have.deep.members([
      ['transaction.refused', { status: 403 }],
      ['transaction.refused', { status: 401 }],
    ])
    expect(rows.every(r => r.object.id === '/_matrix/app')).to.equal(true)
    await server.stop()
    await refusals.stop()
  })

  it('at the keeper: its start and stop, a wrong secret, and a session that is not there', async () => {
    const keys = await generateKeys(seededRandom('coverage'))
    await d.store.db('audit_queue').delete()
    const keeper = await startKeeper({
      databaseUrl: d.url,
      releaseKey: keys.keeper,
      secret: secret('keeper-secret'),
      listen: { port: 0 },
      clock: d.store.clock,
      random: d.store.random,
      log,
    })
    const url = 'url' in keeper.address ? keeper.address.url : ''
    const ask = (word: string) =>
      fetch(`${url}/k`, {
        method: 'POST',
        headers: { authorization: `Bearer ${word}`, 'content-type': 'application/json' },
        body: JSON.stringify({
          sessionId: 'se_none',
          cookie: 'x',
          publicKey: { kty: 'EC', crv: 'P-256', x: 'x'.repeat(43), y: 'y'.repeat(43) },
        }),
      })
    expect((await ask('wrong')).status).to.equal(401)
    expect((await ask('keeper-secret')).status).to.equal(403)
    await keeper.stop()
    expect((await logOf(d.store)).map(r => `${r.action} ${r.outcome}`)).to.deep.equal([
      'service.start done',
      'request.refused refused',
      'session.key refused',
      'service.stop done',
    ])
  })

  it('in every process that has a database: each notes its start and stop', () => {
    const mains = ['appservice/main.ts', 'bots/main.ts', 'audit/main.ts', 'appservice/keeper/keeper.ts']
    expect(mains.filter(file => !readFileSync(join(root, file), 'utf8').includes('serviceLife('))).to.deep.equal([])
  })
})

describe('the audit log has an event for every kind of job', () => {
  const kinds = {
    bridge: Object.keys(careJobs({} as CareDeps)),
    bots: Object.keys(deskJobs({} as DeskDeps)),
    roles: Object.keys(roleJobs({} as RolesDeps)),
    sms: Object.keys(smsJobs({} as Parameters<typeof smsJobs>[0])),
    pages: Object.keys(pageJobs({} as Parameters<typeof pageJobs>[0])),
    audit: Object.keys(auditJobs({} as AuditDeps)),
  }
  let d: TestDatabase
  before(async () => {
    d = await database()
  })
  after(() => d?.drop())

  for (const [queue, list] of Object.entries(kinds) as [keyof typeof kinds, string[]][])
    it(`of the queue ${queue}: done without an entry of its own, it gets one; given up, it has one`, async function () {
      this.timeout(120_000)
      expect(list.length).to.be.greaterThan(0)
      await d.store.db('audit_queue').delete()
      const handler: JobHandler = async job =>
        (job.payload as { fails?: true }).fails ? { kind: 'failed', reason: 'test' } : { kind: 'done' }
      const ids = await transact(d.store, async tx => {
        const made: { id: string; kind: string; fails: boolean }[] = []
        for (const kind of list)
          for (const fails of [false, true])
            made.push({ id: await tx.enqueue({ queue, kind, payload: fails ? { fails } : {} }), kind, fails })
        return made
      })
      const outbox = await startOutbox({
        queue,
        store: d.store,
        handlers: Object.fromEntries(list.map(k => [k, handler])),
        log: testLog(),
        alert: () => undefined,
      })
      await outbox.idle()
      await outbox.stop()
      const rows = await logOf(d.store)
      const missing = ids.filter(
        ({ id, kind, fails }) =>
          !rows.some(r => r.object.id === id && r.action === (fails ? 'job.failed' : 'job.done')) &&
          (fails || !(kind in silentJobs)),
      )
      expect(missing).to.deep.equal([])
    })

  it('and those that leave none exist, each with its reason', () => {
    const all = Object.values(kinds).flat()
    expect(Object.keys(silentJobs).filter(kind => !all.includes(kind))).to.deep.equal([])
    for (const why of Object.values(silentJobs)) expect(why.length).to.be.greaterThan(20)
  })
})

/** Sweeps, what they leave in the log, or why nothing. */
const sweeps: Record<string, string> = {
  'records-sessions': 'forgets keys of sessions whose messages are gone, each with record.destroy',
  exits: 'key.destroy, key.certificate',
  'old-pages': 'page.resolve, page.forget',
  'chat-watch': 'page.chat_away, page.chat_back',
  'oncall-swaps': 'oncall.swap, when one lapses',
  'oncall-print': 'oncall.print',
  'oncall-print-stale': 'alert.raise',
  exports: 'export.expire, or what a killed export left',
  reminders: 'text.queue, task.open',
  'staff-list': 'publishes names that the rooms show already',
  inbox: 'deletes finished events of the homeserver, each of which has its entry',
  'bots-inbox': 'deletes finished events of the homeserver, each of which has its entry',
  outbox: 'deletes finished jobs, each of which has its entry',
  renewals: 'device.renew',
  'own-users': 'device.change',
  'role-users': 'device.change',
  'audit-digest': 'audit.digest',
  'audit-check': 'audit.verify, when it finds something',
  'audit-prune': 'audit.prune',
  'audit-stale': 'looks at how things are; what is wrong is alert.raise',
  'admin-sessions': 'admin.session',
}

describe('the audit log has an event for every sweep', () => {
  const sources = (folder: string): string[] =>
    readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
      .filter(f => f.endsWith('.ts'))
      .map(f => join(root, folder, f))

  it('or a reason why it leaves none', () => {
    const names = ['appservice', 'bots', 'audit', 'core']
      .flatMap(sources)
      .flatMap(file =>
        [...readFileSync(file, 'utf8').matchAll(/startSweeps\(\{(?:[^}]|\n)*?name: '([^']+)'/g)].map(m => m[1] ?? ''),
      )
    expect(names.length).to.be.greaterThan(6)
    expect(names.filter(name => !(name in sweeps))).to.deep.equal([])
  })

  it('such as the one of sessions: who was idle is out, and their device is gone', async () => {
    const d = await database()
    const hs = await deafHomeserver()
    const server = await publicServer({
      store: d.store,
      homeserver: hs.homeserver,
      keeper: { release: async () => ({ refused: 'dead' }) },
    })
    const maria = await enrolled(d.store, d.keys)
    const { token } = await linkFor(d.store, maria)
    await server.browser().post('/api/link/verify', { token, factor: 'birth_date', value: maria.dob })
    await d.store.db('audit_queue').delete()
    d.store.clock.advance(hours(2))
    await sweepSessions({ store: d.store, homeserver: hs.homeserver, log: testLog() })
    expect((await logOf(d.store)).map(r => r.action)).to.deep.equal(['session.end', 'device.delete'])
    await server.stop()
    await hs.stop()
    await d.drop()
  })
})
