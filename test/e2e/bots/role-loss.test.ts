import { expect } from 'chai'
import type { UserId } from '../../../core/domain/ids.ts'
import { listDevices } from '../../../core/matrix/bot/device-list.ts'
import { grantRole, revokeRole } from '../../../core/store/staff/roles.ts'
import { transact } from '../../../core/store/tx.ts'
import { anotherDevice, type Clinician, clinician } from '../../support/clinician.ts'
import { eventually } from '../../support/eventually.ts'
import { type TestBridge, testBridge } from '../../support/worlds/bridge.ts'

describe('a clinician who loses the role', function () {
  this.timeout(120_000)
  let bridge: TestBridge
  const people: Clinician[] = []
  const start = async (c: Promise<Clinician>) => {
    people.push(await c)
    return c
  }
  after(async () => {
    for (const p of people) await p.stop()
    await bridge?.stop()
  })

  it('leaves every care room, while those who keep it stay', async () => {
    bridge = await testBridge()
    const { store } = bridge.deps
    const lee = await start(clinician('lee'))
    const kim = await start(clinician('kim'))
    const change = (p: Clinician, how: 'grant' | 'revoke') =>
      transact(store, async tx => {
        const role = { userId: p.userId as UserId, role: 'clinician' as const, by: 'test' }
        if (how === 'grant') await grantRole(tx, { ...role, identity: 'key' })
        else await revokeRole(tx, role)
      })
    await change(lee, 'grant')
    await change(kim, 'grant')
    const { id, room } = await bridge.enrol(lee)
    await kim.room(room)
    await change(lee, 'revoke')
    await eventually(() => lee.client.getRoom(room)?.getMyMembership() === 'leave', { what: 'the removal' })
    expect(kim.client.getRoom(room)?.getMyMembership()).to.equal('join')
    const row = await eventually(() =>
      store.db('audit_queue').where({ action: 'room.member', reason: 'role-lost' }).first(),
    )
    expect(row).to.include({ room, patient: id })
  })

  it('is one of those whose unverified devices administrators see', async () => {
    const [, kim] = people as [Clinician, Clinician]
    const unsigned = await start(anotherDevice(kim, { signed: false, onlySigned: false }))
    const owner = `@r_unit_main:${bridge.deps.ghosts.serverName}` as UserId
    const listed = await eventually(async () => {
      const all = await listDevices(bridge.deps.homeserver, owner, [kim.userId])
      return all.length === 2 ? all : undefined
    })
    const state = Object.fromEntries(listed.map(d => [d.deviceId, d.signed]))
    expect(state).to.deep.equal({ [kim.deviceId]: true, [unsigned.deviceId]: false })
  })
})
