import { expect } from 'chai'
import { postDigest } from '../../../bots/commands/audit/digest.ts'
import { days, hours } from '../../../core/domain/clock.ts'
import { changeSetting } from '../../../core/store/staff/settings.ts'
import { transact } from '../../../core/store/tx.ts'
import { audited, type TestAuditLog, testAuditLog } from '../../support/audit-log.ts'
import { database, type TestDatabase } from '../../support/database.ts'

describe('the weekly digest of the audit log', function () {
  this.timeout(120_000)
  let d: TestDatabase
  let log: TestAuditLog
  beforeEach(async () => {
    d = await database()
    log = testAuditLog(d.store)
    d.store.clock.freeze(Date.parse('2026-11-12T16:00:00Z')) // a Thursday
    await audited(d.store, { action: 'patient.view', object: { kind: 'patient', id: 'pt_1' }, patient: 'pt_1' })
    await audited(d.store, { action: 'config.view', outcome: 'refused', reason: 'forbidden' })
    await log.sequence()
  })
  afterEach(() => d.drop())

  const look = () => transact(d.store, postDigest)
  const said = async () => {
    const rows = await d.store.db('outbox').where({ kind: 'compliance.say' }).orderBy('seq')
    return Promise.all(
      rows.map(async r => JSON.parse(await d.store.seal.open('outbox.payload', r.payload)).text as string),
    )
  }

  it('goes to the compliance room once, at its hour, and is recorded', async () => {
    expect(await look()).to.equal(false)
    d.store.clock.set(Date.parse('2026-11-16T11:59:00Z')) // Monday, a minute before 7 in New York
    expect(await look()).to.equal(false)
    d.store.clock.advance(hours(1))
    expect([await look(), await look()]).to.deep.equal([true, false])
    const [text] = await said()
    expect(text).to.include('Audit digest, 2026-11-09 to 2026-11-15: 2 entries').and.not.include('pt_1')
    expect(text)
      .to.match(/access +1 +0 +new/)
      .and.include('No checkpoint is kept outside')
    const noted = await d.store.db('audit_queue').where({ action: 'audit.digest' })
    expect(noted).to.have.lengthOf(1)
    d.store.clock.advance(days(7))
    expect(await look()).to.equal(true)
    expect((await said())[1]).to.include('2026-11-16 to 2026-11-22')
  })

  it('comes late rather than never after an outage, and not at all where it is turned off', async () => {
    d.store.clock.set(Date.parse('2026-11-20T12:00:00Z'))
    await transact(d.store, tx => changeSetting(tx, { key: 'audit.digest', value: false, by: '@ann:test' }))
    expect(await look()).to.equal(false)
    await transact(d.store, tx => changeSetting(tx, { key: 'audit.digest', value: null, by: '@ann:test' }))
    expect(await look()).to.equal(true)
    expect((await said())[0]).to.include('2026-11-09 to 2026-11-15')
  })
})
