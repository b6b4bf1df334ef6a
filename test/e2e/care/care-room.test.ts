import { expect } from 'chai'
import type { PatientId } from '../../../core/domain/ids.ts'
import { personsOf } from '../../../core/store/patients/patients.ts'
import { type Clinician, clinician } from '../../support/clinician.ts'
import { eventually } from '../../support/eventually.ts'
import { type TestBridge, testBridge } from '../../support/worlds/bridge.ts'

/** Everything of a care room that a clinician's client shows with a body. */
const bodies = (c: Clinician, room: string) =>
  c
    .seen(room)
    .map(s => s.body)
    .filter(Boolean)

describe('a care room', function () {
  this.timeout(120_000)
  let bridge: TestBridge
  let lee: Clinician
  let kim: Clinician

  before(async () => {
    bridge = await testBridge()
    lee = await clinician('lee')
    kim = await clinician('kim')
    await bridge.grant(lee.userId)
  })
  after(async () => {
    await lee?.stop()
    await kim?.stop()
    await bridge?.stop()
  })

  const enrol = () => bridge.enrol(lee, { name: 'Maria Ortiz' })

  /** The devices of a user that the homeserver knows, dehydrated ones included. */
  const devicesOf = async (user: string) => {
    const { device_keys } = await bridge.deps.homeserver.request<{
      device_keys: Record<string, Record<string, { dehydrated?: boolean }>>
    }>('POST', '/_matrix/client/v3/keys/query', {
      userId: user,
      body: { device_keys: { [user]: [] } },
    })
    return Object.values(device_keys[user] ?? {})
  }

  it('is ready soon after enrolment, with the card that the clinician can read', async () => {
    const { room, code } = await enrol()
    await lee.waitFor(s => s.roomId === room && s.body.includes(code) && s.encrypted, { what: 'the card' })
    expect(bodies(lee, room).join('\n')).to.include('The patient reads this room')
  })

  it('is made, and its maker is told, although one of the staff cannot be invited', async () => {
    const { store } = bridge.deps
    const stranger = '@sam:elsewhere.example'
    await store.db('role_grant').insert({ user_id: stranger, role: 'clinician', granted_by: 'test', granted_at: 0 })
    const { id } = await enrol()
    await store.db('role_grant').where({ user_id: stranger }).delete()
    const { payload } = await store
      .db('outbox')
      .where({ key: `ready:${id}` })
      .first('payload')
    const { text } = JSON.parse(await store.seal.open('outbox.payload', payload))
    expect(text).to.include(`Could not be invited: ${stranger}`)
  })

  it('has no device of ours but the dehydrated one of the ghost', async () => {
    const { id, room, owner } = await enrol()
    await lee.waitFor(s => s.roomId === room && s.body.includes('🪪'), { what: 'the card' })
    const [person] = await personsOf(bridge.deps.store.db, id as PatientId)
    const ofGhost = await devicesOf(person?.ghost as string)
    expect(ofGhost).to.have.lengthOf(1)
    expect(ofGhost[0]?.dehydrated).to.equal(true)
    await eventually(async () => (await devicesOf(owner)).length === 0, { what: 'the end of the short-lived device' })
  })

  it('makes one notice of a message, and a nurse whom a clinician invites reads what came before', async () => {
    const { room } = await enrol()
    const said = await lee.send(room, 'Please take the tablet with food.')
    await eventually(async () => (await bridge.deps.store.db('notice').where({ event_id: said })).length === 1, {
      what: 'the notice',
    })
    await bridge.grant(kim.userId)
    await lee.invite(room, kim.userId)
    await kim.waitFor(s => s.roomId === room && s.body === 'Please take the tablet with food.', {
      what: 'the earlier message',
    })
    await kim.waitFor(s => s.roomId === room && s.body.includes('🪪') && !s.failure, { what: 'the card' })
  })

  it('tells somebody who was added by the server why earlier messages stay unreadable', async () => {
    const { room, owner } = await enrol()
    const said = await lee.send(room, 'Written before the nurse came.')
    await eventually(async () => (await bridge.deps.store.db('notice').where({ event_id: said })).length === 1, {
      what: 'the notice',
    })
    const nurse = await clinician('nurse')
    await bridge.deps.ghosts.invite(owner as never, room as never, nurse.userId)
    const told = await nurse.waitFor(s => s.roomId === room && s.body.includes('earlier messages stay unreadable'), {
      what: 'the explanation',
    })
    expect(told.body).to.include(nurse.userId)
    await nurse.stop()
  })
})
