import { expect } from 'chai'
import { defaultLimits, type LinkDeps } from '../../../appservice/links/deps.ts'
import { reportNotMe, requestCode, requestNewLink, requestStop } from '../../../appservice/links/requests.ts'
import { tap } from '../../../appservice/links/tap.ts'
import { verify } from '../../../appservice/links/verify.ts'
import { hours, minutes } from '../../../core/domain/clock.ts'
import { type Factor, maxTries } from '../../../core/domain/factor.ts'
import { defaultSettings, type Settings } from '../../../core/domain/settings/settings.ts'
import { redactText } from '../../../core/log.ts'
import { hashPin } from '../../../core/pin.ts'
import { createLink, tokenHash, withdrawLinks } from '../../../core/store/links/links.ts'
import { takeToken } from '../../../core/store/links/rate-limits.ts'
import { changeNumber } from '../../../core/store/patients/patient-access.ts'
import { personById, phoneLookup, unlockPerson } from '../../../core/store/patients/patients.ts'
import { queueText } from '../../../core/store/texts/texts.ts'
import { transact } from '../../../core/store/tx.ts'
import { database, type TestDatabase } from '../../support/database.ts'
import { type Enrolled, enrolled, linkFor, notice, noticeStates } from '../../support/worlds/enrolled.ts'

const base = defaultSettings()
const withFactors = (...list: Factor[]): Settings => ({ ...base, 'link.factors': list })
const browser = (binding?: string) => ({ ip: '203.0.113.9', agent: 'test', ...(binding ? { binding } : {}) })

describe('secure links', () => {
  let db: TestDatabase
  let deps: LinkDeps
  let maria: Enrolled

  before(async function () {
    this.timeout(120_000)
    db = await database()
    deps = { store: db.store, publicUrl: 'http://localhost:8080', limits: defaultLimits }
  })
  beforeEach(async () => {
    maria = await enrolled(db.store, db.keys)
  })
  after(() => db?.drop())

  const birthDate = (token: string, value: string, settings = base) =>
    verify(deps, settings, { token, factor: 'birth_date', value }, browser())
  const jobs = async (kind: string): Promise<Record<string, unknown>[]> => {
    const rows: { payload: string }[] = await db.store
      .db('outbox')
      .where({ kind, patient_id: maria.patient })
      .orderBy('created_at')
    return Promise.all(rows.map(async r => JSON.parse(await db.store.seal.open('outbox.payload', r.payload))))
  }
  const audits = async (action: string): Promise<string[]> =>
    (await db.store.db('audit_queue').where({ action, patient: maria.patient }).orderBy('id')).map(
      (r: { outcome: string; reason: string | null }) => `${r.outcome}${r.reason ? ` ${r.reason}` : ''}`,
    )

  it('keep 128 bits out of the database: only the hash is there (row 55)', async () => {
    const { token, url } = await linkFor(db.store, maria)
    expect(token).to.match(/^[1-9A-HJ-NP-Za-km-z]{22}$/)
    expect(url).to.equal(`http://localhost:8080/l/${token}`)
    const dump = await db.dump()
    expect(dump).to.include(tokenHash(token))
    expect(dump).to.not.include(token)
    expect(redactText(url)).to.not.include(token)
  })

  it('start nothing at a tap, tell the loop that it was opened, and ask for the birth date', async () => {
    await notice(db.store, maria)
    const { token, expiresAt } = await linkFor(db.store, maria)
    const asked = await tap(deps, base, token, browser())
    expect(asked).to.deep.include({ state: 'factors', factors: ['birth_date'], triesLeft: 3, expiresAt, lang: 'en' })
    expect(await noticeStates(db.store, maria)).to.deep.equal(['opened'])
    expect(await db.store.db('session').where({ person_id: maria.person })).to.deep.equal([])
  })

  it('open with the right birth date and close the loop as verified', async () => {
    await notice(db.store, maria)
    const { token } = await linkFor(db.store, maria)
    expect(await birthDate(token, maria.dob)).to.include({ state: 'session' })
    expect(await noticeStates(db.store, maria)).to.deep.equal(['verified'])
    expect(await audits('session.start')).to.deep.equal(['done'])
  })

  it('answer alike for unknown, used, expired and withdrawn', async () => {
    const used = await linkFor(db.store, maria)
    await db.store.db('link').where({ id: used.id }).update({ used_at: 1 })
    const expired = await linkFor(db.store, maria)
    await db.store.db('link').where({ id: expired.id }).update({ expires_at: 1 })
    const withdrawn = await linkFor(db.store, maria)
    await db.store.db('link').where({ id: withdrawn.id }).update({ withdrawn_at: 1 })
    for (const token of ['1111111111111111111111', used.token, expired.token, withdrawn.token]) {
      expect(await tap(deps, base, token, browser())).to.deep.equal({ state: 'closed' })
      expect(await birthDate(token, maria.dob)).to.deep.equal({ state: 'closed' })
    }
    expect(await audits('link.tap')).to.deep.equal(['refused used', 'refused expired', 'refused withdrawn'])
  })

  it('lock after three wrong birth dates over all links, tell the team, and open again when staff unlock', async () => {
    await notice(db.store, maria)
    const first = await linkFor(db.store, maria)
    const second = await linkFor(db.store, maria)
    await tap(deps, base, first.token, browser())
    expect(await birthDate(first.token, '1953-04-08')).to.deep.equal({ state: 'wrong', triesLeft: 2 })
    expect(await birthDate(second.token, '1953-04-07')).to.deep.equal({ state: 'wrong', triesLeft: 1 })
    expect(await birthDate(second.token, '1953-04-06')).to.deep.equal({ state: 'locked' })
    expect(await birthDate(first.token, maria.dob), 'the right one comes too late').to.deep.equal({ state: 'locked' })
    expect(await tap(deps, base, first.token, browser())).to.deep.equal({ state: 'locked' })
    expect(await noticeStates(db.store, maria)).to.deep.equal(['failed'])
    expect(await jobs('care.failed')).to.have.lengthOf(1)
    expect(await audits('link.lock')).to.deep.equal(['done'])
    await transact(db.store, tx => unlockPerson(tx, maria.person, '@ann:clinic.example'))
    expect(await birthDate(first.token, maria.dob)).to.include({ state: 'session' })
  })

  it('tell the team of a lock also when no message waits', async () => {
    const { token } = await linkFor(db.store, maria)
    for (let i = 0; i < maxTries; i++) await birthDate(token, '1900-01-01')
    expect(await jobs('care.tell')).to.deep.equal([{ patientId: maria.patient, what: 'locked' }])
    expect(await jobs('sms.send'), 'the telephone’s owner learns of it').to.have.lengthOf(1)
  })

  it('count parallel guesses one by one', async () => {
    const { token } = await linkFor(db.store, maria)
    const answers = await Promise.all(Array.from({ length: 8 }, (_, i) => birthDate(token, `1953-05-0${i + 1}`)))
    expect(answers.filter(a => a.state === 'wrong')).to.have.lengthOf(2)
    expect(answers.filter(a => a.state === 'locked')).to.have.lengthOf(6)
  })

  it('give the newest browser the session: another one authenticates anew and ends the former (row 57)', async () => {
    const { token } = await linkFor(db.store, maria)
    const phone = await birthDate(token, maria.dob)
    const tablet = await birthDate(token, maria.dob)
    if (phone.state !== 'session' || tablet.state !== 'session') throw new Error('no session')
    expect(tablet.replaced).to.deep.equal([phone.session.id])
    const rows = await db.store.db('session').where({ person_id: maria.person }).orderBy('started_at')
    expect(rows.map((r: { end_reason: string | null }) => r.end_reason)).to.deep.equal(['replaced', null])
    expect(await audits('session.replace')).to.deep.equal(['done replaced'])
  })

  it('let the same browser in again without a question only while its session lives', async () => {
    const { token } = await linkFor(db.store, maria)
    const begun = await birthDate(token, maria.dob)
    if (begun.state !== 'session') throw new Error('no session')
    const same = { ...browser(begun.binding), cookie: begun.cookie }
    const again = await tap(deps, base, token, same)
    expect(again).to.include({ state: 'session' })
    expect(again.state === 'session' && again.csrf).to.not.equal(begun.csrf)
    expect(await tap(deps, base, token, browser(begun.binding)), 'the binding alone opens nothing').to.include({
      state: 'factors',
    })
    db.store.clock.advance(minutes(15))
    expect(await tap(deps, base, token, same)).to.include({ state: 'factors' })
  })

  it('ask for the texted code after the birth date, and only in the browser that gave it', async () => {
    const policy = withFactors('birth_date', 'sms_code')
    const { token } = await linkFor(db.store, maria)
    const passed = await birthDate(token, maria.dob, policy)
    if (passed.state !== 'factors') throw new Error(passed.state)
    expect(passed.factors).to.deep.equal(['sms_code'])
    await requestCode(deps, policy, token, browser('another-browser-of-somebody'))
    expect(await jobs('sms.send'), 'no code for a browser that has proved nothing').to.have.lengthOf(0)
    await requestCode(deps, policy, token, browser(passed.binding))
    const [sms] = (await jobs('sms.send')) as { vars: { code: string } }[]
    const code = sms?.vars.code ?? ''
    expect(code).to.match(/^\d{6}$/)
    expect(await db.dump()).to.not.include(code)
    const wrong = code === '000000' ? '000001' : '000000'
    const give = (value: string, binding: string) =>
      verify(deps, policy, { token, factor: 'sms_code', value }, browser(binding))
    expect(await give(wrong, passed.binding)).to.deep.equal({ state: 'wrong', triesLeft: 4 })
    expect(await give(code, 'another-browser-of-somebody')).to.deep.include({
      state: 'factors',
      factors: ['birth_date', 'sms_code'],
    })
    expect(await give(code, passed.binding)).to.include({ state: 'session' })
  })

  it('void a code after ten minutes', async () => {
    const policy = withFactors('birth_date', 'sms_code')
    const { token } = await linkFor(db.store, maria)
    const passed = await birthDate(token, maria.dob, policy)
    if (passed.state !== 'factors') throw new Error(passed.state)
    await requestCode(deps, policy, token, browser(passed.binding))
    const [sms] = (await jobs('sms.send')) as { vars: { code: string } }[]
    db.store.clock.advance(minutes(10))
    const late = await verify(
      deps,
      policy,
      { token, factor: 'sms_code', value: sms?.vars.code ?? '' },
      browser(passed.binding),
    )
    expect(late).to.deep.equal({ state: 'wrong', triesLeft: 0 })
  })

  it('ask for a PIN where the desk has set one', async () => {
    const policy = withFactors('birth_date', 'pin')
    await db.store
      .db('person')
      .where({ id: maria.person })
      .update({ pin: await hashPin('4711', db.store.random) })
    const { token } = await linkFor(db.store, maria)
    const passed = await birthDate(token, maria.dob, policy)
    if (passed.state !== 'factors') throw new Error(passed.state)
    const pin = (value: string) => verify(deps, policy, { token, factor: 'pin', value }, browser(passed.binding))
    expect(await pin('4712')).to.deep.equal({ state: 'wrong', triesLeft: 2 })
    expect(await pin('4711')).to.include({ state: 'session' })
  })

  it('text a new link only to the number on file, three times, then no more, also after a restart', async () => {
    const { token, id } = await linkFor(db.store, maria)
    await db.store.db('link').where({ id }).update({ expires_at: 1 })
    for (let i = 0; i < 5; i++) await requestNewLink(deps, base, token, browser())
    const sent = (await jobs('sms.send')) as { phone: string; link: { url: string } }[]
    expect(sent).to.have.lengthOf(3)
    expect(await audits('link.renew')).to.deep.equal(['done', 'done', 'done', 'refused rate', 'refused rate'])
    const fresh = sent[0]?.link.url.split('/l/')[1] ?? ''
    expect(await tap(deps, base, fresh, browser())).to.include({ state: 'factors' })
    await requestNewLink({ ...deps, store: db.another() }, base, token, browser())
    expect(await jobs('sms.send')).to.have.lengthOf(3)
  })

  it('close at "this isn’t me", tell the team, and text this number no new link', async () => {
    await notice(db.store, maria)
    const { token } = await linkFor(db.store, maria)
    await reportNotMe(deps, token, browser())
    await reportNotMe(deps, token, browser())
    expect(await tap(deps, base, token, browser())).to.deep.equal({ state: 'closed' })
    expect(await noticeStates(db.store, maria)).to.deep.equal(['failed'])
    expect(await jobs('care.tell')).to.deep.equal([{ patientId: maria.patient, what: 'not_me' }])
    await requestNewLink(deps, base, token, browser())
    expect(await jobs('sms.send')).to.have.lengthOf(0)
  })

  it('stop texts at "stop", as an answer of STOP does', async () => {
    const { token } = await linkFor(db.store, maria)
    await requestStop(deps, token, browser())
    await requestNewLink(deps, base, token, browser())
    expect(await jobs('sms.send')).to.have.lengthOf(0)
    expect(await audits('link.renew')).to.deep.equal(['refused stopped'])
  })

  it('stop the number that got the link, not the one that the patient has now', async () => {
    const { store } = db
    const old = await transact(store, async tx => {
      const link = await createLink(tx, {
        ...{ person: maria.person, patient: maria.patient, reason: 'message' },
        ...{ publicUrl: deps.publicUrl, lifeMs: hours(72) },
      })
      await queueText(tx, { person: maria.person, template: 'new-link', lang: 'en', vars: {}, link, class: 'system' })
      return link
    })
    const unsent = await linkFor(store, maria)
    const before = await transact(store, tx => personById(tx.sql, maria.person))
    await transact(store, tx => changeNumber(tx, maria.person, '+12025559876', '@ann:clinic.example'))
    for (const { token } of [old, unsent]) await requestStop(deps, token, browser())
    const stopped = await store
      .db('stopped_number')
      .whereIn('phone_lookup', [before?.phoneLookup ?? '', phoneLookup(store.seal, '+12025559876')])
    expect(stopped.map(r => r.phone_lookup)).to.deep.equal([before?.phoneLookup])
    expect(await audits('number.stop')).to.include('refused withdrawn')
  })

  it('do nothing at all for a token that nobody has', async () => {
    const before = await db.store.db('outbox').count()
    for (const wish of [requestNewLink, requestCode]) await wish(deps, base, '1111111111111111111111', browser())
    await reportNotMe(deps, '1111111111111111111111', browser())
    await requestStop(deps, '1111111111111111111111', browser())
    expect(await db.store.db('outbox').count()).to.deep.equal(before)
  })

  it('withdraw every link of a person at once', async () => {
    const links = [await linkFor(db.store, maria), await linkFor(db.store, maria)]
    expect(await transact(db.store, tx => withdrawLinks(tx, maria.person))).to.equal(2)
    for (const { token } of links) expect(await tap(deps, base, token, browser())).to.deep.equal({ state: 'closed' })
  })

  it('fill a rate bucket with time, up to its burst, and never below nothing in parallel', async () => {
    db.store.clock.freeze()
    const limit = { burst: 3, everyMs: hours(1) }
    const take = () => takeToken(db.store.db, 'test', limit, db.store.clock.now())
    const taken = await Promise.all(Array.from({ length: 10 }, take))
    expect(taken.filter(Boolean)).to.have.lengthOf(3)
    db.store.clock.advance(hours(1))
    expect([await take(), await take()]).to.deep.equal([true, false])
    db.store.clock.advance(hours(100))
    expect([await take(), await take(), await take(), await take()]).to.deep.equal([true, true, true, false])
  })
})
