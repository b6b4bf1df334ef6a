import { readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { pino } from 'pino'
import { adminApp } from '../../../audit/admin/app.ts'
import { hours, minutes } from '../../../core/domain/clock.ts'
import type { UserId } from '../../../core/domain/ids.ts'
import { type Listener, listen } from '../../../core/http/listen.ts'
import { refusalLog } from '../../../core/http/refusals.ts'
import { redactText } from '../../../core/log.ts'
import { sweepAdminSessions } from '../../../core/store/admin/admin-sessions.ts'
import { revokeRole, standingOf } from '../../../core/store/staff/roles.ts'
import { transact } from '../../../core/store/tx.ts'
import type { Deadlines, Session, Timeline } from '../../../web/admin-contract.ts'
import { audited, type TestAuditLog, testAuditLog } from '../../support/audit-log.ts'
import { eventually } from '../../support/eventually.ts'
import { adminUrl, adminVisitor, linkToken, signInWith } from '../../support/worlds/admin-visitor.ts'
import { type CommandWorld, commandWorld } from '../../support/worlds/command-world.ts'
import { type Browser, httpBrowser, pageFolder } from '../../support/worlds/public-http.ts'

const root = join(import.meta.dirname, '../../..')
const views = { timeline: {}, sinks: {}, checkpoint: {}, reports: { report: 'commands', month: '2026-11' }, alerts: {} }
const calls: [string, object][] = [
  ...Object.entries(views).map(([name, body]): [string, object] => [`/api/view/${name}`, body]),
  ['/api/session/extend', {}],
  ['/api/session/standing', {}],
  ['/api/session/end', {}],
]

describe('the administrators’ page', () => {
  let w: CommandWorld
  let server: Listener
  let auditLog: TestAuditLog
  let ann: UserId
  let cleo: UserId
  const folder = pageFolder()
  const lines: string[] = []
  let refusals: ReturnType<typeof refusalLog>

  const serve = async (more: { requestsPerMinute?: number; neutralMs?: number } = {}) => {
    const { store } = w.db
    const log = pino({ level: 'debug' }, { write: line => void lines.push(redactText(line)) })
    refusals ??= refusalLog({ store, log })
    const deps = { store, log, refusals, adminUrl, origin: 'clinic.example/audit', pageFolder: folder, neutralMs: 0 }
    return listen(adminApp({ ...deps, ...more }))
  }
  const visitor = () => httpBrowser(server.url, adminUrl)
  const tokenOf = (who: UserId) => linkToken(w, who)
  const signedIn = (who: UserId) => adminVisitor(w, server.url, who)
  const status = async (b: Browser, csrf: string | undefined, path: string, body: object = {}) =>
    (await b.post(path, body, csrf)).status
  const last = async (action: string) => (await w.audit(action)).at(-1) as Record<string, Record<string, unknown>>

  before(async function () {
    this.timeout(120_000)
    w = await commandWorld()
    auditLog = testAuditLog(w.db.store)
    server = await serve()
    ann = await w.person('ann', 'admin')
    cleo = await w.person('cleo', 'compliance')
  })
  // Every test asks and signs in anew; how often one may is a test of its own.
  beforeEach(() => w.db.store.db('rate_bucket').delete())
  after(async () => {
    await server?.stop()
    await refusals?.stop()
    await w?.db.drop()
    rmSync(folder, { recursive: true, force: true })
  })

  describe('its link', () => {
    it('is for administrators, compliance officers and supervisors alone, and in a room goes to the direct chat', async () => {
      const kim = await w.person('kim', 'desk', 'clinician')
      const refused = await w.ask(kim, '!admin link')
      expect(refused).to.include({ mark: '⛔' })
      expect(refused.body).to.not.include('sign-in')
      const desk = { roomId: '!desk:clinic.example', class: 'desk', unit: 'main', peer: null, createdBy: '@wardroom' }
      const said = await w.ask(ann, '!admin link', { room: desk as never })
      expect(said.body).to.include('direct chat').and.not.include('sign-in')
      expect((await w.toldTo(ann)).at(-1)).to.match(/https:\/\/admin\.clinic\.example\/sign-in#\w{22}/)
    })

    it('stands in the database as a hash, and in no log', async () => {
      const token = await tokenOf(ann)
      const { b } = await signedIn(ann)
      await b.call('GET', `/sign-in?${token}`)
      const cookie = [...b.cookies.values()][0] as string
      expect(token).to.have.lengthOf(22)
      const dump = await w.db.dump()
      for (const secret of [token, cookie]) {
        expect(dump).to.not.include(secret)
        expect(lines.join('')).to.not.include(secret)
      }
    })

    it('changes nothing when it is fetched, a hundred times', async () => {
      const token = await tokenOf(ann)
      const before = await w.db.dump()
      const fresh = visitor()
      for (let i = 0; i < 100; i++)
        for (const path of ['/', '/sign-in', '/assets/main-abc.js']) await fresh.call(i % 2 ? 'GET' : 'HEAD', path)
      expect(await w.db.dump()).to.equal(before)
      expect(fresh.cookies.size).to.equal(0)
      expect((await signInWith(fresh, token)).state).to.equal('in')
    })

    it('works once, within ten minutes, and not beside a newer one: the same bytes for each, and each recorded', async () => {
      const used = await tokenOf(ann)
      await signInWith(visitor(), used)
      const older = await tokenOf(ann)
      const late = await tokenOf(cleo)
      await tokenOf(ann)
      w.db.store.clock.advance(minutes(10))
      const answers = new Set<string>()
      for (const token of [used, older, late, '1'.repeat(22), 'x']) {
        const answer = await visitor().post('/api/sign-in', { token })
        const headers = [...answer.headers].filter(([name]) => name !== 'date').join('\n')
        answers.add(`${answer.status}\n${headers}\n${await answer.text()}`)
      }
      expect([...answers]).to.have.lengthOf(1)
      expect([...answers][0]).to.match(/^200\n[\s\S]*\{"state":"closed"\}$/)
      const reasons = (await w.audit('admin.refused')).slice(-5).map(r => r.reason)
      expect(reasons).to.deep.equal(['used', 'withdrawn', 'expired', 'unknown', 'unknown'])
    })

    it('opens nothing once the role is gone', async () => {
      const eve = await w.person('eve', 'admin')
      const token = await tokenOf(eve)
      await w.db.store.db('role_grant').where({ user_id: eve }).delete()
      expect(await signInWith(visitor(), token)).to.deep.equal({ state: 'closed' })
      expect(await last('admin.refused')).to.include({ reason: 'role' })
    })
  })

  describe('its session', () => {
    it('is a cookie that no script and no other site gets, and one for each person', async () => {
      const token = await tokenOf(ann)
      const answer = await visitor().post('/api/sign-in', { token })
      expect(answer.headers.getSetCookie()[0]).to.match(
        /^__Host-wardroom-admin=[\w-]{32}; Path=\/; HttpOnly; Secure; SameSite=Strict$/,
      )
      const first = await signedIn(ann)
      const second = await signedIn(ann)
      expect(await status(first.b, first.session.csrf, '/api/view/sinks')).to.equal(401)
      expect(await status(second.b, second.session.csrf, '/api/view/sinks')).to.equal(200)
      expect(second.session).to.include({ userId: ann, timeZone: 'America/New_York' })
    })

    it('ends after fifteen minutes in which nobody did anything; asking how it stands is nothing', async () => {
      const { b, session } = await signedIn(ann)
      const { clock } = w.db.store
      expect(session.idleAt - session.now).to.equal(minutes(15))
      clock.advance(minutes(14))
      expect(await status(b, session.csrf, '/api/session/standing')).to.equal(200)
      const extended = (await (await b.post('/api/session/extend', {}, session.csrf)).json()) as Deadlines
      expect(extended.idleAt - extended.now).to.equal(minutes(15))
      clock.advance(minutes(14))
      expect(await status(b, session.csrf, '/api/view/sinks')).to.equal(200)
      clock.advance(minutes(14))
      expect(await status(b, session.csrf, '/api/session/standing')).to.equal(200)
      clock.advance(minutes(1))
      expect(await status(b, session.csrf, '/api/session/standing')).to.equal(401)
      expect(await last('admin.session')).to.deep.include({ reason: 'idle' })
      expect(b.cookies.size).to.equal(0)
    })

    it('ends after eight hours, however busy', async () => {
      const { b, session } = await signedIn(ann)
      const { clock } = w.db.store
      for (let i = 0; i < 47; i++) {
        clock.advance(minutes(10))
        expect(await status(b, session.csrf, '/api/session/extend')).to.equal(200)
      }
      clock.advance(minutes(10))
      expect(await status(b, session.csrf, '/api/session/extend')).to.equal(401)
      expect(await last('admin.session')).to.deep.include({ reason: 'reauth' })
    })

    it('is ended by the sweep where no page asks any more, once', async () => {
      const { session } = await signedIn(cleo)
      w.db.store.clock.advance(minutes(15) + 1)
      expect(await transact(w.db.store, sweepAdminSessions)).to.equal(1)
      expect(await transact(w.db.store, sweepAdminSessions)).to.equal(0)
      expect(await last('admin.session')).to.deep.include({ reason: 'idle' })
      expect(session.userId).to.equal(cleo)
      w.db.store.clock.advance(hours(24 * 31))
      await transact(w.db.store, sweepAdminSessions)
      expect(await w.db.store.db('admin_session')).to.deep.equal([])
      expect(await w.db.store.db('admin_link')).to.deep.equal([])
    })

    it('ends in the moment in which the role is taken away, or suspended for another identity', async () => {
      const eve = await w.person('eve', 'admin')
      const revoked = await signedIn(eve)
      await transact(w.db.store, tx => revokeRole(tx, { userId: eve, role: 'admin', by: ann }))
      expect(await w.db.store.db('admin_session').where({ user_id: eve, ended_at: null })).to.deep.equal([])
      expect(await status(revoked.b, revoked.session.csrf, '/api/session/standing')).to.equal(401)
      await w.person('eve', 'compliance')
      const suspended = await signedIn(eve)
      await transact(w.db.store, tx => standingOf(tx, eve, 'another key'))
      expect(await status(suspended.b, suspended.session.csrf, '/api/view/timeline')).to.equal(401)
      // Also where nobody told the session: the grant itself is asked each time.
      await w.person('eve', 'compliance')
      const silent = await signedIn(eve)
      await w.db.store.db('role_grant').where({ user_id: eve }).update({ suspended_at: 1 })
      expect(await status(silent.b, silent.session.csrf, '/api/view/timeline')).to.equal(401)
      expect(await last('admin.session')).to.deep.include({ reason: 'role' })
    })

    it('loses a view with a role and keeps what another role sees', async () => {
      const both = await w.person('both', 'admin', 'compliance')
      const { b, session } = await signedIn(both)
      expect(session.reports).to.deep.equal(['access', 'links', 'commands'])
      await w.db.store.db('role_grant').where({ user_id: both, role: 'compliance' }).delete()
      expect(await status(b, session.csrf, '/api/view/reports', { report: 'access', month: '2026-11' })).to.equal(403)
      expect(await status(b, session.csrf, '/api/view/reports', views.reports)).to.equal(200)
    })

    it('is gone when its person signs out', async () => {
      const { b, session } = await signedIn(cleo)
      const cookie = [...b.cookies].map(([k, v]) => `${k}=${v}`).join()
      expect(await status(b, session.csrf, '/api/session/end')).to.equal(204)
      expect(b.cookies.size).to.equal(0)
      const kept = await b.call('POST', '/api/view/sinks', { body: {}, bearer: session.csrf, headers: { cookie } })
      expect(kept.status).to.equal(401)
      expect(await last('admin.session')).to.deep.include({ reason: 'ended' })
    })
  })

  describe('each of its calls', () => {
    for (const [path, body] of calls) {
      it(`${path} wants a session that lives, its bearer, and our own page`, async () => {
        const { b, session } = await signedIn(cleo)
        const other = await signedIn(ann)
        const looks = async () => (await w.audit('admin.view')).length
        const before = await looks()
        expect(await status(visitor(), session.csrf, path, body), 'no cookie').to.equal(401)
        expect(await status(b, undefined, path, body), 'no bearer').to.equal(403)
        expect(await status(b, other.session.csrf, path, body), 'another bearer').to.equal(403)
        expect(await last('admin.refused')).to.include({ reason: 'bearer' })
        const foreign: [number, Record<string, string>][] = [
          [403, { 'sec-fetch-site': 'cross-site' }],
          [403, { 'sec-fetch-site': 'same-site' }],
          [403, { origin: 'https://evil.example' }],
          [415, { 'content-type': 'text/plain' }],
          [415, { 'content-type': 'application/x-www-form-urlencoded' }],
        ]
        for (const [expected, headers] of foreign) {
          const answer = await b.call('POST', path, { body, bearer: session.csrf, headers })
          expect(answer.status, JSON.stringify(headers)).to.equal(expected)
        }
        expect((await b.call('GET', path, { bearer: session.csrf })).status, 'a GET').to.equal(404)
        w.db.store.clock.advance(minutes(15))
        expect(await status(b, session.csrf, path, body), 'expired').to.equal(401)
        expect(await looks()).to.equal(before)
      })
    }

    it('takes no more than it asks for', async () => {
      const { b, session } = await signedIn(cleo)
      const bad: [string, unknown][] = [
        ['timeline', { outcome: 'maybe' }],
        ['timeline', { since: '2026-02-30' }],
        ['timeline', { before: -1 }],
        ['timeline', { more: 1 }],
        ['reports', { report: 'commands', month: '2026-13' }],
        ['reports', { report: 'all', month: '2026-11' }],
        ['sinks', { name: 'x' }],
      ]
      for (const [name, body] of bad)
        expect(await status(b, session.csrf, `/api/view/${name}`, body as object), JSON.stringify(body)).to.equal(400)
      const long = await b.call('POST', '/api/view/timeline', {
        body: { actor: 'a'.repeat(9000) },
        bearer: session.csrf,
      })
      expect(long.status).to.equal(413)
    })

    it('is slowed down for one address', async () => {
      const slow = await serve({ requestsPerMinute: 3 })
      const b = httpBrowser(slow.url, adminUrl)
      const statuses = await Promise.all([1, 2, 3, 4].map(async () => (await b.call('GET', '/')).status))
      expect(statuses.sort()).to.deep.equal([200, 200, 200, 429])
      await slow.stop()
      const tries = []
      for (let i = 0; i < 25; i++) tries.push(await status(visitor(), undefined, '/api/sign-in', { token: 'x' }))
      expect(tries.at(-1)).to.equal(429)
    })

    it('sends the headers that keep it to itself', async () => {
      const { headers } = await visitor().call('GET', '/sign-in')
      const csp = (headers.get('content-security-policy') ?? '').split(';').sort()
      expect(csp).to.deep.equal(
        [
          "default-src 'none'",
          "script-src 'self'",
          "connect-src 'self'",
          "img-src 'self'",
          "style-src 'self'",
          "base-uri 'none'",
          "form-action 'none'",
          "frame-ancestors 'none'",
          "require-trusted-types-for 'script'",
          "trusted-types 'none'",
        ].sort(),
      )
      const expected = { 'cache-control': 'no-store', 'referrer-policy': 'no-referrer', 'x-frame-options': 'DENY' }
      for (const [name, value] of Object.entries(expected)) expect(headers.get(name), name).to.equal(value)
    })
  })

  it('leaves an event for whatever it does, and for whatever it refuses', async () => {
    const leaves: Record<string, string> = {
      '/api/sign-in': 'admin.session',
      '/api/session': 'admin.session',
      '/api/session/extend': 'admin.session',
      '/api/session/standing': '', // tells when the session ends, changes nothing and shows nothing of the log
      ...Object.fromEntries(Object.keys(views).map(name => [`/api/view/${name}`, 'admin.view'])),
      '/api/session/end': 'admin.session',
    }
    const routes = ['session-api', 'view-api'].flatMap(file =>
      [...readFileSync(join(root, `audit/admin/${file}.ts`), 'utf8').matchAll(/'(\/(?:sign-in|session)[^']*)'/g)].map(
        m => `/api${m[1]}`,
      ),
    )
    expect(routes.filter(route => !(route in leaves))).to.deep.equal([])
    const b = visitor()
    let csrf: string | undefined
    const queue = () => w.db.store.db('audit_queue').orderBy('id')
    for (const [path, action] of Object.entries(leaves)) {
      const name = path.split('/').at(-1) as keyof typeof views
      const body = path === '/api/sign-in' ? { token: await tokenOf(cleo) } : (views[name] ?? {})
      const before = (await queue()).length
      const answer = await b.post(path, body, csrf)
      expect(answer.status, path).to.be.within(200, 204)
      const fresh = (await queue()).slice(before)
      expect(fresh.map(r => r.action).at(-1) ?? '', path).to.equal(action)
      if (action) expect(fresh.at(-1).actor, path).to.include({ kind: 'user', id: cleo })
      if (path === '/api/sign-in') csrf = ((await answer.json()) as { session: Session }).session.csrf
    }
    for (const [path] of calls) {
      w.db.store.clock.advance(minutes(1)) // further ones of the same minute are only counted
      const before = (await queue()).length
      await visitor().post(path, {}, csrf)
      const refused = await eventually(async () => (await queue()).slice(before).at(-1))
      expect(refused, path).to.include({ action: 'request.refused', outcome: 'refused' })
    }
  })

  describe('a look', () => {
    const look = async (who: UserId, body: object) => {
      const { b, session } = await signedIn(who)
      const answer = await b.post('/api/view/timeline', body, session.csrf)
      return { status: answer.status, page: (await answer.json()) as Timeline }
    }

    it('is recorded with who and which filter, before anything is shown', async () => {
      const { b, session } = await signedIn(cleo)
      for (const [name, body] of Object.entries(views)) {
        expect(await status(b, session.csrf, `/api/view/${name}`, body)).to.equal(200)
        const seen = await last('admin.view')
        expect(seen.actor).to.include({ kind: 'user', id: cleo })
        expect(seen.object).to.deep.equal({ kind: 'route', id: name })
      }
      await b.post(
        '/api/view/timeline',
        { outcome: 'refused', since: '2026-11-01', action: 'role.grant' },
        session.csrf,
      )
      expect((await last('admin.view')).detail).to.include({
        outcome: 'refused',
        since: 20261101,
        action: 'role.grant',
      })
      await w.db.store.db.raw(`alter table audit_queue add constraint blocked check (action <> 'admin.view') not valid`)
      const answer = await b.post('/api/view/timeline', {}, session.csrf)
      await w.db.store.db.raw('alter table audit_queue drop constraint blocked')
      expect(answer.status).to.equal(503)
      expect(await answer.text()).to.not.include('entries')
    })

    it('of a compliance officer finds a patient by code, id and entry; the look is then about that patient', async () => {
      const kim = await w.person('kim', 'desk')
      const { body } = await w.ask(kim, '!patient add +12025550177 dob 1950-03-07 name "Maria Alvarez"')
      const code = /\b[2-9B-Z]{3}-[2-9B-Z]{3}\b/.exec(body)?.[0] ?? ''
      const { id } = await w.db.store.db('patient').where({ code }).first('id')
      await auditLog.sequence()
      const byCode = (await look(cleo, { patient: code.toLowerCase().replace('-', '') })).page
      expect(byCode.entries.map(e => e.action)).to.include('patient.enrol')
      expect(new Set(byCode.entries.map(e => e.patient)).size).to.equal(1)
      expect(await last('admin.view')).to.include({ patient: id })
      const [first] = byCode.entries
      for (const patient of [id, `#${first?.idx}`, first?.patient])
        expect((await look(cleo, { patient })).page.entries).to.deep.equal(byCode.entries)
      expect(JSON.stringify(byCode))
        .to.not.match(/Maria|Alvarez|1950|2025550177/)
        .and.not.include(id)
    })

    it('takes no name as a filter, so that none gets into the log', async () => {
      for (const field of ['patient', 'actor', 'room', 'object'])
        expect((await look(cleo, { [field]: 'Zoe Quill' })).status, field).to.equal(400)
      for (const field of ['actor', 'object'])
        expect((await look(cleo, { [field]: 'zoequill' })).page.entries, field).to.deep.equal([])
      expect((await look(cleo, { actor: '@zoequill:clinic.example' })).page.entries).to.deep.equal([])
      expect((await last('admin.view')).detail).to.include({ actor: 'unknown' })
      expect((await look(cleo, { patient: 'pt_unknown000' })).page.entries).to.deep.equal([])
      expect(await last('admin.view')).to.have.property('patient', null)
      expect(await w.db.dump()).to.not.match(/zoequill|Zoe Quill/)
    })

    it('of an administrator shows how the service is run, and nothing that leads to a patient', async () => {
      const origin = { ip: '192.0.2.1' }
      await audited(w.db.store, {
        action: 'patient.view',
        patient: 'pt_abcdefgh',
        object: { kind: 'patient', id: 'pt_abcdefgh' },
      })
      await audited(w.db.store, {
        action: 'command.run',
        patient: 'pt_abcdefgh',
        room: '!care:clinic.example',
        object: { kind: 'command', id: 'patient status' },
        origin,
      })
      await audited(w.db.store, {
        action: 'job.failed',
        actor: { kind: 'person', id: 'ps_abcdefgh' },
        object: { kind: 'text', id: 'tx_abcdefgh' },
        patient: 'pt_abcdefgh',
      })
      await auditLog.sequence()
      const { page } = await look(ann, {})
      const actions = new Set(page.entries.map(e => e.action))
      expect([...actions]).to.include.members(['command.run', 'job.failed', 'admin.session'])
      expect([...actions].filter(a => /^(patient|link|session|message|text|consent|room)\./.test(a))).to.deep.equal([])
      expect([...actions])
        .to.not.include('audit.view')
        .and.not.include('audit.reveal')
      for (const e of page.entries) expect(e).to.not.have.any.keys('patient', 'room', 'origin')
      expect(page.entries.filter(e => e.actor.committed || e.object.committed)).to.deep.equal([])
      const officer = (await look(cleo, { action: 'patient.view' })).page.entries
      expect(officer[0]).to.include.keys('patient')
      const ref = officer[0]?.patient
      const refused: object[] = [
        { patient: 'pt_abcdefgh' },
        { patient: ref },
        { room: '!care:clinic.example' },
        { actor: 'ps_abcdefgh' },
        { actor: ref },
        { object: ref },
        { object: 'ln_abcdefgh' },
        { action: 'patient.view' },
      ]
      for (const body of refused) {
        expect((await look(ann, body)).status, JSON.stringify(body)).to.equal(403)
        expect(await last('admin.refused')).to.include({ reason: 'role' })
      }
    })

    it('goes on page by page, without a gap or an entry twice', async () => {
      for (let i = 0; i < 120; i++) await audited(w.db.store)
      await auditLog.sequence()
      const { b, session } = await signedIn(cleo)
      const seen: number[] = []
      let before: number | null | undefined
      do {
        const page: Timeline = (await (
          await b.post('/api/view/timeline', before === undefined ? {} : { before }, session.csrf)
        ).json()) as Timeline
        seen.push(...page.entries.map(e => e.idx))
        before = page.next
      } while (before !== null)
      expect(seen).to.deep.equal(Array.from({ length: seen.length }, (_, i) => seen.length - 1 - i))
      expect(seen.length).to.be.greaterThan(120)
    })
  })
})
