import { expect } from 'chai'
import { minutes } from '../../../core/domain/clock.ts'
import type { UserId } from '../../../core/domain/ids.ts'
import { listGrants, revokeRole } from '../../../core/store/staff/roles.ts'
import { readSettings, seedSettings } from '../../../core/store/staff/settings.ts'
import { transact } from '../../../core/store/tx.ts'
import { type CommandWorld, commandWorld } from '../../support/worlds/command-world.ts'

describe('settings by chat', () => {
  let w: CommandWorld
  let ada: UserId
  let bob: UserId
  beforeEach(async () => {
    w = await commandWorld()
    ada = await w.person('ada', 'admin')
    bob = await w.person('bob', 'admin')
  })
  afterEach(() => w.db.drop())

  const life = async () => (await readSettings(w.db.store.db))['link.life_hours']
  const codeFor = async (who: UserId) => /!approve (\S+)/.exec((await w.toldTo(who)).at(-1) ?? '')?.[1] ?? ''

  it('change after a preview and a confirmation, and go back by their number', async () => {
    const preview = await w.ask(ada, '!config set clinic.name "Riverside Clinic"')
    expect(preview.body).to.include('Before: Your clinic (default)').and.include('After: Riverside Clinic')
    expect((await readSettings(w.db.store.db))['clinic.name']).to.equal('Your clinic')
    const done = await w.ask(ada, '!confirm')
    expect((await readSettings(w.db.store.db))['clinic.name']).to.equal('Riverside Clinic')
    const n = /change (\d+)/.exec(done.body)?.[1]
    await w.ask(ada, `!config rollback ${n}`)
    await w.ask(ada, '!confirm')
    expect((await readSettings(w.db.store.db))['clinic.name']).to.equal('Your clinic')
    const history = (await w.ask(ada, '!config history clinic.name')).body
    expect(history).to.match(/Riverside Clinic +\(default\) +@ada/)
    expect(await w.audit('config.change')).to.have.lengthOf(2)
  })

  it('are not confirmed by somebody who lost the role that the change needs', async () => {
    const cora = await w.person('cora', 'admin', 'compliance')
    await w.ask(cora, '!config set sms.task_hours 12')
    await transact(w.db.store, tx => revokeRole(tx, { userId: cora, role: 'admin', by: ada }))
    expect((await w.ask(cora, '!confirm')).body).to.include('you need the role admin')
    expect((await readSettings(w.db.store.db))['sms.task_hours']).to.equal(48)
  })

  it('confirm the latest preview only, once, of the same person, for 15 minutes', async () => {
    await w.ask(ada, '!config set sms.task_hours 12')
    await w.ask(ada, '!config set sms.task_hours 24')
    expect((await w.ask(bob, '!confirm')).body).to.include('nothing to confirm')
    await w.ask(ada, '!confirm')
    expect((await readSettings(w.db.store.db))['sms.task_hours']).to.equal(24)
    expect((await w.ask(ada, '!confirm')).mark).to.equal('⛔')
    await w.ask(ada, '!config set sms.task_hours 36')
    w.db.store.clock.advance(minutes(15))
    expect((await w.ask(ada, '!confirm')).mark).to.equal('⛔')
  })

  it('that are sensitive wait for a second administrator', async () => {
    const asked = await w.ask(ada, '!config set link.life_hours 24')
    expect(asked.body).to.include(bob)
    expect(asked.body).not.to.match(/!approve [0-9A-Z]/)
    const code = await codeFor(bob)
    expect((await w.ask(ada, `!approve ${code}`)).body).to.include('your own request')
    expect(await life()).to.equal(72)
    expect((await w.ask(bob, `!approve ${code.toLowerCase().replace('-', ' ')}`)).mark).to.equal('✅')
    expect(await life()).to.equal(24)
    expect((await w.ask(ada, '!config history')).body).to.include(bob)
    expect((await w.toldTo(ada)).at(-1)).to.include('approved')
    expect((await w.ask(bob, `!approve ${code}`)).mark).to.equal('⛔')
    expect((await w.audit('approval.give'))[0]).to.include({ outcome: 'done' })
    expect(await w.db.dump()).not.to.include(code)
  })

  it('are not approved late, by rejection, by others than administrators, or for somebody who is none any more', async () => {
    const cleo = await w.person('cleo', 'compliance')
    await w.ask(ada, '!config set link.life_hours 24')
    const first = await codeFor(bob)
    expect((await w.ask(cleo, `!approve ${first}`)).body).to.include('admin')
    w.db.store.clock.advance(minutes(15))
    expect((await w.ask(bob, `!approve ${first}`)).body).to.include('no open request')
    await w.ask(ada, '!config set link.life_hours 25')
    expect((await w.ask(bob, `!reject ${await codeFor(bob)}`)).body).to.include('Nothing was changed')
    await w.ask(ada, '!config set link.life_hours 26')
    const third = await codeFor(bob)
    await transact(w.db.store, tx => revokeRole(tx, { userId: ada, role: 'admin', by: 'test' }))
    expect((await w.ask(bob, `!approve ${third}`)).body).to.include('no administrator any more')
    expect(await life()).to.equal(72)
  })

  it('are not approved when they were changed meanwhile', async () => {
    await w.ask(ada, '!config set link.life_hours 24')
    const old = await codeFor(bob)
    await w.ask(bob, '!config set link.life_hours 48')
    await w.ask(ada, `!approve ${await codeFor(ada)}`)
    expect((await w.ask(bob, `!approve ${old}`)).body).to.include('changed meanwhile')
    expect(await life()).to.equal(48)
  })

  it('cannot be approved by guessing', async () => {
    await w.ask(ada, '!config set link.life_hours 24')
    const right = await codeFor(bob)
    for (let i = 0; i < 5; i++) expect((await w.ask(bob, `!approve ABCD-EFG${i}`)).body).to.include('no open request')
    expect((await w.ask(bob, `!approve ${right}`)).body).to.include('Too many')
    w.db.store.clock.advance(minutes(1))
    expect((await w.ask(bob, `!approve ${right}`)).mark).to.equal('✅')
  })

  it('refuse values with what they expect, and unknown names with what was meant', async () => {
    expect((await w.ask(ada, '!config set link.life_hours 500')).body).to.include('whole number from 1 to 168')
    expect((await w.ask(ada, '!config set link.lifehours 5')).body).to.include('Did you mean link.life_hours?')
    expect((await w.ask(ada, '!config show link.life_hours')).body).to.include('second administrator')
    expect((await w.ask(ada, '!config list sms')).body)
      .to.include('sms.quiet_from')
      .and.not.include('clinic.name')
  })

  it('have starting values that stay changed once somebody changed them', async () => {
    const seedNow = () => transact(w.db.store, tx => seedSettings(tx, { 'sms.task_hours': '10' }))
    expect(await seedNow()).to.deep.equal(['sms.task_hours'])
    await w.ask(ada, '!config set sms.task_hours default')
    await w.ask(ada, '!confirm')
    expect(await seedNow()).to.deep.equal([])
    expect((await readSettings(w.db.store.db))['sms.task_hours']).to.equal(48)
  })
})

describe('roles by chat', () => {
  let w: CommandWorld
  let ada: UserId
  beforeEach(async () => {
    w = await commandWorld()
    ada = await w.person('ada', 'admin')
  })
  afterEach(() => w.db.drop())

  it('are granted by the only administrator at once, and by two of them together', async () => {
    expect((await w.ask(ada, '!role grant bob admin')).body).to.include('Done')
    expect((await w.ask(ada, '!role grant cem clinician')).body).to.include('Nothing is changed yet')
    const code = /!approve (\S+)/.exec((await w.toldTo('@bob:clinic.example' as UserId)).at(-1) ?? '')?.[1]
    await w.ask('@bob:clinic.example' as UserId, `!approve ${code}`)
    const [grant] = await listGrants(w.db.store.db, { userId: '@cem:clinic.example' })
    expect(grant).to.include({ role: 'clinician', identity: 'key of cem', grantedBy: ada })
    expect((await w.audit('role.grant')).at(-1)?.detail).to.deep.include({ approved_by: '@bob:clinic.example' })
  })

  it('want a cryptographic identity, and are never changed for oneself', async () => {
    expect((await w.ask(ada, '!role grant nobody desk')).body).to.include('no cross-signing yet')
    expect((await w.ask(ada, '!role grant ada desk')).body).to.include('Another administrator')
    expect((await w.ask(ada, '!role grant @eve:other.example desk')).body).to.include('federation.allowed')
    await w.db.store
      .db('setting')
      .insert({ key: 'federation.allowed', value: '"other.example"', changed_at: 0, changed_by: 'x' })
    expect((await w.ask(ada, '!role grant @eve:other.example desk')).mark).to.equal('✅')
  })

  it('keep the last administrator', async () => {
    expect((await w.ask(ada, '!role revoke ada admin')).body).to.include('last administrator')
    expect(await listGrants(w.db.store.db, { role: 'admin' })).to.have.lengthOf(1)
  })

  it('are taken away at once, but those with power over others by two', async () => {
    const bob = await w.person('bob', 'admin', 'desk')
    expect((await w.ask(ada, '!role revoke bob desk')).body).to.include('no longer desk')
    expect((await w.ask(ada, '!role revoke bob admin')).body).to.include('Nothing is changed yet')
    const own = /!approve (\S+)/.exec((await w.toldTo(bob)).at(-1) ?? '')?.[1]
    expect((await w.ask(bob, `!approve ${own}`)).body).to.include('third administrator')
    expect((await w.ask(ada, '!role revoke bob clinician')).body).to.include('does not hold')
  })

  it('are suspended when the identity changes, until another administrator grants them again', async () => {
    const dana = await w.person('dana', 'desk', 'clinician')
    const other = await w.ask(dana, '!patient list', { identity: 'another key' })
    expect(other.mark).to.equal('⛔')
    expect(other.body).to.include('suspended')
    expect((await w.toldTo(ada)).at(-1)).to.include(dana)
    expect(await w.audit('role.suspend')).to.have.lengthOf(2)
    expect((await w.ask(dana, '!patient list')).body, 'the old identity does not help').to.include('suspended')
    await w.ask(ada, '!role grant dana desk')
    expect((await w.ask(dana, '!patient list')).mark).to.equal('✅')
    expect((await w.ask(ada, '!role list')).body).to.match(/clinician +@dana:clinic.example +suspended/)
  })

  it('of the configuration are bound to whom first writes in that name', async () => {
    await w.db.store.db('role_grant').where({ user_id: ada }).update({ identity_key: null })
    await w.ask(ada, '!whoami', { identity: 'first key' })
    expect((await listGrants(w.db.store.db, { userId: ada }))[0]?.identity).to.equal('first key')
    expect((await w.ask(ada, '!whoami', { identity: 'second key' })).mark).to.equal('⛔')
  })
})
