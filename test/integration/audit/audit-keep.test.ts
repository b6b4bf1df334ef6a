import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { type Sequencer, startSequencer } from '../../../audit/sequencer.ts'
import type { Alert } from '../../../core/alerts.ts'
import { days } from '../../../core/domain/clock.ts'
import { isRefusal } from '../../../core/domain/refusal.ts'
import { makeLogKeyFile, readLogKeys, watchLogKeys } from '../../../core/log-keys.ts'
import { checkLog } from '../../../core/store/audit/log/check.ts'
import { checkOnward } from '../../../core/store/audit/log/check-onward.ts'
import { latestCheckpoint } from '../../../core/store/audit/log/checkpoints.ts'
import { firstIndex, logSize, readEntries, readLeaves } from '../../../core/store/audit/log/entries.ts'
import { logKeys, verifiersOf } from '../../../core/store/audit/log/keys.ts'
import { pruneLog } from '../../../core/store/audit/log/prune.ts'
import { rotateAuditKey } from '../../../core/store/audit/log/rotate.ts'
import { tileReader } from '../../../core/store/audit/log/tiles.ts'
import { refOf, resolveRefs } from '../../../core/store/audit/subjects.ts'
import { systemRandom } from '../../../core/system.ts'
import { leafHash } from '../../../core/tlog/hash.ts'
import { openNote } from '../../../core/tlog/note.ts'
import { consistencyProof, inclusionProof } from '../../../core/tlog/proof.ts'
import { verifyConsistency, verifyInclusion } from '../../../core/tlog/verify-proof.ts'
import { audited, testAuditLog, testOrigin } from '../../support/audit-log.ts'
import { database, type TestDatabase } from '../../support/database.ts'
import { eventually } from '../../support/eventually.ts'
import { testLog } from '../../support/test-log.ts'

describe('keeping the audit log', function () {
  this.timeout(120_000)
  let d: TestDatabase
  const alerts: Alert[] = []
  const endings: (() => Promise<unknown> | unknown)[] = []
  beforeEach(async () => {
    d = await database()
    endings.push(d.drop)
    alerts.length = 0
  })
  afterEach(async () => {
    for (const end of endings.splice(0).reverse()) await end()
  })

  const sequencer = async (keys: Parameters<typeof startSequencer>[0]['keys']): Promise<Sequencer> => {
    const running = await startSequencer({
      store: d.another(),
      keys,
      origin: testOrigin,
      holder: 'test',
      log: testLog(),
      alert: a => alerts.push(a),
      onLost: reason => {
        throw new Error(reason)
      },
      pollMs: 5,
    })
    endings.push(running.stop)
    return running
  }

  it('hands over to a new key with a checkpoint that both keys sign, while it runs', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'wardroom-log-key-'))
    endings.push(() => rmSync(folder, { recursive: true }))
    const file = join(folder, 'audit.json')
    makeLogKeyFile(file, testOrigin, systemRandom)
    const first = readLogKeys(file, testOrigin)[0].verifier
    const running = await sequencer(watchLogKeys(file, testOrigin))
    const rotate = () => rotateAuditKey(d.store, { file, origin: testOrigin, by: 'operator' })
    expect(await rotate()).to.include({ code: 'handover-pending' })
    await audited(d.store)
    await running.idle()
    await eventually(async () => (await logKeys(d.store.db)).length === 1)
    const rotated = await rotate()
    if (isRefusal(rotated)) throw new Error(rotated.sentence)
    expect(await rotate()).to.include({ code: 'handover-pending' })
    await eventually(async () => (await logKeys(d.store.db)).length === 2)
    await audited(d.store)
    await eventually(async () => (await logSize(d.store.db)) === 3)

    const [older, newer] = await logKeys(d.store.db)
    expect([older?.vkey, newer?.vkey]).to.deep.equal([first.vkey, rotated.vkey])
    const both = verifiersOf(await logKeys(d.store.db), [rotated.vkey])
    expect(both.map(k => k.vkey)).to.deep.equal([first.vkey, rotated.vkey])
    const signers = async (note: string) => {
      const opened = openNote(note, both)
      return isRefusal(opened) ? [] : opened.signedBy.map(k => k.vkey)
    }
    expect(await signers(newer?.handover ?? '')).to.deep.equal([first.vkey, rotated.vkey])
    expect(await signers((await latestCheckpoint(d.store.db))?.note ?? '')).to.deep.equal([rotated.vkey])
    expect(await checkLog(d.store.db, { verifiers: both })).to.deep.equal([])
    // A key that no handover vouches for is nobody's.
    await d.store.db('audit_key').where({ n: 2 }).update({ handover: older?.handover })
    expect(verifiersOf(await logKeys(d.store.db), [first.vkey]).map(k => k.vkey)).to.deep.equal([first.vkey])
    expect(readFileSync(file, 'utf8')).to.include(rotated.vkey.split('+')[1])
  })

  it('does not sign with a key that nothing hands over to, and says so', async () => {
    const log = testAuditLog(d.store)
    await audited(d.store)
    await log.sequence()
    const stranger = testAuditLog(d.store)
    await sequencer(() => [stranger.key])
    await audited(d.store)
    await eventually(() => alerts.some(a => a.code === 'audit.stuck'))
    expect(await logSize(d.store.db)).to.equal(1)
    expect(await d.store.db('audit_queue')).to.have.lengthOf(1)
  })

  it('appends nothing to tiles that are not those it signed, and says so', async () => {
    const log = testAuditLog(d.store)
    await audited(d.store)
    await log.sequence()
    await d.store.db('audit_tile').update({ hashes: Buffer.alloc(32) })
    await sequencer(() => [log.key])
    await audited(d.store)
    await eventually(() => alerts.some(a => a.code === 'audit.stuck'))
    expect(await logSize(d.store.db)).to.equal(1)
  })

  it('checks all of itself in rounds', async () => {
    const log = testAuditLog(d.store)
    for (let i = 0; i < 300; i++) await audited(d.store)
    await log.sequence(90)
    const trusted = [log.key.verifier.vkey]
    expect(await checkOnward(d.store, trusted)).to.deep.equal([])
    await d.store.db('audit_entry').where({ idx: 17 }).delete()
    expect((await checkOnward(d.store, trusted)).map(f => [f.code, f.idx])).to.deep.equal([['gap', 17]])
  })

  it('prunes whole tiles after their time; what is left, and what was pinned, can still be proved', async () => {
    const log = testAuditLog(d.store)
    const old = d.store.clock.now() - days(365 * 7)
    d.store.clock.set(old)
    const write = async (n: number, patient: string) => {
      for (let i = 0; i < n; i++)
        await audited(d.store, { object: { kind: 'patient', id: patient }, patient, reason: `Some words ${patient}` })
      await log.sequence(100)
    }
    await write(300, 'pt_old')
    const pinned = await latestCheckpoint(d.store.db)
    await d.store.db('audit_pin').insert({ ...pinned, place: 'room' })
    d.store.clock.advance(days(60))
    await write(300, 'pt_both')
    d.store.clock.advance(days(365 * 7))
    await write(130, 'pt_both')
    const oldWords = (await readEntries(d.store.db, { from: 0, limit: 1 }))[0]?.reason ?? ''
    const bothWords = (await readEntries(d.store.db, { from: 599, limit: 1 }))[0]?.reason ?? ''

    expect(await pruneLog(d.store, d.store.clock.now() - days(365 * 6))).to.equal(512)
    await log.sequence()
    const size = await logSize(d.store.db)
    expect([await firstIndex(d.store.db), size]).to.deep.equal([512, 731])
    expect((await readEntries(d.store.db, { from: 0, limit: 1 }))[0]?.idx).to.equal(512)
    expect(await d.store.db('audit_tile').where({ level: 0 }).orderBy('n').pluck('n')).to.deep.equal([1, 2])
    expect(await refOf(d.store, 'patient', 'pt_old')).to.equal(null)
    expect(await refOf(d.store, 'patient', 'pt_both')).not.to.equal(null)
    expect([...(await resolveRefs(d.store, [oldWords, bothWords])).keys()]).to.deep.equal([bothWords])
    const prunes = await d.store.db('audit_entry').where({ action: 'audit.prune' }).pluck('leaf')
    expect(prunes.map(leaf => JSON.parse(leaf).detail)).to.deep.equal([{ before: 512, commitments: 2, entries: 512 }])

    expect(await checkLog(d.store.db, { verifiers: [log.key.verifier], pins: pinned ? [pinned] : [] })).to.deep.equal(
      [],
    )
    const now = { size, root: (await latestCheckpoint(d.store.db))?.root ?? new Uint8Array() }
    const tiles = tileReader(d.store.db)
    for (const { idx, leaf } of await readLeaves(d.store.db, { from: 512, limit: 1000 }))
      expect(verifyInclusion(now, idx, leafHash(leaf), await inclusionProof(tiles, idx, size)), String(idx)).to.equal(
        true,
      )
    if (!pinned) throw new Error('nothing was pinned')
    expect(verifyConsistency(pinned, now, await consistencyProof(tiles, pinned.size, size))).to.equal(true)
    expect(await pruneLog(d.store, d.store.clock.now() - days(365 * 6))).to.equal(0)
  })
})
