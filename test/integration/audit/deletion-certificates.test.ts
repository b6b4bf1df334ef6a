import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { days } from '../../../core/domain/clock.ts'
import { certify, doomedRecords, noteDestroyed, passPointOfNoReturn } from '../../../core/store/records/doom.ts'
import { noteRecords } from '../../../core/store/records/note.ts'
import { changePolicy } from '../../../core/store/records/policies.ts'
import { transact } from '../../../core/store/tx.ts'
import { database, type TestDatabase } from '../../support/database.ts'
import { verifiedQueue } from '../../support/records/verified.ts'

/** Row 50: the log proves its deletion certificates. */
describe('a deletion certificate', function () {
  this.timeout(120_000)
  let d: TestDatabase
  let home: string

  before(async () => {
    d = await database()
    home = await mkdtemp(join(tmpdir(), 'wardroom-certificates-'))
  })
  after(async () => {
    await rm(home, { recursive: true, force: true })
    await d?.drop()
  })

  /** A run over five messages, in steps of two, some of which are noted twice, as after a kill. */
  const runOf = async (run: string): Promise<void> => {
    const { store } = d
    const events = Array.from({ length: 5 }, (_, n) => ({
      event_id: `$${run}${n}`,
      room_id: '!ward:h',
      type: 'm.room.encrypted',
      sender: '@ann:h',
      origin_server_ts: store.clock.now() - days(9),
      content: {},
    }))
    await transact(store, tx => noteRecords(tx, { events, receipts: [] }))
    await transact(store, tx => passPointOfNoReturn(tx, run, { limit: 10 }))
    for (;;) {
      const doomed = await doomedRecords(store, { classes: ['staff'], limit: 2 })
      if (doomed.length === 0) return
      const noted = doomed.map(e => ({ ...e, redacted: true, found: true }))
      for (let again = 0; again < 2; again++)
        await transact(store, async tx => {
          await noteDestroyed(tx, noted)
          await certify(tx, run)
        })
    }
  }

  const verified = (name: string, change?: (leaves: string[]) => string[]) =>
    verifiedQueue(d.store.db, home, name, change)

  it('counts each message once, names policy and approver, and holds against the log’s own entries', async () => {
    const by = { by: '@cora:h', approvedBy: '@carl:h' }
    const value = { from: 'sent', keepMs: days(7) } as const
    await transact(d.store, tx => changePolicy(tx, { scope: { kind: 'organisation' }, minimum: false, value }, by))
    await runOf('dr_one')
    await runOf('dr_two')
    const { detail } = await d.store.db('audit_queue').where({ action: 'record.certificate' }).first()
    const policy = await d.store.db('retention_policy').first('id')
    expect(detail).to.deep.include({ count: 5, by_window: 5, policy: policy.id, approved_by: '@carl:h' })
    expect(await verified('whole')).to.deep.equal({ all: 2, hold: 2, uncertified: 0, wrong: [] })
  })

  it('does not hold when an entry is missing, was added, or says another reason, although the log is signed', async () => {
    const destroys = (leaf: string) => leaf.includes('"record.destroy"') && leaf.includes('dr_one')
    const first = (leaves: string[]) => leaves.findIndex(destroys)
    const missing = await verified('missing', l => l.filter((_, i) => i !== first(l)))
    expect(missing).to.deep.include({ all: 2, hold: 1 })
    expect(missing.wrong.join()).to.match(/Entry \d+: The certificate of run dr_one counts 5 .* the log has 4/)
    const added = await verified('added', l => [...l, (l[first(l)] ?? '').replace(/"id":\d+/, '"id":99999')])
    expect(added.wrong.join()).to.include('counts 5 destroyed messages; the log has 6')
    const other = await verified('other', l =>
      l.map((leaf, i) => (i === first(l) ? leaf.replace(/"id":\d+/, '"id":99999') : leaf)),
    )
    expect(other.wrong.join()).to.include('The digest of the certificate of run dr_one is not the one over its entries')
    const reason = await verified('reason', l => l.map(leaf => leaf.replace('"reason":"window"', '"reason":"recall"')))
    expect(reason.wrong.join()).to.include('counts other reasons (by_window)')
    const open = await verified('open', l => l.filter(leaf => !/certificate".*dr_two/.test(leaf)))
    expect(open).to.deep.equal({ all: 1, hold: 1, uncertified: 5, wrong: [] })
  })
})
