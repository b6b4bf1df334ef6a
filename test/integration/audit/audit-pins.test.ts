import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import type { AuditDeps } from '../../../audit/deps.ts'
import { watchPins } from '../../../audit/pins/monitor.ts'
import { type Conflicts, pinWhereDue } from '../../../audit/pins/places.ts'
import { openWitnessState } from '../../../audit/witness/folder.ts'
import { startWitness } from '../../../audit/witness/server.ts'
import { minutes, seconds } from '../../../core/domain/clock.ts'
import { isRefusal } from '../../../core/domain/refusal.ts'
import type { Listener } from '../../../core/http/listen.ts'
import { createLog } from '../../../core/log.ts'
import { createHomeserver } from '../../../core/matrix/homeserver.ts'
import { createMetrics } from '../../../core/metrics.ts'
import { secret } from '../../../core/secret.ts'
import { listAlerts } from '../../../core/store/alerts/alerts.ts'
import { latestCheckpoint } from '../../../core/store/audit/log/checkpoints.ts'
import { newestCosigned } from '../../../core/store/audit/log/cosigned.ts'
import { tileReader } from '../../../core/store/audit/log/tiles.ts'
import { notePeer, peers } from '../../../core/store/pins/peers.ts'
import { noteUnreached } from '../../../core/store/pins/pins.ts'
import { changeSetting } from '../../../core/store/staff/settings.ts'
import { transact } from '../../../core/store/tx.ts'
import { systemRandom } from '../../../core/system.ts'
import { generateSigningKey } from '../../../core/tlog/key.ts'
import { openNote } from '../../../core/tlog/note.ts'
import { consistencyProof } from '../../../core/tlog/proof.ts'
import { audited, type TestAuditLog, testAuditLog, testOrigin } from '../../support/audit-log.ts'
import { backup } from '../../support/backup.ts'
import { database, type TestDatabase } from '../../support/database.ts'

/** What the parts of the audit process get, on a test's database. */
const depsOn = async (d: TestDatabase, log: TestAuditLog, pinFolder: string): Promise<AuditDeps> => ({
  store: d.store,
  homeserver: createHomeserver({ url: 'http://127.0.0.1:9', asToken: secret('none') }),
  serverName: 'test.example',
  publicUrl: 'https://chat.test.example',
  adminUrl: 'https://admin.test.example',
  listen: { admin: { host: '127.0.0.1', port: 0 } },
  dataDir: pinFolder,
  pinFolder,
  sinkFolder: pinFolder,
  origin: testOrigin,
  vkeys: () => [log.key.verifier.vkey],
  log: createLog('test', 'fatal'),
  metrics: createMetrics(),
  alert: () => undefined,
  onSequenced: () => () => undefined,
})

const grow = async (d: TestDatabase, log: TestAuditLog, n: number) => {
  for (let i = 0; i < n; i++) await audited(d.store)
  await log.sequence()
}

describe('pinned checkpoints', function () {
  this.timeout(120_000)
  let d: TestDatabase
  let log: TestAuditLog
  let folder: string
  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'wardroom-pins-'))
    d = await database()
    log = testAuditLog(d.store)
  })
  afterEach(async () => {
    await d.drop()
    rmSync(folder, { recursive: true, force: true })
  })
  const raised = async (of = d) =>
    (await listAlerts(of.store.db)).filter(a => a.clearedAt === null).map(a => `${a.rule} ${a.key}`)

  it('are written once to the folder, when the log has grown by more than the pinning', async () => {
    const deps = await depsOn(d, log, folder)
    await grow(d, log, 5)
    await pinWhereDue(deps, new Map())
    expect(readdirSync(folder)).to.deep.equal(['checkpoint-000000000005'])
    expect(readFileSync(join(folder, 'checkpoint-000000000005'), 'utf8')).to.equal(
      (await latestCheckpoint(d.store.db))?.note,
    )
    await log.sequence()
    d.store.clock.advance(minutes(11))
    await pinWhereDue(deps, new Map())
    expect(readdirSync(folder)).to.have.lengthOf(1)
    await grow(d, log, 1)
    await pinWhereDue(deps, new Map())
    expect(readdirSync(folder)).to.have.lengthOf(2)
    await watchPins(deps, new Map())
    expect(await raised()).to.deep.equal([])
    expect(await d.store.db('audit_queue').where({ action: 'checkpoint.pin' })).to.have.lengthOf(1)
  })

  it('are posted again when there was no room for them, although the log has not grown', async () => {
    const deps = await depsOn(d, log, folder)
    await grow(d, log, 5)
    const waiting = () => d.store.db('outbox').where({ kind: 'pins.post', state: 'pending' })
    for (const turn of ['first', 'second']) {
      await pinWhereDue(deps, new Map())
      await pinWhereDue(deps, new Map())
      expect(await waiting(), `${turn} turn`).to.have.lengthOf(1)
      // As the bot does that is in no such room.
      await waiting().update({ state: 'done' })
      await transact(d.store, tx => noteUnreached(tx, 'room', 'the bot is in no such room'))
      d.store.clock.advance(seconds(15))
    }
  })

  it('show that an older database was put in place', async () => {
    await grow(d, log, 5)
    await pinWhereDue(await depsOn(d, log, folder), new Map())
    const { key } = log
    const restore = await backup(d)
    await grow(d, log, 20)
    d.store.clock.advance(minutes(11))
    await pinWhereDue(await depsOn(d, log, folder), new Map())
    const old = await restore()
    const deps = await depsOn(old, testAuditLog(old.store, key), folder)
    await watchPins(deps, new Map())
    expect(await raised(old)).to.deep.equal(['rollback folder'])
    const [alert] = await listAlerts(old.store.db)
    expect(alert).to.deep.include({ severity: 'critical' })
    // The old one grows on: then it is another history.
    await grow(old, testAuditLog(old.store, key), 60)
    await watchPins(deps, new Map())
    expect(await raised(old)).to.deep.equal(['fork folder'])
    await old.drop()
  })

  it('show that history was rewritten, also with the log’s own key', async () => {
    await grow(d, log, 5)
    await pinWhereDue(await depsOn(d, log, folder), new Map())
    const other = await database()
    const forged = testAuditLog(other.store, log.key)
    await grow(other, forged, 9)
    const deps = await depsOn(other, forged, folder)
    await watchPins(deps, new Map())
    expect(await raised(other)).to.deep.equal(['fork folder'])
    await other.drop()
    // What somebody else signed counts for nothing.
    const stranger = await database()
    const strange = testAuditLog(stranger.store)
    await grow(stranger, strange, 3)
    await watchPins(await depsOn(stranger, strange, folder), new Map())
    expect(await raised(stranger)).to.deep.equal([])
    await stranger.drop()
  })

  it('say when the folder cannot be written for long, and when it can again', async () => {
    const deps = await depsOn(d, log, folder)
    const broken = { ...deps, pinFolder: join(folder, 'a-file', 'under-it') }
    writeFileSync(join(folder, 'a-file'), '')
    const conflicts: Conflicts = new Map()
    await grow(d, log, 2)
    await pinWhereDue(broken, conflicts)
    await watchPins(deps, conflicts)
    expect(await raised()).to.deep.equal([])
    d.store.clock.advance(minutes(61))
    await pinWhereDue(broken, conflicts)
    await watchPins(deps, conflicts)
    expect(await raised()).to.deep.equal(['pin-behind folder'])
    await pinWhereDue(deps, conflicts)
    await watchPins(deps, conflicts)
    expect(await raised()).to.deep.equal([])
  })

  describe('at a witness', () => {
    let home: string
    let witness: Listener | undefined
    const key = generateSigningKey('witness.example/w1', 'cosignature', systemRandom)
    const run = async (port = 0) => {
      const { clock } = d.store
      const state = openWitnessState(home)
      const trusted = () => [log.key.verifier]
      witness = await startWitness({ key, trusted, state, clock, log: createLog('witness', 'fatal'), port })
      return Number(new URL(witness.url).port)
    }
    const use = (port: number) =>
      transact(d.store, tx =>
        changeSetting(tx, {
          key: 'audit.witnesses',
          value: [`http://127.0.0.1:${port} ${key.verifier.vkey}`],
          by: 'test',
        }),
      )
    beforeEach(() => {
      home = mkdtempSync(join(tmpdir(), 'wardroom-witness-'))
    })
    afterEach(async () => {
      await witness?.stop()
      rmSync(home, { recursive: true, force: true })
    })
    const cosigned = (of = d) => of.store.db('audit_cosignature').orderBy('size').pluck('size')

    it('are cosigned, and after hours without it again, with one proof over what it missed', async () => {
      const port = await run()
      await use(port)
      const deps = await depsOn(d, log, folder)
      const conflicts: Conflicts = new Map()
      await grow(d, log, 5)
      await pinWhereDue(deps, conflicts)
      expect(await cosigned()).to.deep.equal([6])
      const note = await newestCosigned(d.store.db, 100)
      const opened = openNote(note ?? '', [log.key.verifier, key.verifier])
      expect(!isRefusal(opened) && opened.signedBy.length).to.equal(2)
      await witness?.stop()
      for (let hour = 0; hour < 5; hour++) {
        d.store.clock.advance(minutes(60))
        await grow(d, log, 300)
        await pinWhereDue(deps, conflicts)
        await watchPins(deps, conflicts)
      }
      expect(await cosigned()).to.deep.equal([6])
      expect(await raised()).to.deep.equal(['pin-behind witness witness.example/w1'])
      await run(port)
      await pinWhereDue(deps, conflicts)
      await watchPins(deps, conflicts)
      expect((await cosigned()).at(-1)).to.equal((await latestCheckpoint(d.store.db))?.size)
      expect(await raised()).to.deep.equal([])
    })

    it('are refused when they do not continue what it cosigned, which raises an alert', async () => {
      const port = await run()
      await use(port)
      await grow(d, log, 30)
      await pinWhereDue(await depsOn(d, log, folder), new Map())
      const first = d
      const elsewhere = mkdtempSync(join(tmpdir(), 'wardroom-pins-'))
      const lie = async (n: number) => {
        d = await database()
        await use(port)
        const forged = testAuditLog(d.store, log.key)
        const deps = await depsOn(d, forged, elsewhere)
        const conflicts: Conflicts = new Map()
        await grow(d, forged, n)
        await pinWhereDue(deps, conflicts)
        await watchPins(deps, conflicts)
        const found = await raised()
        expect(await cosigned()).to.deep.equal([])
        expect(await d.store.db('audit_queue').where({ action: 'checkpoint.conflict' })).to.have.lengthOf(1)
        await d.drop()
        rmSync(elsewhere, { recursive: true, force: true })
        return found
      }
      expect(await lie(10), 'shorter').to.deep.equal(['rollback witness witness.example/w1'])
      expect(await lie(30), 'as long').to.deep.equal(['fork witness witness.example/w1'])
      expect(await lie(60), 'longer').to.deep.equal(['fork witness witness.example/w1'])
      d = first
    })
  })

  describe('of other hospitals', () => {
    let theirs: TestDatabase
    let their: TestAuditLog
    const ours = 'hospital.example/audit'
    const sender = '@wardroom:test.example'
    beforeEach(async () => {
      theirs = await database()
      their = testAuditLog(theirs.store)
    })
    afterEach(() => theirs.drop())
    const post = async (from: TestDatabase, of: TestAuditLog, old: number) => {
      const c = await latestCheckpoint(from.store.db)
      if (!c) throw new Error('no checkpoint')
      const proof = await consistencyProof(tileReader(from.store.db), Math.min(old, c.size), c.size)
      return { note: c.note, vkey: of.key.verifier.vkey, old, proof }
    }
    const hear = (pin: Awaited<ReturnType<typeof post>>, by = sender) =>
      transact(d.store, tx =>
        notePeer(tx, { pin, sender: by, at: d.store.clock.now(), ownOrigin: ours, room: '!pins:x' }),
      )

    it('are kept, each proven to continue the one before', async () => {
      await grow(theirs, their, 3)
      expect(await hear(await post(theirs, their, 0))).to.equal('kept')
      await grow(theirs, their, 4)
      expect(await hear(await post(theirs, their, 3))).to.equal('kept')
      const rows = await d.store.db('peer_checkpoint').orderBy('size').select('size', 'proven')
      expect(rows).to.deep.equal([
        { size: 3, proven: false },
        { size: 7, proven: true },
      ])
      const [known] = await transact(d.store, peers)
      expect(known).to.deep.include({ origin: testOrigin, size: 7, sender })
    })

    it('raise an alert when they are shorter, of another history, or of another key', async () => {
      await grow(theirs, their, 3)
      await hear(await post(theirs, their, 0))
      const restore = await backup(theirs)
      await grow(theirs, their, 5)
      expect(await hear(await post(theirs, their, 3))).to.equal('kept')
      const old = await restore()
      const rolled = testAuditLog(old.store, their.key)
      d.store.clock.advance(minutes(60))
      await grow(old, rolled, 1)
      expect(await hear(await post(old, rolled, 3))).to.equal('conflict')
      await grow(old, rolled, 9)
      expect(await hear(await post(old, rolled, 8))).to.equal('conflict')
      const fake = await database()
      const faked = testAuditLog(fake.store)
      await grow(fake, faked, 40)
      expect(await hear(await post(fake, faked, 0))).to.equal('conflict')
      expect(await hear(await post(fake, faked, 0), '@somebody:else.example')).to.equal('ignored')
      expect((await raised()).map(r => r.replace(testOrigin, '·')).sort()).to.deep.equal([
        'peer-conflict · another history',
        'peer-conflict · another key',
        'peer-conflict · shorter than before',
      ])
      expect((await transact(d.store, peers))[0]).to.deep.include({ size: 8 })
      await old.drop()
      await fake.drop()
    })
  })
})
