import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { days, minutes } from '../../core/domain/clock.ts'
import type { UserId } from '../../core/domain/ids.ts'
import { isRefusal } from '../../core/domain/refusal.ts'
import { createHomeserver } from '../../core/matrix/homeserver.ts'
import { exitRun } from '../../core/records/exit.ts'
import { secret } from '../../core/secret.ts'
import { closePatient } from '../../core/store/patients/patient-access.ts'
import { addCaregiver } from '../../core/store/patients/patients.ts'
import { exitFate, exitOf } from '../../core/store/records/exit-facts.ts'
import { requestExit } from '../../core/store/records/exits.ts'
import { placeHold, releaseHold } from '../../core/store/records/holds.ts'
import { noteRecords } from '../../core/store/records/note.ts'
import { changePolicy } from '../../core/store/records/policies.ts'
import { transact } from '../../core/store/tx.ts'
import { database, type TestDatabase } from '../support/database.ts'
import { eventually } from '../support/eventually.ts'
import { deletionProcess } from '../support/processes/deletion-process.ts'
import { placed } from '../support/records/placed.ts'
import { verifiedQueue } from '../support/records/verified.ts'
import { testLog } from '../support/test-log.ts'
import { type AccountHomeserver, accountHomeserver } from '../support/worlds/account-homeserver.ts'
import { type Enrolled, enrolled, linkFor } from '../support/worlds/enrolled.ts'

const long = process.env.WARDROOM_LONG === '1'
const officers = { by: '@cora:h', approvedBy: '@carl:h' }

/** Row 53: what the homeserver and our tables still have that could decrypt goes with the record, once, and the log certifies it. */
describe('the keys to a record that is over', function () {
  this.timeout(120_000)
  let d: TestDatabase
  let hs: AccountHomeserver
  let home: string

  beforeEach(async () => {
    d = await database()
    hs = await accountHomeserver()
    home = await mkdtemp(join(tmpdir(), 'wardroom-exit-'))
  })
  afterEach(async () => {
    await rm(home, { recursive: true, force: true })
    await hs?.stop()
    await d?.drop()
  })

  const run = () => {
    const homeserver = createHomeserver({ url: hs.url, asToken: secret('as') })
    return exitRun({ store: d.store, homeserver, log: testLog() })
  }
  const db = () => d.store.db

  /** A patient with a caregiver, a link, a session and a text that waits sealed, whom the desk has closed. */
  const closed = async (): Promise<Enrolled & { ghosts: UserId[] }> => {
    const { store } = d
    const maria = await enrolled(store, d.keys)
    const given = { phone: '+12025559001', dob: '1980-01-01', name: 'Ana', by: '@ann:h' }
    const caregiver = await transact(store, tx => addCaregiver(tx, maria.patient, given))
    if (isRefusal(caregiver)) throw new Error(caregiver.sentence)
    const second = `${maria.ghost.replace(':', 'c:')}` as UserId
    await db()('person').where({ id: caregiver }).update({ ghost: second, k: 'sealed-of-the-caregiver' })
    await db()('patient')
      .where({ id: maria.patient })
      .update({ service_user: `@r_${maria.room.slice(1)}`, service_secret: 'sealed-of-the-owner' })
    const link = await linkFor(store, maria)
    const now = store.clock.now()
    await db()('session').insert({
      ...{
        id: `se_${maria.person}`,
        link_id: link.id,
        person_id: maria.person,
        patient_id: maria.patient,
        user_id: maria.ghost,
      },
      ...{
        cookie_hash: `cookie-${maria.person}`,
        csrf_hash: 'c',
        room_id: maria.room,
        started_at: now,
        seen_at: now,
        verified_at: now,
      },
      ...{ idle_ms: 1, reauth_ms: 1 },
    })
    await db()('session_device').insert({
      ...{ device_id: `D${maria.person}`, session_id: `se_${maria.person}`, user_id: maria.ghost, created_at: now },
    })
    await db()('renewal').insert({ person_id: maria.person, look_at: now, saved: Buffer.from('saved-device-keys') })
    await transact(store, tx => closePatient(tx, maria.patient, '@dora:h'))
    // What the bridge had to do is done.
    await db()('outbox').update({ state: 'done', done_at: now })
    for (const ghost of [maria.ghost, second]) hs.make(ghost)
    return { ...maria, ghosts: [maria.ghost, second] }
  }
  const keptDays = (n: number) =>
    transact(d.store, tx =>
      changePolicy(
        tx,
        { scope: { kind: 'class', class: 'care' }, minimum: false, value: { from: 'discharge', keepMs: days(n) } },
        officers,
      ),
    )
  const certificates = () => db()('audit_queue').where({ action: 'key.certificate' })

  /** Everything that opened something before: each is searched for. */
  const secretsOf = async (patient: string): Promise<string[]> => {
    const persons = await db()('person').where({ patient_id: patient })
    const links = await db()('link').where({ patient_id: patient })
    const { service_secret } = await db()('patient').where({ id: patient }).first()
    return (
      [
        ...persons.flatMap(p => [p.k, p.phone, p.phone_lookup, p.dob, p.name]),
        ...links.map(l => l.token_hash),
        service_secret,
        `cookie-`,
        Buffer.from('saved-device-keys').toString('hex'),
      ]
        .filter(s => s !== null && s !== '')
        // As a dump writes it.
        .map(s => JSON.stringify(s).slice(1, -1))
    )
  }
  const nothingDecrypts = async (
    patient: { patient: string; ghosts: readonly string[] },
    secrets: readonly string[],
  ) => {
    for (const ghost of patient.ghosts) {
      const account = hs.accounts.get(ghost)
      expect(account).to.deep.include({ waiting: null, backups: [], deactivated: true })
      expect([...(account?.devices ?? [])]).to.deep.equal([])
      expect([...(account?.data.values() ?? [])].filter(v => Object.keys(v as object).length > 0)).to.deep.equal([])
    }
    const dump = await d.dump()
    for (const text of secrets) expect(dump).not.to.include(text)
  }

  it('are destroyed when the window is over and no message is left, with a certificate that the log proves', async () => {
    const maria = await closed()
    await keptDays(30)
    const event = {
      ...{ event_id: '$one', room_id: maria.room, type: 'm.room.encrypted', sender: '@ann:h' },
      ...{ origin_server_ts: d.store.clock.now(), content: {} },
    }
    await transact(d.store, tx => noteRecords(tx, { events: [event], receipts: [] }))
    expect(await run(), 'before the window is over').to.equal(0)
    d.store.clock.advance(days(31))
    expect(await run(), 'a message is left').to.equal(0)
    await db()('record').update({ destroyed_at: d.store.clock.now() })
    const secrets = await secretsOf(maria.patient)
    const dump = await d.dump()
    expect(
      secrets.filter(s => !dump.includes(s)),
      'the search finds each while it is there',
    ).to.deep.equal([])
    expect(await run()).to.equal(1)
    await nothingDecrypts(maria, secrets)
    expect(await run(), 'once').to.equal(0)
    const [certificate, second] = await certificates()
    expect(second).to.equal(undefined)
    const policy = await db()('retention_policy').first('id')
    expect(certificate?.detail).to.deep.include({
      ...{ by_k: 2, by_waiting_device: 2, by_backup: 2, by_secret_storage: 2, by_account: 2, by_room_owner: 1 },
      ...{ by_links: 1, by_sessions: 1, by_identity: 2, count: 15 },
      ...{ rule: 'window', policy: policy.id, approved_by: '@carl:h' },
    })
    expect((await exitOf(db(), maria.patient))?.doneAt).to.be.a('number')
    expect(await db()('audit_queue').where({ action: 'audit.erase' })).to.have.lengthOf(1)
    expect(await db()('audit_erased')).to.have.lengthOf(1)
    expect(await verifiedQueue(db(), home, 'whole')).to.deep.equal({ all: 1, hold: 1, uncertified: 0, wrong: [] })
    const less = await verifiedQueue(db(), home, 'less', leaves => {
      const one = leaves.findIndex(l => l.includes('"key.destroy"'))
      return leaves.filter((_, i) => i !== one)
    })
    expect(less.wrong.join()).to.match(/certificate of run kd_\w+ counts 15 destroyed keys; the log has 14/)
  })

  it('stay, all of them, under a hold and before a minimum, also when two people ask', async () => {
    const maria = await closed()
    await keptDays(30)
    d.store.clock.advance(days(40))
    const before = JSON.stringify([...hs.accounts.values()])
    const persons = await db()('person').orderBy('id')
    const hold = await placed(d.store, { patient: maria.patient }, 'a claim')
    expect(await run()).to.equal(0)
    expect(await transact(d.store, tx => requestExit(tx, maria.patient, officers))).to.deep.include({ why: 'hold' })
    await transact(d.store, tx => releaseHold(tx, hold.id, officers))
    const value = { from: 'discharge' as const, keepMs: days(365) }
    const scope = { kind: 'organisation' as const }
    await transact(d.store, tx => changePolicy(tx, { scope, minimum: true, value }, officers))
    expect(await run()).to.equal(0)
    expect(await transact(d.store, tx => requestExit(tx, maria.patient, officers))).to.deep.include({ why: 'minimum' })
    expect(JSON.stringify([...hs.accounts.values()])).to.equal(before)
    expect(await db()('person').orderBy('id')).to.deep.equal(persons)
    expect(hs.calls(), 'the homeserver was not even asked').to.equal(0)
    expect(await db()('patient_exit')).to.deep.equal([])
    d.store.clock.advance(days(365))
    expect(await run(), 'after both').to.equal(1)
  })

  it('are not asked for twice, wait for a hold that comes after the request, and not for one that comes too late', async () => {
    const maria = await closed()
    expect(await transact(d.store, tx => requestExit(tx, maria.patient, officers))).to.equal(undefined)
    const hold = await placed(d.store, { room: maria.room }, 'a claim')
    expect(await run()).to.equal(0)
    expect((await exitFate(db(), maria.patient, d.store.clock.now()))?.decision).to.deep.include({ why: 'hold' })
    await transact(d.store, tx => releaseHold(tx, hold.id, officers))
    hs.breakAt(1)
    expect(await run(), 'the homeserver went away').to.equal(0)
    const late = await transact(d.store, tx => placeHold(tx, { room: maria.room }, { matter: 'late', by: '@cora:h' }))
    expect(isRefusal(late)).to.equal(false)
    expect(await run(), 'past the point of no return').to.equal(1)
    expect((await certificates())[0]?.detail).to.deep.include({
      ...{ rule: 'request', requested_by: '@cora:h', approved_by: '@carl:h' },
    })
  })

  it('are destroyed once and whole, wherever the work is broken off', async () => {
    const one = await closed()
    await transact(d.store, tx => requestExit(tx, one.patient, officers))
    const calls = hs.calls()
    await run()
    const needed = hs.calls() - calls
    expect(needed).to.be.greaterThan(20)
    let broken = 0
    for (let n = 1; n <= needed; n += long ? 1 : 7) {
      broken++
      const next = await closed()
      const secrets = await secretsOf(next.patient)
      await transact(d.store, tx => requestExit(tx, next.patient, officers))
      hs.breakAt(n)
      expect(await run(), `broken off at call ${n}`).to.equal(0)
      expect((await db()('person').where({ patient_id: next.patient }).pluck('k')).join(''), 'K goes first').to.equal(
        '',
      )
      expect(await run()).to.equal(1)
      await nothingDecrypts(next, secrets)
    }
    expect(await verifiedQueue(db(), home, 'all')).to.deep.equal({
      ...{ all: broken + 1, hold: broken + 1, uncertified: 0, wrong: [] },
    })
    const counts: number[] = (await certificates()).map(c => c.detail.count)
    expect(counts.every(c => c === 15)).to.equal(true)
  })

  it('are destroyed by the next process when one is killed', async () => {
    const kills = long ? [1, 3, 8, 12, 17, 25] : [12]
    for (const n of kills) {
      const next = await closed()
      const secrets = await secretsOf(next.patient)
      await transact(d.store, tx => requestExit(tx, next.patient, officers))
      const called = hs.call(n)
      const o = { url: d.url, keys: d.keys, homeserverUrl: hs.url, now: d.store.clock.now() }
      const child = deletionProcess(o)
      await called
      await child.kill()
      expect((await exitOf(db(), next.patient))?.doneAt, 'killed in the middle').to.equal(null)
      const again = deletionProcess(o)
      await eventually(async () => (await exitOf(db(), next.patient))?.doneAt !== null, {
        what: 'the certificate',
        timeout: minutes(0.5),
      })
      await again.kill()
      await nothingDecrypts(next, secrets)
    }
    expect(await verifiedQueue(db(), home, 'killed')).to.deep.equal({
      ...{ all: kills.length, hold: kills.length, uncertified: 0, wrong: [] },
    })
  })
})
