import { expect } from 'chai'
import { days, hours, minutes, seconds } from '../../../core/domain/clock.ts'
import type { UserId } from '../../../core/domain/ids.ts'
import { isRefusal } from '../../../core/domain/refusal.ts'
import { advancePages } from '../../../core/oncall/pages/engine.ts'
import { endOldPages } from '../../../core/oncall/pages/old-pages.ts'
import { receiveAlarm } from '../../../core/oncall/pages/receive-alarm.ts'
import { addAlarmSource, alarmSources } from '../../../core/store/oncall/alarms.ts'
import { settleClock } from '../../../core/store/oncall/page-clock.ts'
import { duePages, openContent, openPages } from '../../../core/store/oncall/pages.ts'
import { addOnCallRole } from '../../../core/store/oncall/roles.ts'
import { grantRole } from '../../../core/store/staff/roles.ts'
import { at, type PagesWorld, pagesWorld } from '../../support/oncall/pages-world.ts'

describe('the end of pages', function () {
  this.timeout(60_000)
  let w: PagesWorld
  before(async () => {
    w = await pagesWorld()
  })
  afterEach(async () => {
    await w.store.db.raw('truncate page, outbox, audit_queue cascade')
  })
  after(() => w.stop())

  /** Half an hour of the timer: every step of the policy is over. */
  const ring = async (): Promise<void> => {
    for (let i = 0; i < 60; i++) {
      w.store.clock.advance(seconds(30))
      const due = await duePages(w.store, [], 100)
      // Twice: the second finds that the first did it.
      for (const _ of [1, 2]) await w.tx(tx => advancePages(tx, w.duty, due))
    }
  }
  const source = async () => {
    const [known] = await alarmSources(w.store.db)
    if (known) return known
    await w.tx(tx => addAlarmSource(tx, { name: 'ward-3', role: 'cardiology', priority: 'urgent' }, at('bob')))
    return source()
  }
  const alarm = async (key: string): Promise<string> => {
    const from = await source()
    const made = await w.tx(tx => receiveAlarm(tx, w.duty, from, key, { what: `pump ${key}`, where: 'room 12' }))
    if (isRefusal(made)) throw new Error(made.sentence)
    return made.answer.ref as string
  }
  const audited = (action: string) => w.store.db('audit_queue').where({ action }).pluck('action')

  it('is said at the main desk, once, when an alarm is nobody’s and the role has no unit', async () => {
    const ref = await alarm('one')
    await ring()
    expect((await w.byRef(ref))?.page.phase).to.equal('exhausted')
    const told = await w.jobs('desk.alert')
    expect(told).to.have.length(1)
    expect(told[0]).not.to.have.property('unit')
    expect(told[0]?.text).to.include(`${ref}: an alarm for cardiology (urgent): nobody has taken it`)
    expect(JSON.stringify(told)).not.to.match(/pump|room 12/)
  })

  it('is said in the unit’s desk room with the role’s name, and of a person’s page only its sender hears', async () => {
    const role = { key: 'cardiology', name: 'Heart', unit: 'north', zone: 'UTC', fallback: at('bob') }
    const made = await w.tx(async tx => {
      await grantRole(tx, { userId: at('bob') as UserId, role: 'clinician', by: 'configuration', identity: null })
      return addOnCallRole(tx, { ...role, server: 'clinic.example' }, { by: at('bob') })
    })
    if (isRefusal(made)) throw new Error(made.sentence)
    await w.page()
    const ref = await alarm('two')
    await ring()
    expect((await openPages(w.store.db)).map(p => p.phase)).to.deep.equal(['exhausted', 'exhausted'])
    const told = await w.jobs('desk.alert')
    expect(told.map(t => t.unit)).to.deep.equal(['north'])
    expect(told[0]?.text).to.include(`${ref}: an alarm for Heart (urgent): nobody has taken it`)
  })

  it('is said at the desk of any page whose fallback cannot be reached either', async () => {
    const { id, ref } = await w.page()
    await ring()
    expect(await w.jobs('desk.alert')).to.have.length(0)
    const { lineKey } = await w.state(id)
    for (const _ of [1, 2]) await w.answer(id, { kind: 'failed', key: lineKey ?? '' })
    const told = await w.jobs('desk.alert')
    expect(told).to.have.length(1)
    expect(told[0]?.text).to.include(`${ref}: a page for Heart (urgent): nobody has it`)
  })

  it('does not come sooner when the clock is set forward', async () => {
    const { id } = await w.page({ priority: 'stat' })
    await w.answer(id, { kind: 'accept', by: at('ann'), way: 'command' })
    const reading = (monotonic: number) => ({ host: 'here', wall: w.store.clock.now(), monotonic })
    await w.tx(tx => settleClock(tx, reading(1000)))
    w.store.clock.advance(hours(20))
    expect(await w.tx(tx => settleClock(tx, reading(2000)))).to.be.greaterThan(hours(19))
    await endOldPages(w.store, w.duty)
    expect((await w.state(id)).phase).to.equal('accepted')
    w.store.clock.advance(hours(13))
    await endOldPages(w.store, w.duty)
    expect((await w.state(id)).phase).to.equal('resolved')
  })

  it('comes twelve hours after it was taken, with word to the sender, in batches', async () => {
    const pages = []
    for (let i = 0; i < 3; i++) pages.push(await w.page({ sender: at(`nurse${i}`), priority: 'stat' }))
    for (const { id } of pages) await w.answer(id, { kind: 'accept', by: at('ann'), way: 'command' })
    w.store.clock.advance(hours(12) - minutes(1))
    await endOldPages(w.store, w.duty)
    expect(await openPages(w.store.db)).to.have.length(3)
    w.store.clock.advance(minutes(1))
    await endOldPages(w.store, w.duty, { size: 2, most: 1 })
    expect(await openPages(w.store.db)).to.have.length(1)
    for (const _ of [1, 2]) await endOldPages(w.store, w.duty, { size: 2 })
    expect(await openPages(w.store.db)).to.have.length(0)
    for (const [i, { id, ref }] of pages.entries()) {
      expect((await w.state(id)).phase).to.equal('resolved')
      expect((await w.toldTo(`nurse${i}`)).filter(t => t.includes(`${ref}: Closed, as nobody said`))).to.have.length(1)
    }
    expect(await audited('page.resolve')).to.have.length(3)
    expect(await audited('page.forget')).to.have.length(0)
  })

  it('takes the words with it after thirty days, also of what nobody took, and frees the reference', async () => {
    const taken = await w.page()
    await w.answer(taken.id, { kind: 'accept', by: at('ann'), way: 'command' })
    await w.answer(taken.id, { kind: 'resolve', by: at('ann') })
    const lost = await w.byRef(await alarm('three'))
    await ring()
    await w.store.db('page_contact').update({ error: 'the provider’s words' })
    w.store.clock.advance(days(30) - hours(1))
    await endOldPages(w.store, w.duty)
    expect(await openContent(w.store, w.store.db, taken.id)).not.to.equal(null)
    expect((await w.byRef(lost?.page.ref ?? ''))?.closedAt).to.equal(null)
    const open = await w.page()
    w.store.clock.advance(hours(2))
    for (const _ of [1, 2]) await endOldPages(w.store, w.duty)
    expect(await openContent(w.store, w.store.db, taken.id)).to.equal(null)
    expect(await openContent(w.store, w.store.db, open.id)).not.to.equal(null)
    expect(await w.store.db('page').whereNull('closed_at').pluck('id')).to.deep.equal([open.id])
    expect(await w.store.db('page_contact').whereNotNull('error')).to.deep.equal([])
    expect(await w.store.db('alarm').where({ key: 'three' })).to.deep.equal([])
    expect(await audited('page.forget')).to.have.length(1)
    const late = await w.answer(lost?.page.id ?? '', { kind: 'accept', by: at('ann'), way: 'command' })
    expect(isRefusal(late) && late.code).to.equal('closed')
  })
})
