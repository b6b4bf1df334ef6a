import { expect } from 'chai'
import { days } from '../../../core/domain/clock.ts'
import type { PatientId, UserId } from '../../../core/domain/ids.ts'
import { beginExit } from '../../../core/store/records/exits.ts'
import { releaseHold } from '../../../core/store/records/holds.ts'
import { noteRecords } from '../../../core/store/records/note.ts'
import { changePolicy } from '../../../core/store/records/policies.ts'
import { transact } from '../../../core/store/tx.ts'
import { placed } from '../../support/records/placed.ts'
import { type CommandWorld, commandWorld } from '../../support/worlds/command-world.ts'

const room = '!care:clinic.example'
const number = '+1 202 555 0143'

/** Row 53. */
describe('!patient erase', function () {
  this.timeout(120_000)
  let w: CommandWorld
  let officer: UserId
  let second: UserId
  let desk: UserId
  let code: string
  let patient: PatientId

  beforeEach(async () => {
    w = await commandWorld()
    officer = await w.person('cora', 'compliance')
    second = await w.person('carl', 'compliance')
    desk = await w.person('dora', 'desk')
    await w.ask(desk, `!patient add ${number} dob 1953-04-09 name "Rosa Ejemplo"`)
    await db()('patient').update({ state: 'open', room_id: room })
    ;({ code, id: patient } = await db()('patient').first('code', 'id'))
    const row = { room_id: room, class: 'care', patient_id: patient, created_at: 1, created_by: '@r_1:clinic.example' }
    await db()('room').insert(row)
    const event = { room_id: room, type: 'm.room.encrypted', sender: '@ann:clinic.example', content: {} }
    const at = { origin_server_ts: w.db.store.clock.now() - days(2) }
    const events = ['$1', '$2'].map(event_id => ({ ...event, ...at, event_id }))
    await transact(w.db.store, tx => noteRecords(tx, { events, receipts: [] }))
  })
  afterEach(() => w.db.drop())

  const db = () => w.db.store.db
  const close = () => w.ask(desk, `!patient close ${code}`)
  const approval = async (who: UserId): Promise<string> =>
    /!approve (\S+)/.exec((await w.toldTo(who)).at(-1) ?? '')?.[1] ?? ''
  const nothingChanged = async () => {
    expect(await db()('patient_exit')).to.deep.equal([])
    expect(await db()('record').whereNotNull('recalled_at')).to.deep.equal([])
    expect(await db()('approval').whereNull('decided_at')).to.deep.equal([])
  }

  it('shows what goes and what stays elsewhere, and does it when a second person approves; the status tells', async () => {
    await close()
    const said = await w.ask(officer, `!patient erase ${number}`)
    expect(said.redacted, 'a number was in it').to.equal(true)
    expect(said.body)
      .to.include('2 messages that are still there')
      .and.include('waiting device')
      .and.match(/backups, until \d{4}-\d\d-\d\d/)
      .and.include('what clinicians have on their devices')
      .and.include('!export request patient')
      .and.include('Nothing is changed yet')
    expect((await w.ask(officer, `!approve ${await approval(second)}`)).body).to.include('your own request')
    expect((await w.ask(second, `!approve ${await approval(second)}`)).body).to.include(`the record of ${code} ends`)
    expect(await db()('record').whereNotNull('recalled_at')).to.have.lengthOf(2)
    expect((await w.audit('patient.erase'))[0]).to.deep.include({
      patient,
      detail: { approved_by: second, messages: 2 },
    })
    const status = async () => (await w.ask(desk, `!patient status ${code}`)).body
    expect(await status()).to.match(
      /Keys: asked to be destroyed by @cora.* and @carl.*; kept until 2 messages are gone/,
    )
    expect((await w.ask(officer, `!patient erase ${code}`)).body).to.include('That was decided already')
    await db()('record').update({ destroyed_at: w.db.store.clock.now() })
    const run = await transact(w.db.store, tx => beginExit(tx, patient))
    expect(await status()).to.include(`Keys: being destroyed since`)
    const late = await w.ask(officer, `!hold place patient ${code} reason "too late"`)
    expect(late.body).to.include(`Too late for the keys to this patient's record`).and.include(String(run))
    await db()('patient_exit').update({ done_at: w.db.store.clock.now() })
    expect(await status()).to.match(new RegExp(`Keys: destroyed on .* UTC, certificate ${run}`))
    expect((await w.ask(officer, `!retention why https://matrix.to/#/${room}/$1`)).body).to.include(String(run))
  })

  it('is refused while the patient is in care, under a hold, before a minimum and while an export waits', async () => {
    expect((await w.ask(officer, `!patient erase ${code}`)).body).to.include(`!patient close ${code}`)
    await close()
    const hold = await placed(w.db.store, { user: '@ann:clinic.example' }, 'a claim')
    const refused = async (sentence: string) => {
      const said = await w.ask(officer, `!patient erase ${code}`)
      expect([said.mark, said.body.includes(sentence)], said.body).to.deep.equal(['⛔', true])
      await nothingChanged()
    }
    await refused(`Nothing is destroyed. The record is kept by legal hold ${hold.id}`)
    await transact(w.db.store, tx => releaseHold(tx, hold.id, { by: officer, approvedBy: second }))
    const minimum = (keepMs: number | null) => {
      const value = keepMs === null ? null : { from: 'discharge' as const, keepMs }
      return transact(w.db.store, tx =>
        changePolicy(tx, { scope: { kind: 'class', class: 'care' }, minimum: true, value }, { by: officer }),
      )
    }
    await minimum(days(3650))
    await refused('kept by the minimum for care rooms: 10 years after the patient was discharged, until 20')
    expect((await w.ask(desk, `!patient status ${code}`)).body).to.include('kept by the minimum for care rooms')
    await minimum(null)
    await db()('export_request').insert({
      ...{ id: 'ex_1', about: 'patient', patient_id: patient, until: 1, copy: true, recipients: [], matter: '' },
      ...{ state: 'approved', requested_at: 1, requested_by: officer, lapses_at: w.db.store.clock.now() + days(1) },
    })
    await refused('kept for the export ex_1')
    await db()('export_request').delete()
    for (const [who, typed, sentence] of [
      [desk, `!patient erase ${code}`, 'you do not hold that role'],
      [officer, '!patient erase +1 202 555 0199', 'no patient with this number'],
      [officer, '!patient erase K7M-4QQ', 'no patient'],
      [officer, '!patient erase everybody', "not a patient's code"],
    ] as const) {
      w.db.store.clock.advance(3000)
      expect((await w.ask(who, typed)).body, typed).to.include(sentence)
    }
    await nothingChanged()
  })

  it('is looked at once more when it is approved: a hold that came meanwhile stops it', async () => {
    await close()
    await w.ask(officer, `!patient erase ${code}`)
    await placed(w.db.store, { room }, 'a claim')
    expect((await w.ask(second, `!approve ${await approval(second)}`)).body).to.include('kept by legal hold')
    await nothingChanged()
  })

  it('needs the code where a number has two patients', async () => {
    await w.ask(desk, `!patient add ${number} dob 1980-01-02 name Luis`)
    const both: string[] = await db()('patient').orderBy('created_at').pluck('code')
    const said = (await w.ask(officer, `!patient erase ${number}`)).body
    for (const one of both) expect(said).to.include(one)
    await nothingChanged()
  })
})
