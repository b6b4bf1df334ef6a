import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { logJobs } from '../../../audit/jobs/log-jobs.ts'
import type { LogJob } from '../../../core/domain/audit/log-job.ts'
import type { JobContext } from '../../../core/queues/outbox-worker.ts'
import { latestCheckpoint } from '../../../core/store/audit/log/checkpoints.ts'
import { transact } from '../../../core/store/tx.ts'
import { audited, type TestAuditLog, testAuditLog } from '../../support/audit-log.ts'
import { database, type TestDatabase } from '../../support/database.ts'

const none: JobContext = {
  step: async () => 'first',
  note: async () => undefined,
  noted: async () => undefined,
}

describe('export and verification of the log by command', function () {
  this.timeout(120_000)
  let d: TestDatabase
  let log: TestAuditLog
  let dataDir: string
  let alerts: string[]
  beforeEach(async () => {
    d = await database()
    log = testAuditLog(d.store)
    dataDir = mkdtempSync(join(tmpdir(), 'wardroom-export-'))
    alerts = []
    for (let i = 0; i < 300; i++) await audited(d.store)
    await log.sequence(90)
  })
  afterEach(async () => {
    rmSync(dataDir, { recursive: true, force: true })
    await d.drop()
  })

  const order: LogJob = { by: { kind: 'user', id: '@carla:test', device: 'D' }, room: '!chat:test', thread: '$ask' }
  const run = async (
    kind: 'audit.export' | 'audit.verify',
    id = 'jb_0000000000000001',
    vkeys = [log.key.verifier.vkey],
  ) => {
    const handler = logJobs({ store: d.store, dataDir, vkeys: () => vkeys, alert: a => alerts.push(a.sentence) })[kind]
    const at = d.store.clock.now()
    const facts = {
      queue: 'audit',
      kind,
      attempts: 0,
      lane: 'log',
      patient: undefined,
      due: at,
      createdAt: 1_800_000_000_000,
    } as const
    const outcome = await handler?.({ ...facts, id, payload: order }, none)
    if (outcome?.kind !== 'done' || !outcome.apply) throw new Error('it did not end')
    await transact(d.store, outcome.apply)
    const said = await d.store
      .db('outbox')
      .where({ key: `log:${id}` })
      .first()
    const payload = JSON.parse(await d.store.seal.open('outbox.payload', said.payload))
    expect(payload).to.deep.include({ to: { room: '!chat:test' }, thread: '$ask' })
    const noted = await d.store.db('audit_queue').orderBy('id', 'desc').first()
    return { text: payload.text as string, noted }
  }

  it('says that the log is as it was signed, with its size and root, in the thread', async () => {
    const { text, noted } = await run('audit.verify')
    const root = Buffer.from((await latestCheckpoint(d.store.db))?.root ?? []).toString('base64')
    expect(text)
      .to.match(/^Verified/)
      .and.include('300 entries of test.example/audit')
      .and.include(root)
    expect(noted).to.deep.include({ action: 'audit.verify', outcome: 'done', actor: order.by })
    expect(alerts).to.deep.equal([])
  })

  it('finds a changed entry, and a log that another key signed; tells the thread and raises an alert', async () => {
    expect((await run('audit.verify', 'jb_other', ['test.example/audit+00000000+x'])).text).to.include('key file')
    await d.store.db.raw(`update audit_entry set leaf = replace(leaf, 'done', 'dono') where idx = 117`)
    const { text, noted } = await run('audit.verify', 'jb_changed')
    expect(text)
      .to.match(/^⚠️ Not verified/)
      .and.include('Entry 117')
    expect(noted).to.deep.include({ action: 'audit.verify', outcome: 'failed' })
    expect(alerts).to.have.lengthOf(2)
  })

  it('compares with the newest checkpoint that was put outside', async () => {
    const { size, root, at, note } = (await latestCheckpoint(d.store.db)) ?? {
      size: 0,
      root: Buffer.alloc(0),
      at: 0,
      note: '',
    }
    await d.store.db('audit_pin').insert({ place: 'folder', size, root: Buffer.from(root), at, note })
    expect((await run('audit.verify')).text).to.include(`Compared with the checkpoint over ${size} entries`)
    await d.store.db('audit_checkpoint').where({ size }).delete()
    expect((await run('audit.verify', 'jb_rolled')).text).to.include('cut or rolled back')
  })

  it('exports to a folder of its own, and says where; a second try after a crash ends the same', async () => {
    const first = await run('audit.export')
    const dir = /on the server in (\S+)\. /.exec(first.text)?.[1] ?? ''
    expect(dir.startsWith(join(dataDir, 'audit', 'exports'))).to.equal(true)
    expect(readFileSync(join(dir, 'entries.jsonl'), 'utf8').trimEnd().split('\n')).to.have.lengthOf(300)
    await d.store.db('outbox').delete()
    expect((await run('audit.export')).text).to.equal(first.text)
    expect((await run('audit.export', 'jb_second_0000002')).text).not.to.include(dir)
  })
})
