import { expect } from 'chai'
import { isRefusal } from '../../core/domain/refusal.ts'
import { latestCheckpoint } from '../../core/store/audit/checkpoints.ts'
import { findEntries, logSize, readEntries } from '../../core/store/audit/entries.ts'
import { refOf, resolveRefs } from '../../core/store/audit/subjects.ts'
import { parseCheckpoint } from '../../core/tlog/checkpoint.ts'
import { openNote } from '../../core/tlog/note.ts'
import { audited, type TestAuditLog, testAuditLog, testOrigin } from '../support/audit-log.ts'
import { database, type TestDatabase } from '../support/database.ts'

describe('the audit log', function () {
  this.timeout(30_000)
  let d: TestDatabase
  let log: TestAuditLog
  before(async () => {
    d = await database()
    log = testAuditLog(d.store)
  })
  after(() => d.drop())

  it('numbers events in order, without a gap, under a signed checkpoint', async () => {
    for (let i = 0; i < 600; i++) await audited(d.store, { detail: { n: i } })
    const batches = await log.sequence(100)
    expect(batches.map(b => [b.from, b.to])).to.deep.equal([0, 1, 2, 3, 4, 5].map(i => [i * 100, (i + 1) * 100]))
    const entries = await readEntries(d.store.db, { from: 0, limit: 1000 })
    expect(entries.map(e => e.idx)).to.deep.equal(Array.from({ length: 600 }, (_, i) => i))
    expect(entries.map(e => e.detail?.n)).to.deep.equal(Array.from({ length: 600 }, (_, i) => i))
    const latest = await latestCheckpoint(d.store.db)
    const note = openNote(latest?.note ?? '', [log.key.verifier])
    if (isRefusal(note)) throw new Error(note.sentence)
    expect(note.signedBy).to.have.lengthOf(1)
    const checkpoint = parseCheckpoint(note.text)
    expect(checkpoint).to.deep.include({ origin: testOrigin, size: 600 })
    expect(await logSize(d.store.db)).to.equal(600)
    expect(await d.store.db('audit_queue')).to.deep.equal([])
  })

  it('names patients by commitments that can be looked up and resolved', async () => {
    await audited(d.store, {
      object: { kind: 'patient', id: 'pt_1' },
      patient: 'pt_1',
      origin: { ip: '10.1.2.3', agent: 'Mozilla' },
    })
    await log.sequence()
    const ref = (await refOf(d.store, 'patient', 'pt_1')) ?? ''
    expect(ref).to.match(/^[A-Za-z0-9_-]{43}$/)
    const [found] = await findEntries(d.store.db, { patient: ref, limit: 10 })
    expect(found?.object).to.deep.equal({ kind: 'patient', ref })
    const resolved = await resolveRefs(d.store, [ref, found?.origin ?? ''])
    expect(resolved.get(ref)).to.deep.equal({ kind: 'patient', value: 'pt_1' })
    expect(JSON.parse(resolved.get(found?.origin ?? '')?.value ?? '')).to.deep.equal({
      ip: '10.1.2.3',
      agent: 'Mozilla',
    })
    const leaves = (await d.store.db('audit_entry').select('leaf')).map(r => r.leaf).join()
    expect(leaves).not.to.include('pt_1').and.not.to.include('10.1.2.3')
  })
})
