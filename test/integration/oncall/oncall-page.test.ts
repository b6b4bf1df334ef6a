import { rmSync } from 'node:fs'
import { expect } from 'chai'
import { adminApp } from '../../../audit/admin/app.ts'
import { days, hours, minutes, seconds } from '../../../core/domain/clock.ts'
import type { UserId } from '../../../core/domain/ids.ts'
import { isRefusal } from '../../../core/domain/refusal.ts'
import { type Listener, listen } from '../../../core/http/listen.ts'
import { clinicDuty } from '../../../core/oncall/pages/clinic-duty.ts'
import { advancePages, answerPage } from '../../../core/oncall/pages/engine.ts'
import { requestPage } from '../../../core/oncall/pages/request-page.ts'
import { grantRole, revokeRole } from '../../../core/store/staff/roles.ts'
import { transact } from '../../../core/store/tx.ts'
import type { OnCallNow, OpenPages, Responses, Schedule } from '../../../web/oncall-contract.ts'
import { testLog } from '../../support/test-log.ts'
import { adminUrl, adminVisitor } from '../../support/worlds/admin-visitor.ts'
import { type CommandWorld, commandWorld } from '../../support/worlds/command-world.ts'
import { pageFolder } from '../../support/worlds/public-http.ts'

const views = { 'on-call': {}, schedule: { span: 'week' }, pages: {}, responses: { days: 7 } } as const
const zone = 'America/New_York'

describe('the on-call views of the administrators’ page', () => {
  let w: CommandWorld
  let server: Listener
  let sue: UserId
  let ann: UserId
  let cleo: UserId
  let bob: UserId
  const folder = pageFolder()

  const signedIn = (who: UserId) => adminVisitor(w, server.url, who)
  /** A view as somebody sees it who signs in for it. */
  const look = async <T>(who: UserId, view: string, body: object = {}): Promise<T> => {
    const { b, session } = await signedIn(who)
    const answer = await b.post(`/api/view/${view}`, body, session.csrf)
    expect(answer.status, view).to.equal(200)
    return (await answer.json()) as T
  }
  const looks = async () =>
    (await w.audit('admin.view')) as { detail: Record<string, unknown>; object: { id: string } }[]
  /** A command that counts at once, or after its confirmation. */
  const set = async (who: UserId, text: string) => {
    const shown = await w.ask(who, text)
    const done = shown.body.includes('Nothing is changed yet') ? await w.ask(who, '!confirm') : shown
    expect(done.mark, `${text}: ${done.body}`).to.equal('✅')
  }
  let n = 0
  const page = async (priority: 'routine' | 'urgent' | 'stat', to: 'cardiology' | UserId = 'cardiology') => {
    const made = await transact(w.db.store, tx =>
      requestPage(tx, clinicDuty, {
        target: to === 'cardiology' ? { kind: 'role', role: to } : { kind: 'user', user: to },
        priority,
        sender: sue,
        actor: { kind: 'user', id: sue },
        content: { text: 'Maria Alvarez, bed 4', from: sue, why: [] },
        what: `no pulse ${++n}`,
        patientId: 'pt_abcdefgh',
      }),
    )
    if (isRefusal(made)) throw new Error(made.sentence)
    return made
  }
  const accept = async (id: string, by: UserId) => {
    const taken = await transact(w.db.store, tx =>
      answerPage(tx, clinicDuty, id, { kind: 'accept', by, way: 'command' }),
    )
    if (isRefusal(taken)) throw new Error(taken.sentence)
  }

  before(async function () {
    this.timeout(120_000)
    w = await commandWorld()
    w.db.store.clock.freeze(Date.UTC(2026, 9, 28, 16)) // Wednesday, 12:00 in New York; its clocks go back on Sunday
    const { store } = w.db
    const log = testLog()
    server = await listen(
      adminApp({
        store,
        log,
        refusals: { watch: () => (_q, _s, next) => next() },
        adminUrl,
        origin: 'x',
        pageFolder: folder,
        neutralMs: 0,
      }),
    )
    ann = await w.person('ann', 'admin')
    sue = await w.person('sue', 'supervisor')
    cleo = await w.person('cleo', 'compliance')
    bob = await w.person('bob', 'clinician')
    await w.person('cyd', 'clinician')
    await set(sue, `!oncall role add cardiology "Cardiology on call" fallback @sue zone ${zone}`)
    await set(sue, '!oncall role add surgery "Surgery on call" fallback @sue zone Europe/Berlin')
    await set(
      sue,
      '!oncall set cardiology weekly people @bob @cyd every week start 2026-10-26 08:00 only "mon-fri 08:00-18:00"',
    )
    await set(bob, '!oncall me name "Bob Miller"')
  })
  beforeEach(() => w.db.store.db('rate_bucket').delete())
  after(async () => {
    await server?.stop()
    await w?.db.drop()
    rmSync(folder, { recursive: true, force: true })
  })

  it('are for supervisors and administrators; a supervisor sees nothing else of the page', async () => {
    const officer = await signedIn(cleo)
    expect(officer.session.views).to.deep.equal(['timeline', 'sinks', 'checkpoint', 'reports', 'alerts'])
    const keeper = await signedIn(sue)
    expect(keeper.session.views).to.deep.equal(Object.keys(views))
    expect(keeper.session).to.deep.include({ actions: [], reports: [] })
    const admin = await signedIn(ann)
    expect(admin.session.views).to.include.members([...Object.keys(views), 'timeline'])
    const before = (await looks()).length
    for (const [name, body] of Object.entries(views)) {
      for (const path of name === 'pages' || name === 'on-call' ? [name, `${name}/again`] : [name]) {
        expect((await officer.b.post(`/api/view/${path}`, body, officer.session.csrf)).status, path).to.equal(403)
        const refused = (await w.audit('admin.refused')).at(-1)
        expect(refused).to.deep.include({ reason: 'role', object: { kind: 'route', id: name } })
      }
    }
    const { b, session } = keeper
    for (const name of ['timeline', 'sinks', 'checkpoint', 'alerts'])
      expect((await b.post(`/api/view/${name}`, {}, session.csrf)).status, name).to.equal(403)
    const month = { report: 'commands', month: '2026-10' }
    expect((await b.post('/api/view/reports', month, session.csrf)).status).to.equal(403)
    expect(await looks()).to.have.lengthOf(before)
  })

  it('end with the supervisor’s role', async () => {
    const eve = await w.person('eve', 'supervisor')
    const { b, session } = await signedIn(eve)
    await transact(w.db.store, tx => revokeRole(tx, { userId: eve, role: 'supervisor', by: ann }))
    expect((await b.post('/api/view/pages/again', {}, session.csrf)).status).to.equal(401)
  })

  it('are recorded with what was looked at, and show nothing that cannot be', async () => {
    const { b, session } = await signedIn(ann)
    for (const [name, body] of Object.entries(views)) {
      expect((await b.post(`/api/view/${name}`, body, session.csrf)).status).to.equal(200)
      const [seen] = (await looks()).slice(-1)
      expect(seen?.object).to.deep.equal({ kind: 'route', id: name })
    }
    await b.post('/api/view/schedule', { role: 'surgery', span: 'month', day: '2026-11-05' }, session.csrf)
    expect((await looks()).at(-1)?.detail).to.include({ role: 'surgery', span: 'month', day: 20261101 })
    await w.db.store.db.raw(`alter table audit_queue add constraint blocked check (action <> 'admin.view') not valid`)
    const answer = await b.post('/api/view/on-call', {}, session.csrf)
    await w.db.store.db.raw('alter table audit_queue drop constraint blocked')
    expect(answer.status).to.equal(503)
    expect(await answer.text()).to.not.include('ardiology')
  })

  it('that ask again by themselves are in the log once in five minutes, and keep no session alive', async () => {
    const { b, session } = await signedIn(sue)
    await b.post('/api/view/pages', {}, session.csrf)
    const before = (await looks()).length
    const again = async () => (await b.post('/api/view/pages/again', {}, session.csrf)).status
    for (let i = 0; i < 59; i++) {
      w.db.store.clock.advance(seconds(5))
      expect(await again()).to.equal(200)
    }
    expect(await looks()).to.have.lengthOf(before)
    w.db.store.clock.advance(seconds(5))
    await again()
    await again()
    const fresh = (await looks()).slice(before)
    expect(fresh.map(l => [l.object.id, l.detail.still])).to.deep.equal([['pages', true]])
    w.db.store.clock.advance(minutes(10) - seconds(1))
    expect(await again()).to.equal(200)
    w.db.store.clock.advance(seconds(1))
    expect(await again()).to.equal(401)
  })

  it('that ask again without ever having been looked at are looks', async () => {
    const { b, session } = await signedIn(sue)
    const before = (await looks()).length
    await b.post('/api/view/on-call/again', {}, session.csrf)
    expect(await looks()).to.have.lengthOf(before + 1)
    expect((await b.post('/api/view/schedule/again', { span: 'week' }, session.csrf)).status).to.equal(404)
  })

  it('take no more than they ask for', async () => {
    const { b, session } = await signedIn(sue)
    const bad: [string, object, number][] = [
      ['on-call', { role: 'cardiology' }, 400],
      ['pages', { limit: 1 }, 400],
      ['pages/again', { limit: 1 }, 400],
      ['responses', {}, 400],
      ['responses', { days: 365 }, 400],
      ['schedule', {}, 400],
      ['schedule', { span: 'year' }, 400],
      ['schedule', { span: 'week', role: "x' or 1=1" }, 400],
      ['schedule', { span: 'week', role: 'nothing' }, 404],
      ['schedule', { span: 'week', day: '2026-02-30' }, 400],
      ['schedule', { span: 'week', day: '2026-11-05T00:00' }, 400],
      ['schedule', { span: 'month', day: '2026-06-05' }, 400],
      ['schedule', { span: 'month', day: '9999-12-31' }, 400],
      ['schedule', { span: 'week', day: '2026-11-05', to: '2030-01-01' }, 400],
    ]
    for (const [name, body, status] of bad)
      expect(
        (await b.post(`/api/view/${name}`, body, session.csrf)).status,
        `${name} ${JSON.stringify(body)}`,
      ).to.equal(status)
  })

  it('who is on now: people and reasons, the next handoff, the fallback, and roles that nobody has', async () => {
    w.db.store.clock.freeze(Date.UTC(2026, 9, 29, 16))
    const now = await look<OnCallNow>(sue, 'on-call')
    const [cardiology, surgery] = now.roles
    expect(cardiology).to.deep.equal({
      key: 'cardiology',
      name: 'Cardiology on call',
      unit: 'main',
      zone,
      fallback: sue,
      on: [{ person: bob, reason: { by: 'layer', id: 'weekly' } }],
      next: { at: Date.UTC(2026, 9, 29, 22), on: [{ person: sue, reason: { by: 'fallback' } }] },
    })
    expect(surgery).to.deep.include({ on: [{ person: sue, reason: { by: 'fallback' } }], next: null })
    expect(now.names).to.deep.equal({ [bob]: 'Bob Miller', [sue]: 'sue' })
    const clinician = { userId: bob, role: 'clinician', by: 'test' } as const
    await transact(w.db.store, tx => revokeRole(tx, clinician))
    expect((await look<OnCallNow>(sue, 'on-call')).names[bob]).to.equal('Bob Miller (no role here any more)')
    await transact(w.db.store, tx => grantRole(tx, { ...clinician, identity: null }))
  })

  it('a week of a role in its own zone: a day of 25 hours, gaps, layers, changes by hand and who is away', async () => {
    await set(sue, '!oncall override cardiology add @cyd from 2026-10-30 10:00 to 2026-10-30 12:00')
    await set(sue, '!oncall absent @bob from 2026-10-30 14:00 to 2026-10-31 00:00')
    const week = await look<Schedule>(ann, 'schedule', { role: 'cardiology', span: 'week', day: '2026-10-31' })
    expect(week.days.map(d => d.day)).to.deep.equal(
      [26, 27, 28, 29, 30, 31].map(d => `2026-10-${d}`).concat('2026-11-01'),
    )
    expect(week.days.map(d => (d.to - d.from) / hours(1))).to.deep.equal([24, 24, 24, 24, 24, 24, 25])
    expect(week.today).to.equal('2026-10-29')
    // The role was made on Wednesday; what was before is not known.
    expect(week.on[0]?.from).to.equal(Date.UTC(2026, 9, 28, 16))
    for (const [i, s] of week.on.slice(1).entries()) expect(s.from).to.equal(week.on[i]?.to)
    expect(week.on.at(-1)?.to).to.equal(week.to)
    const onFriday = week.on.filter(s => s.from >= Date.UTC(2026, 9, 30, 12) && s.to <= Date.UTC(2026, 9, 30, 22))
    const said = onFriday.map(s => s.duty.map(d => `${d.person.slice(1, 4)} ${d.reason.by}`).join(' + '))
    expect(said).to.deep.equal(['bob layer', 'bob layer + cyd override', 'bob layer'])
    const afternoon = week.on.find(s => s.from === Date.UTC(2026, 9, 30, 18))
    expect(afternoon).to.deep.include({ to: week.to, duty: [{ person: sue, reason: { by: 'fallback' } }] })
    expect(week.layers.map(l => l.id)).to.deep.equal(['weekly'])
    expect(week.layers[0]?.shifts.filter(s => s.from >= Date.UTC(2026, 9, 30))).to.deep.equal([
      { from: Date.UTC(2026, 9, 30, 12), to: Date.UTC(2026, 9, 30, 22), person: bob },
    ])
    expect(week.changes).to.have.lengthOf(1)
    expect(week.changes[0]).to.deep.include({ kind: 'add', person: '@cyd:clinic.example', replaces: null })
    expect(week.absences).to.have.lengthOf(1)
    expect(week).to.include({ earlier: true, later: true })
  })

  it('a month, and the past as it was before the schedule was changed', async () => {
    w.db.store.clock.freeze(Date.UTC(2026, 10, 5, 16))
    await set(sue, '!oncall set cardiology weekly people @cyd every week start 2026-10-26 08:00')
    const month = await look<Schedule>(sue, 'schedule', { role: 'cardiology', span: 'month' })
    expect(month.days).to.have.lengthOf(30)
    expect(month.days[0]?.day).to.equal('2026-11-01')
    const at = (when: number) => month.on.find(s => s.from <= when && when < s.to)?.duty.map(d => d.person)
    expect(at(Date.UTC(2026, 10, 3, 3)), 'a gap of the old schedule').to.deep.equal([sue])
    expect(at(Date.UTC(2026, 10, 20, 3)), 'no gap in the new one').to.deep.equal(['@cyd:clinic.example'])
    const old = await look<Schedule>(sue, 'schedule', { role: 'cardiology', span: 'month', day: '2026-07-30' })
    expect(old.on).to.deep.equal([])
    expect(old.earlier).to.equal(false)
  })

  it('open pages: reference, priority, state, step, who is asked and what comes next; no word of what they are about', async () => {
    const start = w.db.store.clock.now()
    const urgent = await page('urgent')
    const stat = await page('stat')
    await accept(stat.id, '@cyd:clinic.example' as UserId)
    const open = await look<OpenPages>(sue, 'pages')
    expect(open.pages.map(p => p.ref)).to.deep.equal([urgent.ref, stat.ref])
    expect(open.total).to.equal(2)
    expect(open.pages[1]).to.deep.include({
      state: 'accepted',
      acceptedBy: ['@cyd:clinic.example'],
      waitsFor: [],
      escalatesAt: null,
    })
    expect(open.pages[0]).to.deep.equal({
      ref: urgent.ref,
      priority: 'urgent',
      state: 'open',
      target: 'cardiology',
      role: 'Cardiology on call',
      createdAt: start,
      count: 1,
      step: 1,
      steps: 1,
      round: 1,
      rounds: 2,
      waitsFor: ['@cyd:clinic.example'],
      acceptedBy: [],
      handedTo: [],
      escalatesAt: start + minutes(5),
      escalatesTo: 'again',
      contactAt: null,
    })
    expect(JSON.stringify(open)).to.not.match(/Maria|Alvarez|bed 4|pulse|pt_/)
    w.db.store.clock.advance(minutes(5))
    await transact(w.db.store, tx => advancePages(tx, clinicDuty, [urgent.id]))
    const later = await look<OpenPages>(sue, 'pages')
    expect(later.pages[0]).to.deep.include({ round: 2, state: 'open', escalatesTo: 'fallback' })
    w.db.store.clock.advance(minutes(5))
    await transact(w.db.store, tx => advancePages(tx, clinicDuty, [urgent.id]))
    const last = await look<OpenPages>(sue, 'pages')
    expect(last.pages[0]).to.deep.include({ state: 'exhausted', step: 1, waitsFor: [sue], escalatesAt: null })
  })

  it('response times: how long until taken, by role and priority, of the pages of the period', async () => {
    await w.db.store.db('page').delete()
    const cyd = '@cyd:clinic.example' as UserId
    const taken = async (after: number) => {
      const { id } = await page('stat')
      w.db.store.clock.advance(after)
      await accept(id, cyd)
      w.db.store.clock.advance(minutes(10))
    }
    await taken(hours(1))
    w.db.store.clock.advance(days(8))
    for (let i = 1; i <= 10; i++) await taken(seconds(10 * i))
    await page('urgent')
    const toBob = await page('stat', bob)
    w.db.store.clock.advance(seconds(7))
    await accept(toBob.id, bob)
    const week = await look<Responses>(sue, 'responses', { days: 7 })
    const cardiology = { role: 'cardiology', name: 'Cardiology on call' }
    expect(week.rows).to.deep.equal([
      {
        ...cardiology,
        priority: 'stat',
        pages: 10,
        accepted: 10,
        untaken: 0,
        median: 50_000,
        p90: 90_000,
        p99: 100_000,
      },
      { ...cardiology, priority: 'urgent', pages: 1, accepted: 0, untaken: 0, median: null, p90: null, p99: null },
      { role: null, name: '', priority: 'stat', pages: 1, accepted: 1, untaken: 0, median: 7000, p90: 7000, p99: 7000 },
    ])
    const month = await look<Responses>(sue, 'responses', { days: 30 })
    expect(month.rows[0]).to.include({ pages: 11, p99: 3_600_000 })
  })
})
