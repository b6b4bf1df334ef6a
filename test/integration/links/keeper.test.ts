import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { compactDecrypt, exportJWK, generateKeyPair, type JWK } from 'jose'
import { type KeeperClient, keeperClient } from '../../../appservice/keeper/client.ts'
import { type Keeper, startKeeper } from '../../../appservice/keeper/keeper.ts'
import { defaultLimits } from '../../../appservice/links/deps.ts'
import { verify } from '../../../appservice/links/verify.ts'
import { minutes } from '../../../core/domain/clock.ts'
import type { DeviceId } from '../../../core/domain/ids.ts'
import type { Settings } from '../../../core/domain/settings/settings.ts'
import { defaultSettings } from '../../../core/domain/settings/settings.ts'
import { generateKeys } from '../../../core/keys.ts'
import { secret } from '../../../core/secret.ts'
import { type Db, openDb } from '../../../core/store/db.ts'
import { keeperGrants, keyLimits, renewalLifeMs } from '../../../core/store/links/keeper.ts'
import { beginRenewal } from '../../../core/store/links/renewals.ts'
import { endSessionsOf } from '../../../core/store/links/sessions.ts'
import { transact } from '../../../core/store/tx.ts'
import { database, type TestDatabase } from '../../support/database.ts'
import { seededRandom } from '../../support/random.ts'
import { database as testPostgres } from '../../support/stack.ts'
import { testLog } from '../../support/test-log.ts'
import { type Enrolled, enrolled, linkFor } from '../../support/worlds/enrolled.ts'

const settings: Settings = defaultSettings()

describe('the keeper', () => {
  let db: TestDatabase
  let keeper: Keeper
  let client: KeeperClient
  let maria: Enrolled
  let folder: string
  /** As the keeper's own role. */
  let own: Db
  let browserKey: { publicKey: JWK; privateKey: CryptoKey }
  const log = testLog()
  const shared = secret(randomBytes(32).toString('base64url'))

  before(async function () {
    this.timeout(120_000)
    db = await database()
    folder = mkdtempSync(join(tmpdir(), 'wardroom-keeper-'))
    const keys = await generateKeys(seededRandom('keeper'))
    maria = await enrolled(db.store, keys.sealing)
    const postgres = await testPostgres()
    const restricted = postgres.keeperUrl(new URL(db.url).pathname.slice(1))
    await db.store.db.raw(keeperGrants('keeper'))
    own = openDb(restricted)
    keeper = await startKeeper({
      databaseUrl: restricted,
      releaseKey: keys.keeper,
      secret: shared,
      listen: { socket: join(folder, 'keeper.sock') },
      clock: db.store.clock,
      random: db.store.random,
      log,
    })
    client = keeperClient(keeper.address, shared)
    const pair = await generateKeyPair('ECDH-ES', { crv: 'P-256', extractable: true })
    browserKey = { publicKey: await exportJWK(pair.publicKey), privateKey: pair.privateKey }
  })
  after(async () => {
    await client?.stop()
    await keeper?.stop()
    await own?.destroy()
    await db?.drop()
    rmSync(folder, { recursive: true, force: true })
    expect(log.problems()).to.deep.equal([])
  })

  const session = async () => {
    const { token } = await linkFor(db.store, maria)
    const deps = { store: db.store, publicUrl: 'http://localhost', limits: defaultLimits }
    const begun = await verify(deps, settings, { token, factor: 'birth_date', value: maria.dob }, { ip: '::1' })
    if (begun.state !== 'session' || !begun.cookie) throw new Error(`no session but ${begun.state}`)
    return { id: begun.session.id, cookie: begun.cookie }
  }
  const ask = (sessionId: string, cookie: string) =>
    client.release({ sessionId, cookie, publicKey: browserKey.publicKey })
  const audited = async () =>
    (await db.store.db('audit_queue').where({ action: 'session.key' }).orderBy('id')).map(
      (r: { outcome: string; reason: string | null }) => `${r.outcome} ${r.reason ?? ''}`.trim(),
    )

  it('opens K for a renewal only when the bridge has written the attempt down, as its own role, and says so in the log', async () => {
    const bearer = randomBytes(32).toString('base64url')
    const asked = () => client.renew({ personId: maria.person, bearer }).catch((e: Error) => e.message)
    expect(await asked()).to.deep.equal({ refused: 'unknown' })
    const ghost = { personId: maria.person, patientId: maria.patient, ghost: maria.ghost, roomId: maria.room }
    const run = { deviceId: 'RENEWING' as DeviceId, replaces: null, saved: null }
    await transact(db.store, tx => beginRenewal(tx, ghost, run, bearer))
    // This keeper was given no way to the bridge: K was opened, and nothing could be done with it.
    expect(await asked()).to.match(/answered 500/)
    expect(log.problems()).to.deep.equal(['a renewal failed'])
    log.lines.length = 0
    db.store.clock.advance(renewalLifeMs + 1)
    expect(await asked()).to.deep.equal({ refused: 'unknown' })
    const rows = await db.store.db('audit_queue').where({ action: 'device.renew' }).select('outcome', 'patient')
    expect(rows).to.deep.equal([{ outcome: 'done', patient: maria.patient }])
    await db.store.db('renewal').delete()
  })

  it('hands K, wrapped to the browser, to a live session, and records it', async () => {
    const s = await session()
    const answer = await ask(s.id, s.cookie)
    const { plaintext, protectedHeader } = await compactDecrypt(
      'jwe' in answer ? answer.jwe : '',
      browserKey.privateKey,
    )
    expect(protectedHeader).to.include({ alg: 'ECDH-ES', enc: 'A256GCM' })
    expect(Buffer.from(plaintext).equals(Buffer.from(maria.k))).to.equal(true)
    expect((await audited()).at(-1)).to.equal('done')
  })

  it('refuses an unknown session and another browser’s cookie', async () => {
    const s = await session()
    expect(await ask('se_nobody', s.cookie)).to.deep.equal({ refused: 'unknown' })
    expect(await ask(s.id, 'x'.repeat(32))).to.deep.equal({ refused: 'unknown' })
  })

  it('refuses a session that has ended, been idle, or must prove again who it is', async () => {
    const ended = await session()
    await transact(db.store, tx => endSessionsOf(tx, maria.person, 'ended'))
    expect(await ask(ended.id, ended.cookie)).to.deep.equal({ refused: 'dead' })
    const idle = await session()
    db.store.clock.advance(minutes(15))
    expect(await ask(idle.id, idle.cookie)).to.deep.equal({ refused: 'dead' })
    const old = await session()
    db.store.clock.advance(minutes(60))
    await db.store.db('session').where({ id: old.id }).update({ seen_at: db.store.clock.now() })
    expect(await ask(old.id, old.cookie)).to.deep.equal({ refused: 'reauth' })
    expect((await audited()).slice(-3)).to.deep.equal(['refused dead', 'refused dead', 'refused reauth'])
  })

  it('refuses a person who was locked or has left meanwhile, and records that nothing was handed over', async () => {
    const s = await session()
    await db.store.db('person').where({ id: maria.person }).update({ locked_at: 1 })
    expect(await ask(s.id, s.cookie)).to.deep.equal({ refused: 'dead' })
    expect((await audited()).at(-1)).to.equal('refused dead')
    await db.store.db('person').where({ id: maria.person }).update({ locked_at: null })
  })

  it('stops at the rate of one session, and at that of all', async () => {
    db.store.clock.freeze()
    const s = await session()
    for (let i = 0; i < keyLimits.session.burst; i++) expect(await ask(s.id, s.cookie)).to.have.property('jwe')
    expect(await ask(s.id, s.cookie)).to.deep.equal({ refused: 'rate' })
    const fresh = await session()
    await db.store.db('rate_bucket').where({ name: 'key:all' }).update({ tokens: 0, at: db.store.clock.now() })
    expect(await ask(fresh.id, fresh.cookie)).to.deep.equal({ refused: 'rate' })
    await db.store.db('rate_bucket').delete()
  })

  it('answers nobody without the shared secret', async () => {
    const s = await session()
    const stranger = keeperClient(keeper.address, secret('guess'))
    const failure = await stranger
      .release({ sessionId: s.id, cookie: s.cookie, publicKey: browserKey.publicKey })
      .catch((e: Error) => e.message)
    expect(failure).to.equal('the keeper answered 401')
    await stranger.stop()
  })

  it('refuses a public key that is none', async () => {
    const s = await session()
    const answer = await client.release({ sessionId: s.id, cookie: s.cookie, publicKey: { kty: 'oct', k: 'AAAA' } })
    expect(answer).to.deep.equal({ refused: 'bad-request' })
  })

  it('releases nothing when the record cannot be written', async () => {
    const s = await session()
    await db.store.db.raw('alter table audit_queue rename to audit_queue_away')
    try {
      const failure = await ask(s.id, s.cookie).catch((e: Error) => e.message)
      expect(failure).to.equal('the keeper answered 500')
    } finally {
      await db.store.db.raw('alter table audit_queue_away rename to audit_queue')
    }
    expect(log.problems().splice(0)).to.deep.equal(['a key was not released'])
    log.lines.splice(0)
  })

  it('works with a database role that can read neither numbers, birth dates nor jobs, and change nothing', async () => {
    const refused = async (sql: string) => {
      const failure = await own.raw(sql).catch((e: { code: string }) => e.code)
      expect(failure, sql).to.equal('42501')
    }
    for (const sql of [
      'select phone from person',
      'select dob from person',
      'select * from person',
      'select * from outbox',
      'select * from patient',
      'select * from link',
      'select * from audit_queue',
      'delete from audit_queue',
      'update session set ended_at = null',
      'update person set locked_at = null',
    ])
      await refused(sql)
    expect(() => keeperGrants('x; drop table person')).to.throw()
  })
})
