import { expect } from 'chai'
import type { PatientId, PersonId } from '../../../core/domain/ids.ts'
import { isRefusal } from '../../../core/domain/refusal.ts'
import { spaceOf } from '../../../core/store/patients/care.ts'
import { recordConsent } from '../../../core/store/patients/consents.ts'
import { closePatient, removeCaregiver } from '../../../core/store/patients/patient-access.ts'
import { addCaregiver, personsOf } from '../../../core/store/patients/patients.ts'
import { transact } from '../../../core/store/tx.ts'
import { type Clinician, clinician } from '../../support/clinician.ts'
import { eventually } from '../../support/eventually.ts'
import { type TestBridge, testBridge } from '../../support/worlds/bridge.ts'

/** What the bridge says and does in a care room by itself (rows 58, 66, 126). */
describe('the jobs of a care room', function () {
  this.timeout(120_000)
  let bridge: TestBridge
  let lee: Clinician

  before(async () => {
    bridge = await testBridge()
    lee = await clinician('lee')
    await bridge.grant(lee.userId)
  })
  after(async () => {
    await lee?.stop()
    await bridge?.stop()
  })

  const enrol = () => bridge.enrol(lee)
  const queue = (kind: string, payload: unknown, key: string) =>
    transact(bridge.deps.store, tx => tx.enqueue({ queue: 'bridge', kind, payload, key }))
  const stateOf = async (owner: string, room: string, type: string, key = '') =>
    bridge.deps.homeserver.request(
      'GET',
      `/_matrix/client/v3/rooms/${encodeURIComponent(room)}/state/${type}/${encodeURIComponent(key)}`,
      { userId: owner },
    )

  it('posts what came in by SMS, encrypted, once, from a signed device, and says how it came', async () => {
    const { person, room } = await enrol()
    const job = { personId: person, body: 'I feel dizzy since this morning' }
    await queue('care.inbound-text', job, 'in:1')
    await queue('care.inbound-text', job, 'in:1')
    const seen = await lee.waitFor(s => s.roomId === room && s.body.includes('I feel dizzy'), { what: 'the text' })
    expect(seen.encrypted).to.equal(true)
    expect(seen.body).to.include('unencrypted SMS')
    expect(await lee.shield(seen)).to.equal('none')
    await queue('care.tell', { patientId: (await personOf(person)).patientId, what: 'stopped' }, 'tell:1')
    await lee.waitFor(s => s.roomId === room && s.body.includes('STOP'), { what: 'the word about STOP' })
    expect(lee.seen(room).filter(s => s.body.includes('I feel dizzy'))).to.have.lengthOf(1)
  })
  const personOf = async (id: PersonId) => {
    const row = await bridge.deps.store.db('person').where({ id }).first('patient_id')
    return { patientId: row.patient_id as PatientId }
  }

  it('gives a caregiver a ghost of their own in the same room, and a notice of their own for each message', async () => {
    const { id, room } = await enrol()
    await transact(bridge.deps.store, async tx => {
      const who = await addCaregiver(tx, id, { phone: '+12025558001', dob: '1980-01-01', name: 'Ana', by: lee.userId })
      if (isRefusal(who)) throw new Error(who.sentence)
      await recordConsent(tx, who, 'care', 'verbal', { kind: 'user', id: lee.userId })
    })
    const persons = await eventually(
      async () => {
        const all = await personsOf(bridge.deps.store.db, id)
        return all.length === 2 && all.every(p => p.ghost) ? all : undefined
      },
      { timeout: 60_000, what: 'the caregiver’s ghost' },
    )
    expect(new Set(persons.map(p => p.ghost)).size).to.equal(2)
    expect(new Set(persons.map(p => p.k)).size).to.equal(2)
    await eventually(
      () => persons.every(p => lee.client.getRoom(room)?.getMember(p.ghost as string)?.membership === 'join'),
      { what: 'both in the room' },
    )
    const event = await lee.send(room, 'For both of you.')
    const notices = await eventually(
      async () => {
        const rows = await bridge.deps.store.db('notice').where({ event_id: event })
        return rows.length === 2 ? rows : undefined
      },
      { what: 'two notices' },
    )
    expect(new Set(notices.map(n => n.link_id)).size, 'a link each').to.equal(2)
    const caregiver = persons.find(p => p.kind === 'caregiver')
    await transact(bridge.deps.store, tx => removeCaregiver(tx, caregiver?.id as PersonId, lee.userId))
    await eventually(() => lee.client.getRoom(room)?.getMember(caregiver?.ghost as string)?.membership === 'leave', {
      what: 'the caregiver out of the room',
    })
    const later = await lee.send(room, 'For the patient only.')
    await eventually(async () => (await bridge.deps.store.db('notice').where({ event_id: later })).length === 1, {
      what: 'one notice',
    })
    const states = await bridge.deps.store.db('notice').where({ person_id: caregiver?.id })
    expect(states.map(n => n.state)).to.deep.equal(['withdrawn'])
  })

  it('closes a patient: nobody writes any more, the room leaves its Space, what was unread is withdrawn', async () => {
    const { id, room, owner, code } = await enrol()
    const space = await spaceOf(bridge.deps.store.db, 'main')
    const unitOwner = `@r_unit_main:${bridge.deps.ghosts.serverName}`
    expect(await stateOf(unitOwner, space as string, 'm.space.child', room)).to.have.property('via')
    const event = await lee.send(room, 'See you next week.')
    await eventually(async () => (await bridge.deps.store.db('notice').where({ event_id: event })).length === 1, {
      what: 'the notice',
    })
    await transact(bridge.deps.store, tx => closePatient(tx, id, lee.userId))
    await eventually(
      async () =>
        (await bridge.deps.store.db('room').where({ room_id: room }).first('archived_at'))?.archived_at ?? undefined,
      { what: 'the archived room' },
    )
    expect((await bridge.deps.store.db('notice').where({ event_id: event }).first()).state).to.equal('withdrawn')
    expect(await stateOf(unitOwner, space as string, 'm.space.child', room)).to.deep.equal({})
    expect((await stateOf(owner, room, 'm.room.topic')).topic).to.include('Closed')
    const refused = await lee.send(room, 'one more').then(
      () => 'sent',
      e => (e as { errcode?: string }).errcode,
    )
    expect(refused).to.equal('M_FORBIDDEN')
    expect(
      lee.seen(room).some(s => s.body.includes(code)),
      'what was there stays readable',
    ).to.equal(true)
  })

  it('leaves the room’s power with its owner: a clinician cannot rename, open or empty it', async () => {
    const { room, owner } = await enrol()
    const path = (rest: string) => `/_matrix/client/v3/rooms/${encodeURIComponent(room)}/${rest}`
    const tries: [string, string, unknown][] = [
      ['PUT', path('state/m.room.name/'), { name: 'Maria Alvarez, diabetes' }],
      ['PUT', path('state/m.room.topic/'), { topic: 'x' }],
      ['PUT', path('state/m.room.join_rules/'), { join_rule: 'public' }],
      ['PUT', path('state/m.room.history_visibility/'), { history_visibility: 'world_readable' }],
      ['PUT', path('state/m.room.power_levels/'), { users: { [lee.userId]: 100 } }],
      ['POST', path('kick'), { user_id: owner }],
      ['POST', path('upgrade'), { new_version: '11' }],
    ]
    for (const [method, url, body] of tries) {
      const answer = await fetch(lee.client.getHomeserverUrl() + url, {
        method,
        headers: { authorization: `Bearer ${lee.accessToken}`, 'content-type': 'application/json' },
        body: JSON.stringify(body),
      })
      expect(answer.status, `${method} ${url}`).to.equal(403)
    }
  })
})
