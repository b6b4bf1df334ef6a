import { expect } from 'chai'
import type { CareDeps } from '../../../appservice/care/deps.ts'
import { closeRoom } from '../../../appservice/care/room/close.ts'
import { sweepSessions } from '../../../appservice/links/devices.ts'
import { minutes, seconds } from '../../../core/domain/clock.ts'
import { closePatient } from '../../../core/store/patients/patient-access.ts'
import { transact } from '../../../core/store/tx.ts'
import type { Session, TapAnswer } from '../../../web/contract.ts'
import { eventually } from '../../support/eventually.ts'
import { stack } from '../../support/stack.ts'
import { unrecorded } from '../../support/unrecorded.ts'
import { linkFor, notice, noticeStates } from '../../support/worlds/enrolled.ts'
import { fetchK, type PageWorld, pageWorld } from '../../support/worlds/patient-page.ts'
import type { Browser } from '../../support/worlds/public-http.ts'

const versions = '/_matrix/client/versions'
const sync = '/_matrix/client/v3/sync?timeout=0'

describe('a patient’s session', function () {
  this.timeout(120_000)
  let w: PageWorld

  before(async function () {
    this.timeout(180_000)
    w = await pageWorld()
  })
  after(() => w?.stop())

  const bearerWorks = async (browser: Browser, s: Session): Promise<boolean> =>
    (await browser.call('GET', versions, { bearer: s.csrf })).status === 200
  const why = async (browser: Browser, s: Session) => {
    const answer = await browser.call('GET', versions, { bearer: s.csrf })
    const body = (await answer.json()) as Record<string, unknown>
    return `${answer.status} ${body.errcode} ${body['io.wardroom.why']}`
  }
  const resume = async (browser: Browser, token: string): Promise<Session | number> => {
    const answer = await browser.call('POST', '/api/session', { body: {}, headers: { 'x-wardroom-link': token } })
    return answer.ok ? ((await answer.json()) as Session) : answer.status
  }

  it('begins with a device of its own, a protected cookie and K', async () => {
    const maria = await w.patient()
    const browser = w.server.browser()
    const { token } = await linkFor(w.db.store, maria)
    const answer = await browser.post('/api/link/verify', { token, factor: 'birth_date', value: maria.dob })
    const cookie = answer.headers.getSetCookie().find(c => c.startsWith('__Host-wardroom='))
    for (const flag of ['HttpOnly', 'Secure', 'SameSite=Strict', 'Path=/']) expect(cookie).to.include(flag)
    expect(cookie).to.not.match(/domain|max-age|expires/i)
    const { session } = (await answer.json()) as { session: Session }
    expect(await w.devices(maria.ghost)).to.deep.equal([session.deviceId])
    expect(session).to.include({ userId: maria.ghost, roomId: maria.room, lang: 'en', reauthFactor: 'birth_date' })
    expect(session.team).to.have.property(maria.owner)
    expect(Buffer.from(await fetchK(browser, session)).equals(Buffer.from(maria.k))).to.equal(true)
    expect(JSON.stringify(session)).to.not.include(maria.dob)
  })

  it('is over at once when the patient is closed: every call, the open poll, the key, the link, and its device', async () => {
    const maria = await w.patient()
    const { browser, session, token } = await w.signIn(maria)
    w.db.store.clock.advance(seconds(11))
    const first = (await (await browser.call('GET', sync, { bearer: session.csrf })).json()) as { next_batch: string }
    const path = `/_matrix/client/v3/sync?timeout=30000&since=${encodeURIComponent(first.next_batch)}`
    const poll = browser.call('GET', path, { bearer: session.csrf })
    await transact(w.db.store, tx => closePatient(tx, maria.patient, '@ann:clinic.example'))
    expect(await why(browser, session)).to.equal('401 M_UNKNOWN_TOKEN over')
    expect((await browser.post('/api/session/key', { publicKey: {} }, session.csrf)).status).to.equal(401)
    expect(await resume(browser, token)).to.equal(401)
    expect(await (await browser.post('/api/link/tap', { token })).json()).to.deep.equal({ state: 'closed' })
    const rows = await w.db.store.db('outbox').where({ kind: 'patient.close', patient_id: maria.patient })
    const deps: Partial<CareDeps> = { store: w.db.store, homeserver: w.homeserver, log: w.server.deps.log }
    const job = { id: 'jb', queue: 'bridge' as const, kind: 'patient.close', attempts: 0, lane: undefined }
    await closeRoom(deps as CareDeps)(
      { ...job, payload: { patientId: maria.patient }, patient: maria.patient, due: 0, createdAt: 0 },
      undefined as never,
    )
    expect(rows).to.have.lengthOf(1)
    expect((await poll).status, 'the poll that was open').to.equal(401)
    expect(await w.devices(maria.ghost)).to.deep.equal([])
    const audits = await w.db.store.db('audit_queue').where({ patient: maria.patient, reason: 'closed' })
    expect(audits.map(a => a.action).sort()).to.include.members(['link.withdraw', 'session.end'])
  })

  it('survives a reload with a new device; the old one is deleted and its bearer stops the old page', async () => {
    const maria = await w.patient()
    const { browser, session, token } = await w.signIn(maria)
    const again = await resume(browser, token)
    if (typeof again === 'number') throw new Error(`resume answered ${again}`)
    expect(again.deviceId).to.not.equal(session.deviceId)
    await eventually(async () => (await w.devices(maria.ghost)).join() === again.deviceId, { what: 'one device' })
    expect(await why(browser, session)).to.equal('401 M_UNKNOWN_TOKEN superseded')
    expect(await bearerWorks(browser, again)).to.equal(true)
  })

  it('goes to the second tab: a tap in the same browser needs no birth date, and the first tab’s long poll ends at once', async () => {
    const maria = await w.patient()
    const { browser, session, token } = await w.signIn(maria)
    const first = (await (await browser.call('GET', sync, { bearer: session.csrf })).json()) as { next_batch: string }
    const poll = browser.call('GET', `/_matrix/client/v3/sync?timeout=30000&since=${first.next_batch}`, {
      bearer: session.csrf,
    })
    const begun = performance.now()
    await eventually(async () => (await w.db.store.db('session').whereNotNull('polled_at')).length > 0)
    const tapped = (await (await browser.post('/api/link/tap', { token })).json()) as TapAnswer
    expect(tapped.state).to.equal('session')
    const ended = await poll
    expect(ended.status).to.equal(401)
    expect(await ended.json()).to.include({ errcode: 'M_UNKNOWN_TOKEN', 'io.wardroom.why': 'superseded' })
    expect(performance.now() - begun).to.be.lessThan(10_000)
  })

  it('goes to the second browser, which must prove who it is; the first one is out and its device gone', async () => {
    const maria = await w.patient()
    const phone = await w.signIn(maria)
    const tablet = w.server.browser()
    const tapped = (await (await tablet.post('/api/link/tap', { token: phone.token })).json()) as TapAnswer
    expect(tapped.state).to.equal('factors')
    expect(await bearerWorks(phone.browser, phone.session), 'a tap elsewhere ends nothing').to.equal(true)
    const second = await w.signIn(maria, tablet)
    expect(await why(phone.browser, phone.session)).to.equal('401 M_UNKNOWN_TOKEN superseded')
    await eventually(async () => (await w.devices(maria.ghost)).join() === second.session.deviceId)
    expect(await resume(phone.browser, phone.token)).to.equal(401)
  })

  it('gives no session to another person’s link in the same browser', async () => {
    const maria = await w.patient()
    const jose = await w.patient()
    const { browser, session } = await w.signIn(maria)
    const { token } = await linkFor(w.db.store, jose)
    expect(await resume(browser, token)).to.equal(401)
    expect(await resume(browser, '1111111111111111111111')).to.equal(401)
    expect((await browser.post('/api/session', {})).status, 'a cookie without its link').to.equal(401)
    const tapped = (await (await browser.post('/api/link/tap', { token })).json()) as TapAnswer
    expect(tapped.state).to.equal('factors')
    expect(await bearerWorks(browser, session)).to.equal(true)
  })

  it('loses only its device when the tab leaves, and comes back without a birth date', async () => {
    const maria = await w.patient()
    const { browser, session, token } = await w.signIn(maria)
    expect((await browser.post('/api/session/end', { leaving: true }, session.csrf)).status).to.equal(204)
    await eventually(async () => (await w.devices(maria.ghost)).length === 0)
    expect(await bearerWorks(browser, session)).to.equal(false)
    const again = await resume(browser, token)
    expect(again).to.be.an('object')
  })

  it('ends for good when the patient ends it: device, cookie and link', async () => {
    const maria = await w.patient()
    const { browser, session, token } = await w.signIn(maria)
    expect((await browser.post('/api/session/end', {}, session.csrf)).status).to.equal(204)
    expect(await w.devices(maria.ghost)).to.deep.equal([])
    expect(browser.cookies.has('__Host-wardroom')).to.equal(false)
    expect(await why(browser, session)).to.equal('401 M_UNKNOWN_TOKEN over')
    const tapped = (await (await browser.post('/api/link/tap', { token })).json()) as TapAnswer
    expect(tapped).to.deep.equal({ state: 'closed' })
  })

  it('goes on under a later link of the same person, and its end uses up that link', async () => {
    const maria = await w.patient()
    const { browser } = await w.signIn(maria)
    const { token } = await linkFor(w.db.store, maria)
    const tapped = (await (await browser.post('/api/link/tap', { token })).json()) as TapAnswer
    if (tapped.state !== 'session') throw new Error(tapped.state)
    await browser.post('/api/session/end', {}, tapped.session.csrf)
    const after = (await (await w.server.browser().post('/api/link/tap', { token })).json()) as TapAnswer
    expect(after).to.deep.equal({ state: 'closed' })
  })

  it('ends when idle; the sweep deletes the device, also one that the homeserver could not delete at first', async () => {
    const maria = await w.patient()
    const { browser, session } = await w.signIn(maria)
    w.db.store.clock.advance(minutes(10))
    const extended = await browser.post('/api/session/extend', {}, session.csrf)
    const { idleAt } = (await extended.json()) as { idleAt: number }
    expect(idleAt - w.db.store.clock.now()).to.be.within(minutes(15) - 2000, minutes(15))
    w.db.store.clock.advance(minutes(14))
    expect(await bearerWorks(browser, session)).to.equal(true)
    w.db.store.clock.advance(minutes(2))
    expect(await why(browser, session)).to.equal('401 M_UNKNOWN_TOKEN over')
    const { synapse } = await stack()
    await synapse.kill()
    await sweepSessions(w.server.deps)
    const row = () => w.db.store.db('session_device').where({ device_id: session.deviceId }).first()
    expect((await row()).gone_at).to.equal(null)
    await synapse.start()
    await sweepSessions(w.server.deps)
    expect((await row()).gone_at).to.be.a('number')
    expect(await w.devices(maria.ghost)).to.deep.equal([])
    const [ended] = await w.db.store.db('session').where({ person_id: maria.person })
    expect(ended.end_reason).to.equal('idle')
  })

  it('asks again after an hour, keeps the draft savable meanwhile, and goes on with the same device', async () => {
    const maria = await w.patient()
    const { browser, session } = await w.signIn(maria)
    for (let i = 0; i < 5; i++) {
      w.db.store.clock.advance(minutes(12))
      await browser.post('/api/session/extend', {}, session.csrf)
    }
    const draft = `/_matrix/client/v3/user/${encodeURIComponent(maria.ghost)}/account_data/io.wardroom.draft`
    const blocked = await browser.call('GET', sync, { bearer: session.csrf })
    expect(blocked.status).to.equal(403)
    expect(await blocked.json()).to.include({ errcode: 'IO_WARDROOM_REAUTH' })
    const saved = await browser.call('PUT', draft, { bearer: session.csrf, body: { v: 1, iv: 'a', sealed: 'b' } })
    expect(saved.status).to.equal(200)
    const key = await browser.post('/api/session/key', { publicKey: {} }, session.csrf)
    expect(key.status).to.equal(403)
    const wrong = await browser.post('/api/session/reauth', { factor: 'birth_date', value: '1900-01-01' }, session.csrf)
    expect(await wrong.json()).to.deep.equal({ state: 'wrong', triesLeft: 2 })
    const right = await browser.post('/api/session/reauth', { factor: 'birth_date', value: maria.dob }, session.csrf)
    expect(await right.json()).to.include({ state: 'ok' })
    const after = (await (await browser.call('GET', sync, { bearer: session.csrf })).json()) as {
      account_data: { events: { type: string; content: unknown }[] }
    }
    expect(after.account_data.events.find(e => e.type === 'io.wardroom.draft')?.content).to.deep.equal({
      v: 1,
      iv: 'a',
      sealed: 'b',
    })
    expect(await w.devices(maria.ghost)).to.deep.equal([session.deviceId])
  })

  it('locks and ends when the hour’s question is answered wrong three times', async () => {
    const maria = await w.patient()
    await notice(w.db.store, maria)
    const { browser, session } = await w.signIn(maria)
    const guess = async () =>
      (await browser.post('/api/session/reauth', { factor: 'birth_date', value: '1900-01-01' }, session.csrf)).json()
    expect([await guess(), await guess(), await guess()]).to.deep.equal([
      { state: 'wrong', triesLeft: 2 },
      { state: 'wrong', triesLeft: 1 },
      { state: 'locked' },
    ])
    expect(await why(browser, session)).to.equal('401 M_UNKNOWN_TOKEN over')
    expect(await w.devices(maria.ghost)).to.deep.equal([])
    expect(await noticeStates(w.db.store, maria)).to.deep.equal(['failed'])
  })

  it('leaves one session and one device when many browsers and tabs come at once', async () => {
    const maria = await w.patient()
    const { browser, token } = await w.signIn(maria)
    const others = Array.from({ length: 4 }, () => w.signIn(maria).catch(() => undefined))
    const reloads = Array.from({ length: 4 }, () => resume(browser, token))
    await Promise.all([...others, ...reloads])
    const live = await w.db.store.db('session').where({ person_id: maria.person }).whereNull('ended_at')
    expect(live).to.have.lengthOf(1)
    w.db.store.clock.advance(minutes(1))
    await sweepSessions(w.server.deps)
    expect(await w.devices(maria.ghost)).to.deep.equal([live[0].device_id])
    const known = await w.db.store.db('session_device').where({ user_id: maria.ghost }).whereNull('gone_at')
    expect(known.map((d: { device_id: string }) => d.device_id)).to.deep.equal([live[0].device_id])
  })

  it('is not changed by any GET or HEAD of the browser that has it', async () => {
    const maria = await w.patient()
    const { browser, session, token } = await w.signIn(maria)
    const paths = [`/l/${token}`, '/check', '/api/clinic', '/api/session', '/api/session/key', '/api/session/end', sync]
    const before = unrecorded(await w.db.dump())
    for (const path of paths)
      for (const method of ['GET', 'HEAD'])
        for (let i = 0; i < 10; i++) await browser.call(method, path, { headers: { 'x-wardroom-link': token } })
    await browser.call('GET', '/api/session/consents', { bearer: session.csrf })
    expect(unrecorded(await w.db.dump())).to.equal(before)
    expect(await bearerWorks(browser, session)).to.equal(true)
  })

  it('shows the consents and changes them, recorded as given on the page', async () => {
    const maria = await w.patient()
    const { browser, session } = await w.signIn(maria)
    const list = async () =>
      (await (await browser.call('GET', '/api/session/consents', { bearer: session.csrf })).json()) as {
        scope: string
        agreed: boolean
        method: string | null
      }[]
    expect((await list()).every(c => !c.agreed)).to.equal(true)
    await browser.post('/api/session/consents', { scope: 'reminders', agreed: true }, session.csrf)
    expect((await list()).find(c => c.scope === 'reminders')).to.include({ agreed: true, method: 'page' })
    await browser.post('/api/session/consents', { scope: 'reminders', agreed: false }, session.csrf)
    expect((await list()).find(c => c.scope === 'reminders')).to.include({ agreed: false })
  })

  it('asks once for each message that it cannot open that it be sent again', async () => {
    const maria = await w.patient()
    const event = await notice(w.db.store, maria)
    const { browser, session } = await w.signIn(maria)
    for (let i = 0; i < 3; i++) await browser.post('/api/session/undecryptable', { eventId: event }, session.csrf)
    const jobs = await w.db.store.db('outbox').where({ kind: 'care.resend', patient_id: maria.patient })
    expect(jobs).to.have.lengthOf(1)
    expect(await noticeStates(w.db.store, maria)).to.deep.equal(['failed'])
  })
})
