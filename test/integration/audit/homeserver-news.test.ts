import { expect } from 'chai'
import express from 'express'
import { receiptsIn } from '../../../core/domain/audit/room-event.ts'
import type { PatientId, RoomId, UserId } from '../../../core/domain/ids.ts'
import { type Listener, listen } from '../../../core/http/listen.ts'
import { transactionsRouter } from '../../../core/http/transactions.ts'
import { secret } from '../../../core/secret.ts'
import { noteDevices } from '../../../core/store/audit/sources/devices-seen.ts'
import { recordNews } from '../../../core/store/audit/sources/homeserver-news.ts'
import { noteRoom, storeGhost } from '../../../core/store/patients/care.ts'
import { addPatient } from '../../../core/store/patients/patients.ts'
import { transact } from '../../../core/store/tx.ts'
import { database, type TestDatabase } from '../../support/database.ts'
import { testLog } from '../../support/test-log.ts'

const token = 'hs-token'
const server = 'clinic.example'
const room = '!care:clinic.example' as RoomId
const ghost = '@p_pat:clinic.example' as UserId
const lee = '@lee:clinic.example'

type Row = Record<'action' | 'patient' | 'room', string> & {
  actor: { kind: string; id: string; device?: string }
  object: { kind: string; id: string }
  detail: Record<string, unknown> | null
}

describe('what the homeserver reports', () => {
  let d: TestDatabase
  let http: Listener
  let patient: PatientId
  let person: string
  let txn = 0
  before(async function () {
    this.timeout(120_000)
    d = await database()
    const app = express().use(
      transactionsRouter({
        source: 'bots',
        hsToken: secret(token),
        store: d.store,
        log: testLog(),
        onNews: (tx, { events, edus, deviceLists }) =>
          recordNews(tx, { events, receipts: edus.flatMap(receiptsIn), deviceLists }, server),
      }),
    )
    http = await listen(app)
    await transact(d.store, async tx => {
      const added = await addPatient(tx, { phone: '+13125550101', dob: '1980-01-01', by: lee })
      if (!('id' in added)) throw new Error('the patient was not added')
      patient = added.id
      person = added.person
      await noteRoom(tx, patient, room)
      await storeGhost(tx, added.person, ghost, 'sealed', 'DEHYDRATED')
    })
  })
  after(async () => {
    await http.stop()
    await d.drop()
  })
  beforeEach(async () => {
    for (const table of ['audit_queue', 'inbox', 'receipt_seen', 'outbox']) await d.store.db(table).delete()
  })

  const put = (body: object) =>
    fetch(`${http.url}/_matrix/app/v1/transactions/${++txn}`, {
      method: 'PUT',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
      body: JSON.stringify({ events: [], ...body }),
    })
  const log = (): Promise<Row[]> => d.store.db('audit_queue').orderBy('id')
  let n = 0
  const event = (type: string, content: object, more: object = {}) => ({
    event_id: `$${++n}`,
    room_id: room,
    type,
    sender: lee,
    origin_server_ts: d.store.clock.now(),
    content,
    ...more,
  })
  const encrypted = (more: object = {}) =>
    event('m.room.encrypted', {
      algorithm: 'm.megolm.v1.aes-sha2',
      ciphertext: 'SECRET',
      device_id: 'LEEDEVICE',
      ...more,
    })
  const member = (who: string, membership: string, before?: string, sender = lee) =>
    event(
      'm.room.member',
      { membership, displayname: 'SECRET' },
      {
        state_key: who,
        sender,
        unsigned: before ? { prev_content: { membership: before } } : {},
      },
    )

  it('records messages, edits and removals with who, where, whose room and which device, and never what they say', async () => {
    const sent = encrypted()
    const edit = encrypted({ 'm.relates_to': { rel_type: 'm.replace', event_id: sent.event_id } })
    const gone = event('m.room.redaction', { redacts: sent.event_id, reason: 'SECRET' })
    await put({ events: [sent, edit, gone] })
    const rows = await log()
    expect(rows.map(r => [r.action, r.object.id])).to.deep.equal([
      ['message.sent', sent.event_id],
      ['message.edit', sent.event_id],
      ['message.redact', sent.event_id],
    ])
    expect(rows[0]).to.deep.include({ patient, room, actor: { kind: 'user', id: lee, device: 'LEEDEVICE' } })
    expect(JSON.stringify(rows)).not.to.include('SECRET')
  })

  it('writes nothing twice when the homeserver repeats a transaction or an event', async () => {
    const sent = encrypted()
    const receipt = {
      type: 'm.receipt',
      room_id: room,
      content: { [sent.event_id]: { 'm.read': { [lee]: { ts: 5 } } } },
    }
    const body = { events: [sent, sent], ephemeral: [receipt] }
    for (let i = 0; i < 3; i++) await put(body)
    expect((await log()).map(r => r.action)).to.deep.equal(['message.sent', 'message.receipt'])
  })

  it("takes a patient's ghost for the person, and what Wardroom runs for a service", async () => {
    await put({
      events: [
        encrypted(),
        { ...encrypted(), sender: ghost },
        { ...encrypted(), sender: '@r_owner:clinic.example' },
      ].map((e, i) => ({ ...e, event_id: `$who${i}` })),
    })
    expect((await log()).map(r => [r.actor.kind, r.actor.id])).to.deep.equal([
      ['user', lee],
      ['person', person],
      ['service', 'bridge'],
    ])
    const stranger = { ...encrypted(), sender: '@p_pat:elsewhere.example', room_id: '!other:clinic.example' }
    await put({ events: [stranger] })
    expect((await log()).at(-1)).to.deep.include({
      actor: { kind: 'user', id: stranger.sender, device: 'LEEDEVICE' },
      patient: null,
    })
  })

  it('records who came, went, was invited, removed or banned, and not a change of name', async () => {
    await put({
      events: [
        member('@kim:clinic.example', 'invite'),
        member('@kim:clinic.example', 'join', 'invite', '@kim:clinic.example'),
        member('@kim:clinic.example', 'join', 'join', '@kim:clinic.example'),
        member('@kim:clinic.example', 'leave', 'join', '@kim:clinic.example'),
        member(ghost, 'leave', 'join'),
        member('@kim:clinic.example', 'ban', 'leave'),
        member('@kim:clinic.example', 'leave', 'ban'),
      ],
    })
    const rows = await log()
    expect(rows.map(r => r.action)).to.deep.equal([
      'room.invite',
      'room.join',
      'room.leave',
      'room.kick',
      'room.ban',
      'room.unban',
    ])
    expect(rows[3]?.detail).to.deep.equal({ subject: 'patient', before: 'join' })
    expect(JSON.stringify(rows)).not.to.include('SECRET')
  })

  it('counts whose power rose and fell, once a room is made', async () => {
    const first = event('m.room.power_levels', { users: { [lee]: 100 } }, { state_key: '' })
    const next = event(
      'm.room.power_levels',
      { users: { [lee]: 50, '@kim:clinic.example': 50 } },
      {
        state_key: '',
        unsigned: { prev_content: { users: { [lee]: 100 } } },
      },
    )
    await put({ events: [first, next] })
    expect((await log()).map(r => [r.action, r.detail])).to.deep.equal([
      ['power.change', { what: 'm.room.power_levels', raised: 1, lowered: 1 }],
    ])
  })

  it('records each newer receipt once, and no private one', async () => {
    const read = (id: string, ts: number, kind = 'm.read') => ({
      ephemeral: [{ type: 'm.receipt', room_id: room, content: { [id]: { [kind]: { [lee]: { ts } } } } }],
    })
    for (const body of [
      read('$a', 10),
      read('$b', 20),
      read('$a', 10),
      read('$b', 20),
      read('$c', 30, 'm.read.private'),
    ])
      await put(body)
    expect((await log()).map(r => [r.action, r.object.id, r.patient])).to.deep.equal([
      ['message.receipt', '$a', patient],
      ['message.receipt', '$b', patient],
    ])
  })

  it('takes odd events and receipts without refusing the transaction', async () => {
    const odd = [
      event('m.room.member', { membership: 7 }, { state_key: 'x\0' }),
      event('m.room.encrypted', { 'm.relates_to': 'none', device_id: ['x'] }),
      event('m.room.power_levels', { users: null }, { state_key: '', unsigned: { prev_content: 3 } }),
      event('m.room.redaction', { redacts: 5 }, { sender: '\ud800' }),
      event('m.room.encrypted', {}, { sender: '@p_\0:clinic.example', room_id: '!\0' }),
      event('m.room.encrypted', {}, { event_id: undefined }),
    ]
    const ephemeral = [
      null,
      { type: 'm.receipt', room_id: room, content: { $x: { 'm.read': { u: null } } } },
      { type: 'm.receipt', content: null },
      { type: 'm.receipt', room_id: '!\0', content: { '$\0': { 'm.read': { '@\0': { ts: 1 } } } } },
    ]
    expect(
      (await put({ events: odd, ephemeral, 'org.matrix.msc3202.device_lists': { changed: [1, null, '@\0:x'] } }))
        .status,
    ).to.equal(200)
  })

  it('looks a person up, once for changes that come together, when the homeserver says that their devices changed', async () => {
    const changed = { 'org.matrix.msc3202.device_lists': { changed: [lee, '@r_owner:clinic.example'], left: [] } }
    for (let i = 0; i < 3; i++) await put(changed)
    expect(await d.store.db('outbox').pluck('kind')).to.deep.equal(['desk.devices'])
    const look = (devices: string[], identity: string | null) =>
      transact(d.store, tx => noteDevices(tx, lee, { devices, identity }, server))
    await look(['A'], 'key')
    await look(['A'], 'key')
    await look(['A', 'B'], 'other')
    await look(['B'], 'other')
    expect((await log()).map(r => [r.action, r.object.id, r.detail])).to.deep.equal([
      ['device.change', 'A', { added: 1, removed: 0, identity: 'new' }],
      ['device.change', 'B', { added: 1, removed: 0, identity: 'replaced' }],
      ['device.change', 'A', { added: 0, removed: 1 }],
    ])
  })
})
