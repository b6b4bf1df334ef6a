import { expect } from 'chai'
import type { CareDeps } from '../../../appservice/care/deps.ts'
import { careGivenUp } from '../../../appservice/care/index.ts'
import { onRoomEvent } from '../../../appservice/care/room-events.ts'
import type { EventId, PatientId, RoomId, UserId } from '../../../core/domain/ids.ts'
import { isRefusal } from '../../../core/domain/refusal.ts'
import { type JobHandler, startOutbox } from '../../../core/queues/outbox-worker.ts'
import { addCaregiver, addPatient, patientById } from '../../../core/store/patients/patients.ts'
import { transact } from '../../../core/store/tx.ts'
import { database, type TestDatabase } from '../../support/database.ts'
import { testLog } from '../../support/test-log.ts'
import { commandWorld } from '../../support/worlds/command-world.ts'

const ann = '@ann:clinic.example'

describe('an enrolment', function () {
  this.timeout(120_000)
  let d: TestDatabase
  let phones = 0
  before(async () => {
    d = await database()
  })
  after(() => d?.drop())

  const add = async () => {
    const phone = `+1202555${2000 + phones++}`
    const added = await transact(d.store, tx => addPatient(tx, { phone, dob: '1950-03-04', by: ann }))
    if (isRefusal(added)) throw new Error(added.sentence)
    return { ...added, phone }
  }
  const said = async (kind: string) => {
    const rows: { payload: string }[] = await d.store.db('outbox').where({ queue: 'bots', kind }).orderBy('seq')
    return Promise.all(rows.map(async r => JSON.parse(await d.store.seal.open('outbox.payload', r.payload))))
  }
  /** The bridge's queue with a homeserver that refuses everything, till nothing is due. */
  const refused = async () => {
    const handlers = Object.fromEntries(
      ['patient.enrol', 'person.enrol'].map((kind): [string, JobHandler] => [
        kind,
        async () => {
          throw new Error('403 M_FORBIDDEN')
        },
      ]),
    )
    const outbox = await startOutbox({
      ...{ queue: 'bridge', store: d.store, handlers, givenUp: careGivenUp, maxErrors: 1 },
      log: testLog(),
    })
    await outbox.idle()
    await outbox.stop()
  }

  it('that fails for good is failed, tells whoever began it once, and may be begun anew', async () => {
    const { id, code, phone } = await add()
    await refused()
    await refused()
    expect((await patientById(d.store.db, id))?.state).to.equal('failed')
    const told = await said('bot.say')
    expect(told).to.have.lengthOf(1)
    expect(told[0].to).to.deep.equal({ user: ann })
    expect(told[0].text).to.include(code).and.include('could not be made')
    const audits = await d.store.db('audit_queue').where({ patient: id, action: 'patient.ready' })
    expect(audits.map(a => a.outcome)).to.deep.equal(['failed'])
    const again = await transact(d.store, tx => addPatient(tx, { phone, dob: '1950-03-04', by: ann }))
    expect(isRefusal(again)).to.equal(false)
    await d.store.db('outbox').where({ state: 'pending' }).update({ state: 'done' })
  })

  it('of a caregiver that fails for good is told to the desk', async () => {
    const { id, code } = await add()
    await d.store.db('outbox').where({ state: 'pending' }).update({ state: 'done' })
    await d.store
      .db('patient')
      .where({ id })
      .update({ state: 'open', room_id: `!${id}:test` })
    await transact(d.store, tx => addCaregiver(tx, id, { phone: '+12025558888', dob: '1970-01-01', by: ann }))
    await refused()
    expect((await said('desk.alert')).map(a => a.text).join()).to.include(code)
  })

  /** An event of a care room, as the inbox hands it to the bridge. */
  const happens = async (room: string, type: string, eventId: string, content = {}) => {
    const raw = { event_id: eventId, room_id: room, type, sender: ann, origin_server_ts: 1, content }
    const deps: Partial<CareDeps> = { store: d.store, publicUrl: 'http://localhost' }
    const effects = await onRoomEvent(deps as CareDeps)({
      ...{ id: 1, source: 'ghosts' as const, eventId: eventId as EventId, roomId: room as RoomId },
      ...{ type, sender: ann as UserId, stateKey: undefined, originServerTs: 1 },
      ...{ content, raw, receivedAt: 1, attempts: 0, expired: false },
    })
    if (effects.kind === 'done') await transact(d.store, async tx => effects.apply?.(tx))
    return effects.kind
  }

  it('loses no message that a clinician writes before it is quite done', async () => {
    const { id } = await add()
    const room = '!early:clinic.example'
    await d.store.db('patient').where({ id }).update({ room_id: room, service_user: '@r_x:clinic.example' })
    expect(await happens(room, 'm.room.encrypted', '$early')).to.equal('done')
    expect(await d.store.db('notice').where({ patient_id: id as PatientId })).to.have.lengthOf(1)
  })

  it('is followed by no silence about words in clear: their sender and the desk are told, and no words are kept', async () => {
    const { id, code } = await add()
    const room = '!clear:clinic.example'
    await d.store.db('patient').where({ id }).update({ room_id: room, state: 'open' })
    expect(await happens(room, 'm.room.message', '$clear', { body: 'grapefruit' })).to.equal('done')
    expect((await said('bot.say')).at(-1)).to.deep.include({ to: { user: ann } })
    expect((await said('desk.alert')).at(-1).text)
      .to.include(code)
      .and.include('without encryption')
    expect(JSON.stringify([await said('bot.say'), await said('desk.alert')])).not.to.include('grapefruit')
    expect(await d.store.db('notice').where({ patient_id: id })).to.deep.equal([])
  })

  it('that is not done, or failed, is named when a link is asked for', async () => {
    const w = await commandWorld()
    try {
      const lee = await w.person('lee', 'clinician')
      const { body } = await w.ask(lee, '!patient add +1 202 555 0142 dob 1950-03-04')
      const code = /The patient is (\S+)\./.exec(body)?.[1] ?? ''
      expect((await w.ask(lee, `!patient link ${code}`)).body).to.include('still being made')
      await w.db.store.db('patient').where({ code }).update({ state: 'failed' })
      expect((await w.ask(lee, `!patient link ${code}`)).body).to.include('could not be made')
      const care = await w.ask(lee, `!patient caregiver ${code} +1 202 555 0143 dob 1980-03-04`)
      expect([care.mark, care.body]).to.deep.equal([
        '⛔',
        'The care room of this patient could not be made; enrol the patient again.',
      ])
    } finally {
      await w.db.drop()
    }
  })
})
