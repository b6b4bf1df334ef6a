import { expect } from 'chai'
import { alertEngine } from '../../../audit/alerts/engine.ts'
import { days } from '../../../core/domain/clock.ts'
import type { UserId } from '../../../core/domain/ids.ts'
import { ruleValues } from '../../../core/store/alerts/alert-rules.ts'
import { audited, type TestAuditLog, testAuditLog } from '../../support/audit-log.ts'
import { type CommandWorld, commandWorld } from '../../support/worlds/command-world.ts'

describe('!audit alerts', function () {
  this.timeout(120_000)
  let w: CommandWorld
  let log: TestAuditLog
  let officer: UserId
  before(async () => {
    w = await commandWorld()
    log = testAuditLog(w.db.store)
    officer = await w.person('officer', 'compliance')
  })
  after(() => w.db.drop())

  const view = (user: string, patient: string) =>
    audited(w.db.store, {
      actor: { kind: 'user', id: user },
      action: 'patient.view',
      object: { kind: 'patient', id: patient },
      patient,
    })

  it('previews a rule over the past 30 days, for whom and how often, without raising anything', async () => {
    const { clock } = w.db.store
    for (let i = 0; i < 12; i++) await view('@early:clinic.example', `pt_early${i}`)
    clock.advance(days(40))
    for (let i = 0; i < 12; i++) await view('@ann:clinic.example', `pt_${i}`)
    for (let i = 0; i < 9; i++) await view('@bob:clinic.example', `pt_${i}`)
    await log.sequence()
    const none = await w.ask(officer, '!audit alerts try many-patients')
    expect(none.body).to.include('would have raised 0 alerts in the past 30 days, from 21 entries')
    const some = await w.ask(officer, '!audit alerts try many-patients threshold 10')
    expect(some.body)
      .to.include('would have raised 1 alert ')
      .and.include('@ann:clinic.example')
      .and.not.include('@bob')
    expect(some.body).not.to.include('pt_').and.not.include('@early')
    expect(await w.db.store.db('alert')).to.deep.equal([])
    expect(await w.audit('alert.try')).to.have.lengthOf(2)
    const state = await w.ask(officer, '!audit alerts try stale-checkpoint')
    expect(state.mark).to.equal('⛔')
  })

  it('sets a parameter with history and audit, and tells the compliance room', async () => {
    const wrong = await w.ask(officer, '!audit alerts set many-patients threshold lots')
    expect(wrong).to.include({ mark: '⛔' })
    expect(wrong.body).to.include('whole number')
    const typo = await w.ask(officer, '!audit alerts set many-pateints threshold 3')
    expect(typo.body).to.include('Did you mean many-patients?')
    const done = await w.ask(officer, '!audit alerts set many-patients threshold 10')
    expect(done.body).to.include('many-patients threshold: (default) → 10')
    expect((await ruleValues(w.db.store.db)).get('many-patients')).to.include({ threshold: 10, window: 60 })
    const list = await w.ask(officer, '!audit alerts list many-patients')
    expect(list.body)
      .to.match(/threshold +10 +30/)
      .and.include(officer)
    const [row] = await w.audit('alert.rule')
    expect(row).to.deep.include({ outcome: 'done', detail: { param: 'threshold', before: null, after: '10' } })
    expect(await w.db.store.db('outbox').where({ kind: 'compliance.say' })).to.have.lengthOf(1)
    await log.sequence()
    const engine = alertEngine(w.db.store)
    while (await engine.turn());
    const all = await w.ask(officer, '!audit alerts list')
    expect(all.body)
      .to.match(/many-patients +12 +#/)
      .and.include('@ann:clinic.example opened')
  })

  it('is for compliance and administrators', async () => {
    const nurse = await w.person('nurse', 'clinician')
    for (const what of ['list', 'set many-patients enabled no', 'try many-patients'])
      expect((await w.ask(nurse, `!audit alerts ${what}`)).mark, what).to.equal('⛔')
  })
})
