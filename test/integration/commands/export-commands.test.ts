import { generateX25519Identity, identityToRecipient } from 'age-encryption'
import { expect } from 'chai'
import { days, hours, minutes } from '../../../core/domain/clock.ts'
import type { UserId } from '../../../core/domain/ids.ts'
import { roomsOfExport } from '../../../core/store/records/export-rooms.ts'
import { beginExport, exportById, lapseExports } from '../../../core/store/records/exports.ts'
import { noteRecords } from '../../../core/store/records/note.ts'
import { transact } from '../../../core/store/tx.ts'
import { type CommandWorld, commandWorld } from '../../support/worlds/command-world.ts'

const room = '!ward:clinic.example'

/** Row 53: an export is asked for by one person, approved by another, told to its rooms, and open for a while only. */
describe('!export', function () {
  this.timeout(120_000)
  let w: CommandWorld
  let officer: UserId
  let second: UserId
  let to: string

  before(async () => {
    to = await identityToRecipient(await generateX25519Identity())
  })
  beforeEach(async () => {
    w = await commandWorld()
    officer = await w.person('cora', 'compliance')
    second = await w.person('carl', 'compliance')
    await wrote('@ann:clinic.example')
  })
  afterEach(() => w.db.drop())

  const store = () => w.db.store
  const wrote = async (sender: string, inRoom = room) => {
    const now = store().clock.now()
    const events = [1, 2, 3].map(n => ({
      event_id: `$${inRoom}${sender}${n}`.replace(/[^$\w]/g, ''),
      room_id: inRoom,
      type: 'm.room.encrypted',
      sender,
      origin_server_ts: now - days(n),
      content: { session_id: 'S' },
    }))
    await transact(store(), tx => noteRecords(tx, { events, receipts: [] }))
  }
  const code = async (who: UserId) => /!approve (\S+)/.exec((await w.toldTo(who)).at(-1) ?? '')?.[1] ?? ''
  const asked = async (text = `!export request room ${room} reason "claim 7" to ${to}`): Promise<string> => {
    const said = await w.ask(officer, text)
    expect(said.mark, said.body).to.equal('✅')
    return /ex_[0-9a-z]{16}/.exec(said.body)?.[0] ?? ''
  }
  const stateOf = async (id: string) => (await exportById(store().db, id))?.state
  const all = async () => Number((await store().db('export_request').count({ n: '*' }).first())?.n)

  it('is approved by a second person, has its rooms told, and lapses', async () => {
    const id = await asked()
    expect(await stateOf(id)).to.equal('requested')
    expect((await w.toldTo(second)).at(-1))
      .to.include('claim 7')
      .and.include(room)
    expect((await w.ask(officer, `!approve ${await code(second)}`)).body).to.include('your own request')
    expect(await stateOf(id)).to.equal('requested')
    expect((await w.ask(second, `!approve ${await code(second)}`)).body).to.include('is approved')
    expect(await roomsOfExport(store().db, id)).to.deep.equal([
      { room, class: 'staff', patient: null, toldAt: null, untold: null },
    ])
    const jobs = await store().db('outbox').where({ kind: 'desk.export-told' })
    expect(jobs.map(j => j.queue)).to.deep.equal(['bots'])
    expect((await w.ask(officer, `!export show ${id}`)).body)
      .to.include('claim 7')
      .and.include('0 of 1')
    expect((await w.ask(officer, '!export list')).body).to.include('approved until')
    store().clock.advance(hours(72))
    const late = await transact(store(), tx => beginExport(tx, id, { by: 'cli', shares: '1 2' }))
    expect(late).to.include({ code: 'export-expired' })
    expect(await transact(store(), lapseExports)).to.equal(1)
    expect(await transact(store(), lapseExports)).to.equal(0)
    const written = await store().db('audit_queue').where('action', 'like', 'export.%').orderBy('id').pluck('action')
    expect(written).to.deep.equal(['export.request', 'export.approve', 'export.view', 'export.view', 'export.expire'])
    expect(await w.db.dump(), 'why stands nowhere in clear').not.to.include('claim 7')
  })

  it('is closed when it is declined, cancelled, or not approved in time', async () => {
    const declined = await asked()
    await w.ask(second, `!reject ${await code(second)}`)
    expect(await stateOf(declined)).to.equal('cancelled')
    const cancelled = await asked()
    expect((await w.ask(officer, `!export cancel ${cancelled}`)).body).to.include('is cancelled')
    expect((await w.ask(second, `!approve ${await code(second)}`)).body).to.include('was cancelled')
    expect((await w.ask(officer, `!export cancel ${cancelled}`)).body).to.include('was cancelled')
    const forgotten = await asked()
    store().clock.advance(minutes(16))
    await transact(store(), lapseExports)
    expect(await stateOf(forgotten)).to.equal('expired')
  })

  it("reads of a user the rooms where they wrote, and of a patient's copy the care room alone", async () => {
    await wrote('@ann:clinic.example', '!other:clinic.example')
    await wrote('@bob:clinic.example', '!third:clinic.example')
    const ofUser = await asked(`!export request user @ann since 30d reason "claim 7" to ${to}`)
    await w.ask(second, `!approve ${await code(second)}`)
    expect((await roomsOfExport(store().db, ofUser)).map(r => r.room)).to.deep.equal(['!other:clinic.example', room])
    const added = await w.ask(await w.person('desk', 'desk'), '!patient add +1 202 555 0143 dob 1953-04-09')
    const patient = /[2-9A-Z]{3}-[2-9A-Z]{3}/.exec(added.body)?.[0] ?? ''
    const care = '!care:clinic.example'
    const { id } = await store().db('patient').first('id')
    await store().db('patient').update({ state: 'open', room_id: care })
    const row = { patient_id: id, created_at: 0, created_by: 'test' }
    await store()
      .db('room')
      .insert([
        { ...row, room_id: care, class: 'care' },
        { ...row, room_id: '!desk:clinic.example', class: 'desk' },
      ])
    await wrote('@ann:clinic.example', '!desk:clinic.example')
    const copy = await asked(`!export request patient ${patient} copy reason "asked for it" to ${to}`)
    await w.ask(second, `!approve ${await code(second)}`)
    expect((await roomsOfExport(store().db, copy)).map(r => r.room)).to.deep.equal([care])
    expect(await store().db('outbox').where({ kind: 'care.export-told' })).to.have.lengthOf(1)
    const whole = await asked(`!export request patient ${patient} reason "claim" to ${to}`)
    await w.ask(second, `!approve ${await code(second)}`)
    expect((await roomsOfExport(store().db, whole)).map(r => r.room)).to.deep.equal([care, '!desk:clinic.example'])
  })

  it('refuses what cannot be, with the reason, and changes nothing', async () => {
    const secret = await generateX25519Identity()
    const [about, why] = [`room ${room}`, 'reason "claim 7"']
    for (const [typed, sentence] of [
      [`!export request room !nowhere:clinic.example ${why} to ${to}`, 'No message of this room was ever seen'],
      [`!export request patient K7M-4QP ${why} to ${to}`, 'There is no patient'],
      [`!export request user @nobody:clinic.example ${why} to ${to}`, 'Nothing of that was ever seen'],
      [`!export request ${about} since 2099-01-01 ${why} to ${to}`, 'has not come yet'],
      [`!export request ${about} until 2099-01-01 ${why} to ${to}`, 'has not come yet'],
      [`!export request ${about} since 2d until 3d ${why} to ${to}`, 'must come after'],
      [`!export request ${about} ${why}`, 'is missing'],
      [`!export request ${about} to ${to}`, 'is missing'],
      [`!export request ${about} ${why} to`, 'missing'],
      [`!export request ${about} ${why} to age1qqqq`, 'is no age recipient'],
      [`!export request ${about} ${why} to ${to.slice(0, -1)}${to.endsWith('q') ? 'p' : 'q'}`, 'is no age recipient'],
      [`!export request ${about} ${why} to ${secret}`, 'private key'],
      [`!export request ward ${why} to ${to}`, 'room, user or patient'],
      ['!export show ex_0000000000000000', 'There is no export'],
      ['!export cancel ex_0000000000000000', 'There is no export'],
      ['!export cancel everything', 'Expected an export'],
    ] as const) {
      const said = await w.ask(officer, typed)
      expect(said, typed).to.include({ mark: '⛔' })
      expect(said.body, typed).to.include(sentence)
    }
    expect(
      (await w.ask(await w.person('nell', 'clinician'), `!export request ${about} ${why} to ${to}`)).mark,
    ).to.equal('⛔')
    expect(await all()).to.equal(0)
    expect((await w.audit('command.run')).filter(r => r.outcome === 'refused')).to.have.lengthOf(17)
  })

  it('refuses while nobody could be the second person', async () => {
    await store().db('role_grant').where({ user_id: second }).delete()
    expect((await w.ask(officer, `!export request room ${room} reason x to ${to}`)).body).to.include('there is none')
    expect(await all()).to.equal(0)
  })
})
