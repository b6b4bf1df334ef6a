import { expect } from 'chai'
import { publishStaff, staffListTimes } from '../../../appservice/care/room/staff-list.ts'
import type { UserId } from '../../../core/domain/ids.ts'
import { grantRole, revokeRole } from '../../../core/store/staff/roles.ts'
import { transact } from '../../../core/store/tx.ts'
import { type Clinician, clinician } from '../../support/clinician.ts'
import { eventually } from '../../support/eventually.ts'
import { type Stack, stack } from '../../support/stack.ts'
import { type TestBridge, testBridge } from '../../support/worlds/bridge.ts'

describe('an invitation into a care room', function () {
  this.timeout(120_000)
  let s: Stack
  let bridge: TestBridge
  let lee: Clinician
  let kim: { userId: string; accessToken: string }
  let room: string

  before(async function () {
    this.timeout(300_000)
    s = await stack()
    bridge = await testBridge()
    lee = await clinician('lee')
    kim = await s.synapse.registerUser('kim-invited')
    await bridge.grant(lee.userId)
    room = (await bridge.enrol(lee)).room
  })
  after(async () => {
    await lee?.stop()
    await bridge?.stop()
  })

  const call = async (token: string, method: string, path: string, body: unknown) => {
    const response = await fetch(`${s.synapse.url}/_matrix/client/v3${path}`, {
      method,
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: JSON.stringify(body),
    })
    const answer = (await response.json()) as { error?: string }
    return { status: response.status, said: answer.error ?? '' }
  }
  const invite = (user: string, into = room) =>
    call(lee.accessToken, 'POST', `/rooms/${encodeURIComponent(into)}/invite`, { user_id: user })
  const leave = () => call(kim.accessToken, 'POST', `/rooms/${encodeURIComponent(room)}/leave`, {})

  it('is refused for somebody of the homeserver without a clinical role, and for a stranger', async () => {
    for (const user of [kim.userId, '@sam:elsewhere.example']) {
      const { status, said } = await invite(user)
      expect(status).to.equal(403)
      expect(said).to.include(`${user} has no clinical role`).and.include('!role grant')
    }
  })

  it('is accepted as soon as the role is granted, and refused again when it is taken away', async () => {
    const { store } = bridge.deps
    const user = kim.userId as UserId
    await transact(store, tx => grantRole(tx, { userId: user, role: 'clinician', by: '@ann:x', identity: null }))
    await eventually(async () => (await invite(user)).status === 200, { what: 'the invitation' })
    await leave()
    await transact(store, tx => revokeRole(tx, { userId: user, role: 'clinician', by: '@ann:x' }))
    await eventually(
      async () => {
        const { status, said } = await invite(user)
        if (status === 200) await leave()
        return status === 403 && said.includes('no clinical role')
      },
      { what: 'the refusal' },
    )
  })

  it('is refused to everybody while Wardroom is away, and says so', async () => {
    const { deps } = bridge
    await bridge.grant(kim.userId)
    const long = staffListTimes.lifeMs + 1000
    await publishStaff({ ...deps, store: { ...deps.store, clock: { now: () => deps.store.clock.now() - long } } })
    const { status, said } = await invite(kim.userId)
    expect(status).to.equal(403)
    expect(said).to.include('Wardroom does not answer')
    await publishStaff(deps)
    expect((await invite(kim.userId)).status).to.equal(200)
  })

  it('is nobody’s business elsewhere: staff invite whom they like into rooms of their own', async () => {
    const own = await lee.createRoom({ name: 'Lunch' })
    const sam = await s.synapse.registerUser('sam-lunch')
    expect((await invite(sam.userId, own)).status).to.equal(200)
  })

  it('rests on a list that nobody but the application service can write', async () => {
    const path = `/user/${encodeURIComponent(`@r_staff:${s.synapse.serverName}`)}/account_data/org.wardroom.staff`
    const forged = { users: ['@sam:elsewhere.example'], until: Date.now() + 1e9 }
    expect((await call(lee.accessToken, 'PUT', path, forged)).status).to.equal(403)
    const taken = await fetch(`${s.synapse.url}/_matrix/client/v3/register`, {
      method: 'POST',
      headers: { authorization: `Bearer ${s.bots.asToken}` },
      body: JSON.stringify({ type: 'm.login.application_service', username: 'r_staff', inhibit_login: true }),
    })
    expect(taken.status).to.equal(400)
  })
})
