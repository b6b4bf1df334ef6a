import { expect } from 'chai'
import { alertEngine } from '../../../audit/alerts/engine.ts'
import { alerts } from '../../../audit/alerts/index.ts'
import type { AuditDeps } from '../../../audit/deps.ts'
import { hours, minutes, seconds } from '../../../core/domain/clock.ts'
import type { PatientId, RoomId, UserId } from '../../../core/domain/ids.ts'
import { isRefusal } from '../../../core/domain/refusal.ts'
import { noteCareMember, noteStaffName } from '../../../core/store/alerts/alert-facts.ts'
import { changeRule, ruleHistory } from '../../../core/store/alerts/alert-rules.ts'
import { type Alert, listAlerts } from '../../../core/store/alerts/alerts.ts'
import { settleServices, settleStale } from '../../../core/store/alerts/states.ts'
import { addPatient } from '../../../core/store/patients/patients.ts'
import { transact } from '../../../core/store/tx.ts'
import { audited, type TestAuditLog, testAuditLog } from '../../support/audit-log.ts'
import { database, type TestDatabase } from '../../support/database.ts'
import { eventually } from '../../support/eventually.ts'
import { alertsProcess } from '../../support/processes/alerts-process.ts'
import { seededRandom } from '../../support/random.ts'
import { testLog } from '../../support/test-log.ts'

const ann = '@ann:clinic.example' as UserId
const room = '!care:clinic.example' as RoomId
const kills = process.env.WARDROOM_LONG === '1' ? 300 : 10
const noon = Date.parse('2026-11-23T17:00:00Z')

describe('audit alerts', function () {
  this.timeout(120_000)
  let d: TestDatabase
  let log: TestAuditLog
  beforeEach(async () => {
    d = await database()
    d.store.clock.freeze(noon)
    log = testAuditLog(d.store)
  })
  afterEach(() => d.drop())

  const run = async () => {
    await log.sequence()
    const engine = alertEngine(d.store)
    while (await engine.turn());
  }
  const raised = async (): Promise<Pick<Alert, 'rule' | 'count' | 'key'>[]> =>
    (await listAlerts(d.store.db, { limit: 1000 })).map(({ rule, count, key }) => ({ rule, count, key })).reverse()
  const patient = async (name: string): Promise<PatientId> => {
    const added = await transact(d.store, async tx => {
      const p = await addPatient(tx, {
        phone: `+1202555${String(name.length).padStart(4, '0')}`,
        dob: '1950-01-01',
        name,
        by: ann,
      })
      if (!isRefusal(p))
        await tx.sql('patient').where({ id: p.id }).update({ room_id: room, created_by: '@desk:clinic.example' })
      return p
    })
    if (isRefusal(added)) throw new Error(added.sentence)
    return added.id
  }
  const view = (of: PatientId, by: string = ann) =>
    audited(d.store, {
      actor: { kind: 'user', id: by },
      action: 'patient.view',
      object: { kind: 'patient', id: of },
      patient: of,
    })
  const jobs = () => d.store.db('outbox').where('kind', 'like', 'compliance.%').orderBy('seq').pluck('key')

  it('tell the compliance room at once, then count up and tell again every ten minutes at most', async () => {
    const wrong = () =>
      audited(d.store, {
        actor: { kind: 'anonymous', id: 'browser' },
        action: 'link.verify',
        object: { kind: 'link', id: 'ln_1' },
        outcome: 'refused',
        patient: 'pt_1',
        origin: { ip: '10.0.0.1' },
      })
    for (let i = 0; i < 5; i++) await wrong()
    await run()
    expect((await raised()).map(a => [a.rule, a.count])).to.deep.equal([
      ['verify-burst', 5],
      ['verify-burst', 5],
    ])
    expect(await jobs()).to.deep.equal(['alert:1:first', 'alert:2:first'])
    for (let i = 0; i < 3; i++) {
      d.store.clock.advance(seconds(20))
      await wrong()
      await run()
    }
    expect((await raised()).map(a => a.count)).to.deep.equal([8, 8])
    expect(await jobs()).to.have.lengthOf(4)
    const audit = await d.store.db('audit_entry').where({ action: 'alert.raise' })
    expect(audit).to.have.lengthOf(2)
    expect(await d.dump(), 'no identifier of a patient').not.to.match(/alert[^\n]*pt_1/)
  })

  it('see namesakes and people from outside of the care room, and nobody else', async () => {
    const garcia = await patient('Rosa García')
    await transact(d.store, async tx => {
      await noteStaffName(tx, ann, 'Dr. Ann GARCIA')
      await noteStaffName(tx, '@bob:clinic.example' as UserId, 'Bob Miller')
      await noteCareMember(tx, room, ann, 'join')
    })
    await view(garcia)
    await view(garcia, '@bob:clinic.example')
    await run()
    const found = (await raised()).map(a => `${a.rule} ${a.key.split(' ')[0]}`)
    expect(found).to.deep.equal(['same-surname user:@ann:clinic.example', 'outside-team user:@bob:clinic.example'])
    const [{ surnames }] = await d.store.db('person').select('surnames')
    expect(surnames.join(), 'a keyed hash').to.match(/^[0-9a-f]{64}$/)
    await view(garcia)
    await run()
    expect(await raised()).to.have.lengthOf(2)
  })

  it('repeat none and lose none when two processes work and one of them dies', async () => {
    const random = seededRandom('alerts')
    for (let i = 0; i < 40; i++) {
      await audited(d.store, {
        actor: { kind: 'user', id: '@root:clinic.example' },
        action: 'role.grant',
        object: { kind: 'role', id: `@new${i}:clinic.example` },
        detail: { role: 'admin' },
      })
      if (random.int(3) > 0) continue
      await log.sequence()
      const engines = [alertEngine(d.another()), alertEngine(d.store)]
      const killed = d.store.db
        .raw(
          'select pg_terminate_backend(pid) from pg_stat_activity where pid <> pg_backend_pid() and datname = current_database() and random() < 0.5',
        )
        .catch(() => undefined)
      await Promise.all([...engines.map(e => e.turn().catch(() => undefined)), killed])
    }
    await run()
    const all = await raised()
    expect(all.map(a => a.count).join('')).to.equal('1'.repeat(40))
    expect(new Set(all.map(a => a.key)).size).to.equal(40)
    expect((await jobs()).length).to.equal(40)
  })

  it(`repeat none and lose none when the process that applies them is killed ${kills} times`, async function () {
    this.timeout(kills * 5000 + 60_000)
    const random = seededRandom('alerts-kill')
    d.store.clock.set(Date.now())
    let n = 0
    for (let i = 0; i < kills; i++) {
      const child = alertsProcess({ url: d.url, keys: d.keys })
      const before = (await raised()).length
      // Killed at any moment after it has done something, or, every fourth time, while it starts.
      for (let more = true; more; more = random.int(4) > 0) {
        await audited(d.store, {
          actor: { kind: 'user', id: '@root:clinic.example' },
          action: 'role.grant',
          object: { kind: 'role', id: `@new${n++}:clinic.example` },
          detail: { role: 'admin' },
        })
        await log.sequence()
      }
      if (i % 4 > 0) await eventually(async () => (await raised()).length > before)
      await new Promise(done => setTimeout(done, random.int(20)))
      await child.kill()
    }
    await run()
    const all = (await raised()).filter(a => a.rule === 'new-admin')
    expect(all.map(a => a.key).sort()).to.deep.equal(
      Array.from({ length: n }, (_, i) => `user:@new${i}:clinic.example admin`).sort(),
    )
    expect(all.every(a => a.count === 1)).to.equal(true)
    expect((await jobs()).filter(k => k.endsWith(':first'))).to.have.lengthOf((await raised()).length)
  })

  it('notice an entry that is missing', async () => {
    for (let i = 0; i < 6; i++) await audited(d.store, { detail: { i } })
    await log.sequence()
    await d.store.db('audit_entry').where({ idx: 3 }).delete()
    await run()
    expect(await raised()).to.deep.equal([{ rule: 'gap', count: 1, key: 'missing 3' }])
  })

  it('raise a state once, repeat it a day later, and say when it is over', async () => {
    await audited(d.store, {})
    const settle = () => transact(d.store, settleStale)
    await settle()
    expect(await raised()).to.deep.equal([])
    d.store.clock.advance(minutes(3))
    await settle()
    await settle()
    expect((await raised()).map(a => a.rule)).to.deep.equal(['stale-checkpoint'])
    d.store.clock.advance(hours(25))
    await settle()
    expect(await raised()).to.have.lengthOf(2)
    await log.sequence()
    await settle()
    const [last] = await listAlerts(d.store.db, { limit: 1000 })
    expect(last?.clearedAt).to.be.a('number')
    expect((await jobs()).at(-1)).to.equal(`alert:${last?.id}:over`)
  })

  it('are raised for a state within seconds of its limit', async () => {
    const part = await alerts.start({
      store: d.store,
      log: testLog(),
      onSequenced: () => () => undefined,
    } as unknown as AuditDeps)
    try {
      await audited(d.store, { action: 'status.view', object: { kind: 'service', id: 'all' } })
      d.store.clock.advance(minutes(3))
      await eventually(async () => (await raised()).some(a => a.rule === 'stale-checkpoint'), {
        timeout: 15_000,
        what: 'the alert',
      })
    } finally {
      await part.stop()
    }
  })

  it('notice a service whose work waits', async () => {
    await transact(d.store, tx => tx.enqueue({ queue: 'bridge', kind: 'care.card', payload: {} }))
    d.store.clock.advance(minutes(6))
    await transact(d.store, settleServices)
    const [alert] = await listAlerts(d.store.db, { limit: 1000 })
    expect(alert).to.deep.include({
      rule: 'service-down',
      severity: 'critical',
      about: { service: 'the bridge', minutes: '6' },
    })
  })

  it('follow parameters that were changed, with their history', async () => {
    const set = (param: string, typed: string) =>
      transact(d.store, tx => changeRule(tx, { rule: 'new-admin', param, typed, by: ann }))
    expect(isRefusal(await set('enabled', 'perhaps'))).to.equal(true)
    expect(isRefusal(await set('nonsense', '1'))).to.equal(true)
    await set('enabled', 'no')
    await audited(d.store, { action: 'role.grant', object: { kind: 'role', id: ann }, detail: { role: 'admin' } })
    await run()
    expect(await raised()).to.deep.equal([])
    await set('enabled', 'default')
    expect((await ruleHistory(d.store.db)).map(c => [c.before, c.after])).to.deep.equal([
      ['no', null],
      [null, 'no'],
    ])
  })
})
