import { expect } from 'chai'
import { housekeeping } from '../../../audit/housekeeping.ts'
import { jobs } from '../../../audit/jobs/index.ts'
import type { AuditOptions } from '../../../audit/main.ts'
import { startAudit } from '../../../audit/main.ts'
import { secret } from '../../../core/secret.ts'
import { findEntries } from '../../../core/store/audit/log/entries.ts'
import { logKeys } from '../../../core/store/audit/log/keys.ts'
import { generateSigningKey } from '../../../core/tlog/key.ts'
import { audited } from '../../support/audit-log.ts'
import { database, type TestDatabase } from '../../support/database.ts'
import { eventually } from '../../support/eventually.ts'
import { freePort } from '../../support/free-port.ts'
import { testLog } from '../../support/test-log.ts'

describe('the audit process', function () {
  this.timeout(120_000)
  let d: TestDatabase
  const endings: (() => Promise<unknown>)[] = []
  beforeEach(async () => {
    d = await database()
    endings.push(d.drop)
  })
  afterEach(async () => {
    for (const end of endings.splice(0).reverse()) await end()
  })

  const options = async (): Promise<AuditOptions> => ({
    databaseUrl: secret(d.url),
    homeserver: { url: 'http://127.0.0.1:1', serverName: 'test.example' },
    asToken: secret('none'),
    keys: d.keys,
    logKeys: () => [key],
    publicUrl: 'http://localhost:1',
    adminUrl: 'http://localhost:2',
    listen: {
      audit: { host: '127.0.0.1', port: await freePort() },
      admin: { host: '127.0.0.1', port: await freePort() },
    },
    dataDir: '/nowhere',
    log: testLog(),
    parts: [housekeeping, jobs],
  })
  const key = generateSigningKey('test.example/audit', 'note', { bytes: n => new Uint8Array(n).fill(7) })
  const start = async (o: AuditOptions) => {
    const running = await startAudit(o)
    let over: Promise<void> | undefined
    const stop = () => {
      over ??= running.stop()
      return over
    }
    endings.push(stop)
    return { ...running, stop }
  }

  /** How many of the test's own events are in the log; the process writes its start and stop as well. */
  const logged = async () => (await findEntries(d.store.db, { actions: ['status.view'], limit: 100 })).length

  it('puts events into the log, tells its parts, and shows its health and counts', async () => {
    const o = await options()
    const { deps } = await start(o)
    const heard: [number, number][] = []
    deps.onSequenced((from, to) => heard.push([from, to]))
    await audited(d.store)
    await eventually(async () => (await logged()) === 1)
    await eventually(() => heard.at(-1)?.[1] === 2)
    expect(heard[0]?.[0]).to.equal(0)
    expect(deps.vkeys()).to.deep.equal((await logKeys(d.store.db)).map(k => k.vkey))
    const base = `http://127.0.0.1:${o.listen.audit.port}`
    expect((await fetch(`${base}/health/ready`)).status).to.equal(200)
    expect(await (await fetch(`${base}/metrics`)).text())
      .to.include('wardroom_audit_entries_total 2')
      .and.include('wardroom_audit_queue 0')
  })

  it('lets one lead, and the next one go on where it stopped', async () => {
    const first = await start(await options())
    let leads = false
    const waiting = options()
      .then(start)
      .then(second => {
        leads = true
        return second
      })
    await audited(d.store)
    await eventually(async () => (await logged()) === 1)
    expect(leads).to.equal(false)
    await first.stop()
    await waiting
    await audited(d.store)
    await eventually(async () => (await logged()) === 2)
  })

  it('leaves nothing open when it is stopped', async () => {
    const { stop } = await start(await options())
    await audited(d.store)
    await eventually(async () => (await logged()) === 1)
    await stop()
    expect(await findEntries(d.store.db, { actions: ['service.stop'], limit: 9 })).to.have.lengthOf(1)
    await eventually(async () => {
      const { rows } = await d.store.db.raw(
        'select count(*)::int as n from pg_stat_activity where datname = current_database()',
      )
      const { pool } = d.store.db.client
      return rows[0].n === pool.numUsed() + pool.numFree()
    })
  })
})
