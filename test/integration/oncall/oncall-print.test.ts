import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { Explained } from '../../../cli/command.ts'
import { printDuties } from '../../../cli/commands/oncall-print.ts'
import { hours } from '../../../core/domain/clock.ts'
import type { UserId } from '../../../core/domain/ids.ts'
import { renewStoredCopy, watchStoredCopy, writePage } from '../../../core/oncall/print/stored-copy.ts'
import { putOnCallPerson } from '../../../core/store/oncall/people.ts'
import { grantRole, revokeRole } from '../../../core/store/staff/roles.ts'
import { type Tx, transact } from '../../../core/store/tx.ts'
import { type CommandWorld, commandWorld } from '../../support/worlds/command-world.ts'

/** Issue 5, point 10. */
describe('the printed page of who is on call, out of the database', function () {
  this.timeout(120_000)
  let w: CommandWorld
  let folder: string
  let ann: UserId

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'wardroom-print-'))
    w = await commandWorld()
    const sue = await w.person('sue', 'supervisor')
    ann = await w.person('ann', 'clinician')
    await w.person('bob', 'clinician')
    w.db.store.clock.freeze(Date.parse('2026-11-25T15:00:00Z'))
    for (const text of [
      '!oncall role add cardiology "Cardiology <b>on call</b>" fallback @sue zone America/New_York',
      '!oncall set cardiology weekly people @ann @bob every week start 2026-11-23 08:00',
      '!oncall role add icu "Intensive care" fallback @sue zone Europe/Madrid',
    ]) {
      expect((await w.ask(sue, text)).mark, text).to.equal('✅')
      expect((await w.ask(sue, '!confirm')).mark, text).to.equal('✅')
    }
    await transact(w.db.store, async tx => {
      await putOnCallPerson(tx, ann, { name: 'Ann Lee', phone: '+12025550123' }, ann)
      await putOnCallPerson(tx, sue, { name: 'Sue Roy', phone: '+34612345678' }, sue)
    })
  })
  after(async () => {
    await w?.db.drop()
    rmSync(folder, { recursive: true, force: true })
  })

  const printed = async () =>
    (await w.audit('oncall.print')).map(r => [r.outcome, (r.object as { id: string }).id, r.detail])

  it('is written by the command, for its owner’s eyes, with an audit event that has no number', async () => {
    const file = join(folder, 'command.html')
    expect(await printDuties(w.db.store, file)).to.equal(0)
    const html = readFileSync(file, 'utf8')
    expect(statSync(file).mode & 0o777).to.equal(0o600)
    for (const part of ['Ann Lee', '+1 202 555 0123', 'Sue Roy', '+34 612 34 56 78', 'America/New_York'])
      expect(html).to.include(part)
    // In Madrid it is afternoon; nobody but the fallback is ever on there.
    expect(html).to.include('Wed 2026-11-25 16:00').and.include('Nobody is on. Call the fallback:')
    expect(html).to.include('Cardiology &#60;b&#62;on call').and.include('bob</strong> <em>no number')
    expect(await printed()).to.deep.equal([['done', 'all-roles', { what: 'file', roles: 2, numbers: 2 }]])
    expect(JSON.stringify(await w.audit('oncall.print'))).not.to.match(/555 ?0123|612 ?34/)
  })

  it('says where it cannot be written, and then opens no number', async () => {
    const before = (await printed()).length
    const refused = await printDuties(w.db.store, join(folder, 'nowhere/x.html')).catch((e: unknown) => e)
    expect(refused).to.be.instanceOf(Explained)
    expect((await printed()).length).to.equal(before)
  })

  it('has no number of somebody who left the clinic and is still in a schedule', async () => {
    const file = join(folder, 'left.html')
    const as = async (change: (tx: Tx) => Promise<unknown>) => {
      await transact(w.db.store, change)
      await printDuties(w.db.store, file)
      return readFileSync(file, 'utf8')
    }
    const [userId, role] = [ann, 'clinician'] as const
    expect(await as(tx => revokeRole(tx, { userId, role, by: 'test' })))
      .to.include('Ann Lee</strong> <em>not here any more')
      .and.not.include('555 0123')
    expect(await as(tx => grantRole(tx, { userId, role, by: 'test', identity: null }))).to.include('555 0123')
  })

  it('is kept as a copy that every renewal replaces whole, also after one that was killed or broke', async () => {
    const file = join(folder, 'data/oncall/on-call.html')
    await renewStoredCopy(w.db.store, file)
    const first = readFileSync(file, 'utf8')
    expect(first).to.include('Made <strong>Wed 2026-11-25 10:00')
    // What a killed one leaves beside it.
    writeFileSync(`${file}.new`, 'half a pa')
    const broken = await writePage(file, () => Promise.reject(new Error('the database is gone'))).catch(
      (e: unknown) => (e as Error).message,
    )
    expect(broken).to.equal('the database is gone')
    expect(readFileSync(file, 'utf8')).to.equal(first)
    writeFileSync(`${file}.new`, 'half a pa')
    w.db.store.clock.advance(hours(1))
    await renewStoredCopy(w.db.store, file)
    expect(readFileSync(file, 'utf8')).to.include('Made <strong>Wed 2026-11-25 11:00')
    expect(statSync(file).mode & 0o777).to.equal(0o600)
    expect(readdirSync(join(folder, 'data/oncall'))).to.deep.equal(['on-call.html'])
    expect((await printed()).at(-1)?.[2]).to.deep.include({ what: 'stored-copy' })
  })

  it('raises an alert when the copy is not renewed for two hours, and takes it back when it is', async () => {
    const file = join(folder, 'data/oncall/on-call.html')
    const now = w.db.store.clock.now()
    const open = () => w.db.store.db('alert').where({ rule: 'print-stale' }).whereNull('cleared_at').pluck('key')
    const renewed = (ago: number) => utimesSync(file, new Date(now - ago), new Date(now - ago))
    renewed(hours(1.9))
    await watchStoredCopy(w.db.store, file, now)
    expect(await open()).to.deep.equal([])
    renewed(hours(2.1))
    await watchStoredCopy(w.db.store, file, now)
    await watchStoredCopy(w.db.store, join(folder, 'never'), now - hours(3))
    expect(await open()).to.deep.equal(['stored-copy'])
    renewed(0)
    await watchStoredCopy(w.db.store, file, now)
    expect(await open()).to.deep.equal([])
  })
})
