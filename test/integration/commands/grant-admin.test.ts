import { expect } from 'chai'
import type { UserId } from '../../../core/domain/ids.ts'
import { grantAdminFromHost, grantRole, holdersOf, listGrants, standingOf } from '../../../core/store/staff/roles.ts'
import { transact } from '../../../core/store/tx.ts'
import { database, type TestDatabase } from '../../support/database.ts'

const ann = '@ann:clinic.example' as UserId
const bob = '@bob:clinic.example' as UserId

describe('an administrator made on the command line', function () {
  this.timeout(120_000)
  let d: TestDatabase
  beforeEach(async () => {
    d = await database()
    await transact(d.store, tx => grantRole(tx, { userId: ann, role: 'admin', by: 'configuration', identity: 'old' }))
  })
  afterEach(() => d.drop())
  const grant = (userId: UserId, identity: string, anyway = false) =>
    transact(d.store, tx => grantAdminFromHost(tx, { userId, identity, by: 'root', anyway }))
  const told = async () => (await d.store.db('outbox').where({ kind: 'bot.say' })).length

  it('ends the suspension of the only one, pinned to the new identity, and is audited', async () => {
    const lost = await transact(d.store, tx => standingOf(tx, ann, 'new'))
    expect(lost).to.deep.include({ roles: [], changed: true })
    expect(await grant(ann, 'new')).to.equal(undefined)
    expect((await transact(d.store, tx => standingOf(tx, ann, 'new'))).roles).to.deep.equal(['admin'])
    expect((await transact(d.store, tx => standingOf(tx, ann, 'old'))).roles).to.deep.equal([])
    const rows = await d.store.db('audit_queue').where({ action: 'role.grant' }).orderBy('id')
    expect(rows.at(-1)).to.deep.include({ outcome: 'done', actor: { id: 'host:root', kind: 'service' } })
  })

  it('is refused while another one can do it in chat; done anyway, each of them is told', async () => {
    expect(await grant(bob, 'bob')).to.have.property('code', 'others')
    expect(await holdersOf(d.store.db, 'admin')).to.deep.equal([ann])
    expect(await grant(bob, 'bob', true)).to.equal(undefined)
    expect(await listGrants(d.store.db, { userId: bob })).to.have.lengthOf(1)
    expect(await told()).to.equal(1)
    expect(await grant(bob, 'bob', true)).to.have.property('code', 'is-admin')
  })
})
