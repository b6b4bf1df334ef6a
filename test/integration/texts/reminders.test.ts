import { expect } from 'chai'
import { noticeFor } from '../../../appservice/care/notices/notify.ts'
import { remind } from '../../../appservice/care/notices/reminders.ts'
import { hours, minutes } from '../../../core/domain/clock.ts'
import type { EventId, PersonId, RoomId } from '../../../core/domain/ids.ts'
import { advanceNotices } from '../../../core/store/patients/notices.ts'
import { personById } from '../../../core/store/patients/patients.ts'
import { readSettings } from '../../../core/store/staff/settings.ts'
import { eventually } from '../../support/eventually.ts'
import { type SmsWorld, smsWorld } from '../../support/worlds/sms-world.ts'

const phone = '+12025550177'

describe('reminders', function () {
  this.timeout(120_000)
  let w: SmsWorld
  beforeEach(async () => {
    w = await smsWorld()
  })
  afterEach(() => w.stop())

  /** A clinician's message, as the bridge's inbox hands it on. */
  const write = async (id: PersonId, event = '$one') => {
    const person = await personById(w.store.db, id)
    if (!person) throw new Error('no person')
    const settings = await readSettings(w.store.db)
    const message = { roomId: '!r:test' as RoomId, eventId: event as EventId, sender: '@ann:test' }
    await w.tx(tx => noticeFor(tx, person, { ...message, sentAt: tx.now }, { settings, publicUrl: w.publicUrl }))
  }
  /** Half an hour after half an hour, as the sweep does it. */
  const pass = async (time: number) => {
    for (let left = time; left > 0; left -= minutes(30)) {
      w.store.clock.advance(Math.min(left, minutes(30)))
      await w.idle()
      await remind({ store: w.store, publicUrl: w.publicUrl })
      await w.idle()
    }
  }
  const bodies = async () => (await w.received(phone)).map(m => /new secure|still waiting/.exec(m.body)?.[0])

  it('wait until the text of a night message has gone out, and then their own time', async () => {
    const p = await w.patient(phone)
    w.store.clock.set(Date.UTC(2026, 4, 13, 2)) // ten in the evening in New York
    await write(p.person)
    await pass(hours(10.5)) // half past eight: the text is out, four hours and more have passed since the message
    expect(await bodies()).to.deep.equal(['new secure'])
    await pass(hours(2.5))
    expect(await bodies(), 'three hours after the text').to.deep.equal(['new secure'])
    await pass(hours(2))
    expect(await bodies()).to.deep.equal(['new secure', 'still waiting'])
  })

  it('are not sent for what was recalled in the night, nor is its text, and the link of that text opens nothing', async () => {
    const p = await w.patient(phone)
    w.store.clock.set(Date.UTC(2026, 4, 13, 2))
    await write(p.person)
    await w.tx(tx => advanceNotices(tx, { event: '$one' as EventId }, { kind: 'withdrawn' }))
    await pass(hours(16))
    expect(await bodies()).to.deep.equal([])
    const links = await w.store.db('link').where({ person_id: p.person }).select('withdrawn_reason')
    expect(links).to.deep.equal([{ withdrawn_reason: 'pointless' }])
    await write(p.person, '$two')
    await pass(hours(1))
    expect(await bodies(), 'what is written then has a text of its own').to.deep.equal(['new secure'])
  })

  it('do not come in a bunch after the bridge was away', async () => {
    const p = await w.patient(phone)
    await write(p.person)
    await eventually(async () => (await bodies()).length === 1)
    await w.idle()
    w.store.clock.advance(hours(25))
    for (let i = 0; i < 3; i++) {
      await remind({ store: w.store, publicUrl: w.publicUrl })
      await w.idle()
    }
    expect(await bodies()).to.deep.equal(['new secure', 'still waiting'])
  })
})
