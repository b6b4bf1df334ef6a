import { expect } from 'chai'
import { minutes, seconds } from '../../../core/domain/clock.ts'
import { pageText } from '../../../core/domain/oncall/paging/reply.ts'
import { healthWords } from '../../../core/domain/texts/template-lint.ts'
import { eventually } from '../../support/eventually.ts'
import { at, type PhonesWorld, phones, phonesWorld } from '../../support/oncall/pages-world.ts'

describe('pages by telephone', function () {
  this.timeout(120_000)
  let w: PhonesWorld
  before(async () => {
    w = await phonesWorld()
    w.pager()
  })
  afterEach(async () => {
    await w.store.db.raw('truncate page cascade')
    Object.assign(w.who, { on: ['ann'], absent: [], names: {}, quietUntil: {} })
    for (const number of Object.values(phones)) await w.behave(number, 'normal')
  })
  after(() => w.stop())

  const rings = (name: string, page?: string) =>
    eventually(
      async () => (await w.calls(name)).findLast(c => c.status === 'ringing' && (!page || c.url.includes(page))),
      {
        what: `${name}'s telephone`,
      },
    )
  const textWith = (name: string, words: string) =>
    eventually(async () => (await w.texts(name)).find(m => m.body.includes(words)), { what: `a text with ${words}` })
  const accepted = (id: string) => w.until(id, p => p?.page.phase === 'accepted', 'the page accepted')

  it('go as a text without content, which the bare reference accepts; the telephone is told', async () => {
    const { id, ref } = await w.page({
      priority: 'stat',
      content: { text: 'Rosa, chest pain', from: at('sue'), why: [] },
    })
    w.store.clock.advance(seconds(15))
    const text = await textWith('ann', ref)
    expect(text.body).to.equal(`STAT page. Open your chat. Ref ${ref}.`)
    await w.say('ann', ref.toLowerCase())
    await accepted(id)
    expect((await w.state(id)).acceptedBy).to.deep.equal([at('ann')])
    await textWith('ann', `${ref} is yours`)
    expect((await w.toldTo('sue')).join()).to.include('ann has accepted')
  })

  it('say nothing in a text that the linter would not let pass', () => {
    for (const priority of ['routine', 'urgent', 'stat'] as const)
      expect(healthWords(pageText('7Q4K', priority))).to.deep.equal({ specialty: [], diagnosis: [], drug: [] })
  })

  it('ring when a text was not answered, and 1 accepts', async () => {
    const { id, ref } = await w.page({ priority: 'stat' })
    w.store.clock.advance(seconds(15))
    await textWith('ann', ref)
    w.store.clock.advance(seconds(30))
    const call = await rings('ann')
    await w.pickUp(call.sid, '1')
    await accepted(id)
    const said = (await w.calls('ann')).find(c => c.sid === call.sid)?.said.join(' ')
    expect(said).to.include(`Stat page. Reference ${[...ref].join(', ')}. Press 1 to accept`)
  })

  it('go on at once when the text cannot be delivered and the call is not answered', async () => {
    await w.behave(phones.ann ?? '', 'landline')
    const { id, ref } = await w.page({ priority: 'stat' })
    w.store.clock.advance(seconds(15))
    const call = await rings('ann', id)
    await w.pickUp(call.sid, '2')
    await eventually(async () => (await w.contacts(id)).includes('matrix bob'))
    expect((await w.toldTo('sue')).join('\n')).to.include(`${ref}: ann has declined`)
  })

  it('stop ringing when somebody else has taken it', async () => {
    const { id, ref } = await w.page({ priority: 'stat' })
    w.store.clock.advance(seconds(15))
    await textWith('ann', ref)
    w.store.clock.advance(seconds(30))
    const call = await rings('ann', id)
    await w.answer(id, { kind: 'accept', by: at('bob'), way: 'command' })
    await eventually(async () => (await w.calls('ann')).find(c => c.sid === call.sid)?.status === 'canceled')
  })

  it('reach the fallback line, whose key takes the page', async () => {
    await w.behave(phones.ann ?? '', 'voicemail')
    await w.behave(phones.bob ?? '', 'busy')
    const { id } = await w.page({ priority: 'stat' })
    for (const step of [15, 30, 60, 15, 30, 60]) {
      w.store.clock.advance(seconds(step))
      const before = (await w.state(id)).at
      await w.until(id, p => (p?.page.at ?? 0) > before || p?.page.phase === 'exhausted', 'the next step')
    }
    w.store.clock.advance(minutes(4))
    await w.until(id, p => p?.page.phase === 'exhausted')
    const call = await rings('switchboard', id)
    await w.pickUp(call.sid, '1')
    await accepted(id)
    expect((await w.state(id)).acceptedBy).to.deep.equal(['switchboard'])
  })

  it('ask which page a bare "ok" means when there are several', async () => {
    const one = await w.page({ priority: 'stat' })
    const two = await w.page({ priority: 'stat', sender: at('tom') })
    await w.say('ann', 'ok')
    const text = await textWith('ann', 'Which page?')
    expect(text.body).to.include(one.ref).and.to.include(two.ref)
    await w.say('ann', `no ${two.ref}`)
    await w.until(two.id, p => p?.page.asked[0]?.state === 'declined', 'declined')
    await w.say('ann', 'on my way')
    await accepted(one.id)
  })

  for (const behaviour of ['reset_after_accept', 'hang_after_accept'] as const)
    it(`go once when the provider takes a text or a call and does not say so (${behaviour})`, async () => {
      await w.behave(phones.ann ?? '', behaviour, 1)
      const { id, ref } = await w.page({ priority: 'stat' })
      w.store.clock.advance(seconds(15))
      await eventually(async () => (await w.contact(id, '2'))?.state === 'sent')
      await w.behave(phones.ann ?? '', behaviour, 1)
      w.store.clock.advance(seconds(30))
      await eventually(async () => (await w.contact(id, '3'))?.state === 'sent')
      expect((await w.texts('ann')).filter(m => m.body.includes(ref))).to.have.lengthOf(1)
      expect((await w.calls('ann')).filter(c => c.url.includes(id))).to.have.lengthOf(1)
    })

  it('refuse a webhook without the provider’s signature', async () => {
    const { id } = await w.page({ priority: 'stat' })
    const form = new URLSearchParams({ AccountSid: 'AC', CallSid: 'CA1', Digits: '1' })
    for (const path of ['answer', 'key', 'status', 'text'])
      expect(
        (await fetch(`${w.publicUrl}/voice/${path}?contact=${id}.1`, { method: 'POST', body: form })).status,
      ).to.equal(403)
  })
})
