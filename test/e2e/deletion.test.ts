import { expect } from 'chai'
import { careDeletion } from '../../appservice/care/deletion.ts'
import type { EventShape } from '../../core/domain/audit/room-event.ts'
import { days, hours } from '../../core/domain/clock.ts'
import { deletionRun } from '../../core/records/deletion.ts'
import { type Db, openDb } from '../../core/store/db.ts'
import { noteRecords } from '../../core/store/records/note.ts'
import { changePolicy } from '../../core/store/records/policies.ts'
import { transact } from '../../core/store/tx.ts'
import { type Clinician, clinician } from '../support/clinician.ts'
import { dumpOf } from '../support/database.ts'
import { eventually } from '../support/eventually.ts'
import { stack } from '../support/stack.ts'
import { type CarePatient, type TestBridge, testBridge } from '../support/worlds/bridge.ts'

/** Rows 32, 50: what a policy lets go is gone from the homeserver and from Wardroom, and the log certifies it. */
describe('deletion', function () {
  this.timeout(120_000)
  let bridge: TestBridge
  let lee: Clinician
  let synapse: Db

  before(async () => {
    bridge = await testBridge()
    lee = await clinician('lee')
    await bridge.grant(lee.userId)
    synapse = openDb((await stack()).postgresUrl('synapse'), { max: 2, name: 'test' })
  })
  after(async () => {
    await synapse?.destroy()
    await lee?.stop()
    await bridge?.stop()
  })

  /** The event as the homeserver stores it, noted as the bots' transactions would note it. */
  const noted = async ({ room, owner }: CarePatient, id: string): Promise<EventShape> => {
    const event = await bridge.deps.homeserver.request<EventShape>(
      'GET',
      `/_matrix/client/v3/rooms/${encodeURIComponent(room)}/event/${encodeURIComponent(id)}`,
      { userId: owner },
    )
    await transact(bridge.deps.store, tx => noteRecords(tx, { events: [event], receipts: [] }))
    return event
  }

  it('leaves no ciphertext and no session anywhere, redacts, keeps what is newer, and certifies the run', async () => {
    const { store } = bridge.db
    const patient = await bridge.enrol(lee)
    const { room } = patient
    const ids = [await lee.send(room, 'the first'), await lee.send(room, 'the second')]
    const old = await Promise.all(ids.map(id => noted(patient, id)))
    store.clock.advance(days(8))
    const kept = await noted(patient, await lee.send(room, 'the third'))
    await store.db('record').where({ event_id: kept.event_id }).update({ sent_at: store.clock.now() })
    const ciphertexts = old.map(e => String(e.content.ciphertext))
    for (const text of ciphertexts)
      expect(await dumpOf(synapse), 'the search finds it while it is there').to.include(text)
    await transact(store, tx =>
      changePolicy(
        tx,
        { scope: { kind: 'class', class: 'care' }, minimum: false, value: { from: 'sent', keepMs: days(7) } },
        { by: '@cora:h', approvedBy: '@carl:h' },
      ),
    )
    expect(await deletionRun(careDeletion(bridge.deps))).to.equal(2)

    const here = `${await dumpOf(synapse)}\n${await bridge.db.dump()}`
    for (const text of ciphertexts) expect(here).not.to.include(text)
    expect(here, 'what is newer stays').to.include(String(kept.content.ciphertext))
    for (const id of ids)
      await eventually(() => lee.seen(room).find(s => s.eventId === id)?.redacted, {
        what: 'the removal in the client',
      })
    const certificates = await store.db('audit_queue').where({ action: 'record.certificate' })
    expect(certificates.map(c => c.detail)).to.have.lengthOf(1)
    expect(certificates[0]?.detail).to.deep.include({ count: 2, by_window: 2, approved_by: '@carl:h' })
    expect(await store.db('audit_queue').where({ action: 'record.destroy' })).to.have.lengthOf(2)
    expect(await deletionRun(careDeletion(bridge.deps)), 'a second run').to.equal(0)
  })

  it('destroys the keys in the patient’s backup once nothing of their session is left', async () => {
    const { store } = bridge.db
    const patient = await bridge.enrol(lee)
    const { room, ghost } = patient
    const event = await noted(patient, await lee.send(room, 'alone in its session'))
    const session = String(event.content.session_id)
    const { version } = await bridge.deps.homeserver.request<{ version: string }>(
      'GET',
      '/_matrix/client/v3/room_keys/version',
      { userId: ghost },
    )
    const path = `/_matrix/client/v3/room_keys/keys/${encodeURIComponent(room)}/${encodeURIComponent(session)}`
    const key = { first_message_index: 0, forwarded_count: 0, is_verified: true, session_data: { ciphertext: 'c' } }
    await bridge.deps.homeserver.request('PUT', path, { userId: ghost, query: { version }, body: key })
    await store.db('record').where({ event_id: event.event_id }).update({ recalled_at: store.clock.now() })
    await deletionRun(careDeletion(bridge.deps), { events: [event.event_id] })
    const left = await bridge.deps.homeserver
      .request('GET', path, { userId: ghost, query: { version } })
      .catch((e: { errcode?: string }) => e.errcode)
    expect(left).to.equal('M_NOT_FOUND')
    expect(await dumpOf(synapse)).not.to.include(session)
  })

  it('goes on after a kill: what was decided is destroyed by the next run', async () => {
    const { store } = bridge.db
    const patient = await bridge.enrol(lee)
    const { room } = patient
    const event = await noted(patient, await lee.send(room, 'decided, then killed'))
    const row = {
      doomed_at: store.clock.now(),
      run_id: 'dr_killed',
      rule: JSON.stringify({ kind: 'recall', id: null }),
    }
    await store.db('record').where({ event_id: event.event_id }).update(row)
    store.clock.advance(hours(1))
    expect(await deletionRun(careDeletion(bridge.deps))).to.equal(1)
    expect(await dumpOf(synapse)).not.to.include(String(event.content.ciphertext))
  })

  it('is refused to everybody but Wardroom’s services', async () => {
    const url = `${bridge.deps.homeserver.url}/_synapse/client/wardroom_destroy`
    for (const token of [lee.accessToken, 'wrong', undefined]) {
      const headers: Record<string, string> = token ? { authorization: `Bearer ${token}` } : {}
      const answer = await fetch(url, { method: 'POST', headers, body: JSON.stringify({ events: [] }) })
      expect(answer.status, String(token)).to.be.within(401, 403)
    }
  })
})
