import { expect } from 'chai'
import { minutes } from '../../../core/domain/clock.ts'
import { createHomeserver } from '../../../core/matrix/homeserver.ts'
import { lookAtChat } from '../../../core/oncall/pages/chat-watch.ts'
import { secret } from '../../../core/secret.ts'
import { eventually } from '../../support/eventually.ts'
import { farHomeserver } from '../../support/oncall/far-homeserver.ts'
import { at, type PagesWorld, pagesWorld } from '../../support/oncall/pages-world.ts'

/** Issue 5, point 10. */
describe('pages while the homeserver does not answer', function () {
  this.timeout(120_000)
  let w: PagesWorld
  let far: Awaited<ReturnType<typeof farHomeserver>>
  before(async () => {
    w = await pagesWorld()
    far = await farHomeserver()
  })
  after(async () => {
    await far?.stop()
    await w?.stop()
  })
  const look = () => {
    const homeserver = createHomeserver({ url: far.url, asToken: secret('token') })
    return lookAtChat({ store: w.store, duty: w.duty, homeserver, log: w.log, timeoutMs: 150 })
  }
  const away = () => w.store.db('chat_away').orderBy('id')

  it('go by text at once: those whose card waits, and every new one', async () => {
    expect(await look()).to.equal(true)
    const waiting = await w.page({ content: { text: 'Rosa Diaz, bed 4', from: at('sue'), why: [] } })
    expect(await w.contacts(waiting.id)).to.deep.equal(['matrix ann'])
    far.is('silent')
    expect(await look()).to.equal(false)
    expect(await w.contacts(waiting.id)).to.deep.equal(['matrix ann', 'sms ann'])
    const anew = await w.page({ sender: 'source:pump' })
    expect(await w.contacts(anew.id)).to.deep.equal(['matrix ann', 'sms ann'])
    expect(await look(), 'still away').to.equal(false)
    expect(await w.contacts(waiting.id), 'no card fails twice').to.deep.equal(['matrix ann', 'sms ann'])
    await w.answer(anew.id, { kind: 'accept', by: at('ann'), way: 'sms' })
  })

  it('are told to the desk and to everybody concerned when it is back, once, without a word of what they are about', async () => {
    w.store.clock.advance(minutes(12))
    far.is('up')
    expect(await look()).to.equal(true)
    expect(await look()).to.equal(true)
    const [one] = await away()
    expect(one.until_at - one.from_at).to.be.at.least(minutes(12))
    const [desk, more] = await w.jobs('desk.alert')
    expect(more).to.equal(undefined)
    const text = desk?.text as string
    expect(text).to.match(/^Chat was away from \d\d:\d\d to \d\d:\d\d\. It is back\.\nMeanwhile/)
    expect(text)
      .to.match(/: taken by ann$/m)
      .and.to.include('is being called now')
      .and.not.to.include('Rosa')
    for (const name of ['ann', 'sue'])
      expect((await w.toldTo(name)).filter(t => t.includes('Chat was away'))).to.have.lengthOf(1)
    const { id } = await w.page()
    expect(await w.contacts(id), 'chat first again').to.deep.equal(['matrix ann'])
    const audited = await w.store.db('audit_queue').where('action', 'like', 'page.chat%').orderBy('id').pluck('action')
    expect(audited).to.deep.equal(['page.chat_away', 'page.chat_back'])
  })

  it('say nothing of an absence in which nothing happened', async () => {
    await w.store.db.raw('truncate page, outbox cascade')
    far.is('down')
    await look()
    far.is('up')
    await look()
    expect(await w.jobs('desk.alert')).to.have.lengthOf(0)
    expect(await away()).to.have.lengthOf(2)
  })

  it('go by text at once, too, where a card lies unanswered, but not to those who want cards only and have theirs', async () => {
    far.is('up')
    await look()
    const routine = await w.page({ priority: 'routine', content: { text: 'the form', from: at('sue'), why: [] } })
    w.store.clock.advance(minutes(31))
    w.pager()
    await eventually(async () => (await w.contacts(routine.id)).length > 0, { what: 'the digest' })
    const urgent = await w.page()
    await w.stopPagers()
    await w.sendCards()
    expect(await w.contacts(routine.id)).to.deep.equal(['matrix ann'])
    far.is('down')
    await look()
    await look()
    expect(await w.contacts(urgent.id)).to.deep.equal(['matrix ann', 'sms ann'])
    expect(await w.contacts(routine.id)).to.deep.equal(['matrix ann'])
  })
})
