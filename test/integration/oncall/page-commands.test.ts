import { expect } from 'chai'
import type { DeskDeps } from '../../../bots/desk/deps.ts'
import { pageByReaction, pageByReply, pageCardJobs } from '../../../bots/desk/page-cards.ts'
import { askSender, choiceByReaction } from '../../../bots/desk/page-questions.ts'
import { minutes } from '../../../core/domain/clock.ts'
import type { EventId, RoomId, UserId } from '../../../core/domain/ids.ts'
import { isRefusal } from '../../../core/domain/refusal.ts'
import { clinicDuty } from '../../../core/oncall/pages/clinic-duty.ts'
import { answerPage } from '../../../core/oncall/pages/engine.ts'
import type { Effects } from '../../../core/queues/inbox-worker.ts'
import { type Outbox, startOutbox } from '../../../core/queues/outbox-worker.ts'
import { noteCareMember } from '../../../core/store/alerts/alert-facts.ts'
import { addOverride } from '../../../core/store/oncall/changes.ts'
import { openPages } from '../../../core/store/oncall/pages.ts'
import { putOnCallPerson } from '../../../core/store/oncall/people.ts'
import { addOnCallRole, changeOnCallRole } from '../../../core/store/oncall/roles.ts'
import { addPatient } from '../../../core/store/patients/patients.ts'
import type { InboxEvent } from '../../../core/store/queues/inbox.ts'
import { revokeRole } from '../../../core/store/staff/roles.ts'
import { transact } from '../../../core/store/tx.ts'
import { layer, turns } from '../../support/oncall/schedules.ts'
import { testLog } from '../../support/test-log.ts'
import { type CommandWorld, commandWorld } from '../../support/worlds/command-world.ts'

describe('pages by chat', function () {
  this.timeout(120_000)
  let w: CommandWorld
  let sue: UserId
  let ann: UserId
  let bob: UserId
  let bot: Outbox
  const taps: string[] = []
  const cards: { room: string; text: string; edits?: string }[] = []

  before(async () => {
    w = await commandWorld()
    const { store } = w.db
    sue = await w.person('sue', 'clinician')
    ann = await w.person('ann', 'clinician')
    bob = await w.person('bob', 'clinician', 'supervisor')
    const made = await transact(store, tx =>
      addOnCallRole(
        tx,
        {
          key: 'cardiology',
          name: 'Cardiology',
          unit: 'main',
          zone: 'America/New_York',
          fallback: ann,
          server: 'clinic.example',
        },
        { by: bob },
      ),
    )
    if (isRefusal(made)) throw new Error(made.sentence)
    await transact(store, tx => putOnCallPerson(tx, ann, { name: 'Ann Lee', phone: '+12025550171' }, ann))
    const log = testLog()
    const send: DeskDeps['bot']['send'] = async (room, _type, content) => {
      const whole = (content['m.new_content'] ?? content) as { body: string }
      const edits = (content['m.relates_to'] as { event_id?: string } | undefined)?.event_id
      cards.push({ room, text: whole.body, ...(edits ? { edits } : {}) })
      return `$card${cards.length}` as EventId
    }
    const react: DeskDeps['bot']['react'] = async (_room, event, key) => {
      taps.push(`${event} ${key}`)
      return null
    }
    const d = { store, log, bot: { send, react } } as unknown as DeskDeps
    const open = async (user: string) => `!chat-${user}` as RoomId
    const handlers = { ...pageCardJobs(d, open), 'page.ask': askSender(d, open) }
    bot = await startOutbox({ queue: 'bots', store, log, handlers, pollMs: 20 })
  })
  after(async () => {
    await bot?.stop()
    await w?.db.drop()
  })
  beforeEach(async () => {
    await w.db.store.db.raw('truncate page cascade')
    cards.length = 0
  })

  const page = async (words = 'urgent please call about bed 4') => {
    const said = await w.ask(sue, `!page cardiology ${words}`)
    const [line] = await openPages(w.db.store.db)
    await bot.idle()
    return { said, ref: line?.ref ?? '', id: line?.id ?? '' }
  }
  const event = (over: Partial<InboxEvent>): InboxEvent =>
    ({ eventId: `$${Math.random()}`, roomId: `!chat-${ann}`, sender: ann, content: {}, ...over }) as InboxEvent
  const happens = async (effects: Effects | undefined) => {
    if (effects?.kind === 'done' && effects.apply) await transact(w.db.store, effects.apply)
    await bot.idle()
    return effects !== undefined
  }
  const phase = async () => (await openPages(w.db.store.db))[0]?.phase

  it('bring a card to whoever is on duty, which says what has become of the page', async () => {
    const { said, ref } = await page()
    expect(said.body).to.include(`${ref}: paging cardiology, urgent`)
    expect(cards[0]?.room).to.equal(`!chat-${ann}`)
    expect(cards[0]?.text).to.include(`Urgent page ${ref}`).and.to.include('please call about bed 4')
    expect((await w.ask(bob, `!accept ${ref}`)).mark).to.equal('✅')
    await bot.idle()
    const annsCard = cards.findLast(c => c.room === `!chat-${ann}`)
    expect(annsCard).to.include({ edits: '$card1' })
    expect(annsCard?.text).to.include('Taken by bob')
    const bobs = cards.filter(c => c.room === `!chat-${bob}`)
    expect(bobs, 'who took it reads what it is about').to.have.lengthOf(1)
    expect(bobs[0]?.text).to.include('please call about bed 4').and.to.include('Yours.')
    expect((await w.toldTo(sue)).join('\n')).to.include(`${ref}: bob has accepted`)
  })

  it('are answered by a reaction of the paged person to their card, and of nobody else', async () => {
    await page()
    const content = { 'm.relates_to': { rel_type: 'm.annotation', event_id: '$card1', key: '👍🏽' } }
    expect(await happens(await pageByReaction(w.db, event({ sender: bob, content })))).to.equal(false)
    expect(await happens(await pageByReaction(w.db, event({ content })))).to.equal(true)
    expect(await phase()).to.equal('accepted')
    expect((await w.toldTo(ann)).join('\n')).to.include('it is yours')
    expect(cards.at(-1)).to.include({ room: `!chat-${ann}`, edits: '$card1' })
    expect(cards.at(-1)?.text).to.include('Yours.')
  })

  it('bring the card, too, when the page was taken by text before the card could go', async () => {
    const { id } = await page()
    await w.db.store.db('page_contact').where({ page_id: id }).update({ state: 'queued', provider_id: null })
    cards.length = 0
    const accept = { kind: 'accept', by: ann, way: 'sms' } as const
    await transact(w.db.store, tx => answerPage(tx, clinicDuty, id, accept))
    const card = { queue: 'bots', kind: 'page.card', key: 'card-again', payload: { page: id, key: '1' } } as const
    await transact(w.db.store, tx => tx.enqueue(card))
    await bot.idle()
    expect(cards[0]?.text).to.include('please call about bed 4').and.to.include('Yours.')
  })

  it('are answered by a word in the chat, and nothing else is taken for an answer', async () => {
    await page()
    expect(await happens(await pageByReply(w.db, event({}), 'how do I get a new badge?', {}))).to.equal(false)
    expect(await happens(await pageByReply(w.db, event({}), 'on my way', {}))).to.equal(true)
    expect(await phase()).to.equal('accepted')
  })

  it('are handed over, declined and resolved', async () => {
    const { ref } = await page()
    const cyd = await w.person('cyd', 'clinician')
    expect((await w.ask(cyd, `!resolve ${ref}`)).body).to.include('neither yours nor from you')
    expect(await phase()).to.equal('open')
    await w.ask(ann, '!accept')
    expect((await w.ask(ann, `!handover ${ref} @bob`)).mark).to.equal('✅')
    await w.ask(bob, `!accept ${ref}`)
    expect((await w.toldTo(sue)).join('\n')).to.include('bob has taken over from Ann Lee')
    await bot.idle()
    const last = (user: UserId) => cards.findLast(c => c.room === `!chat-${user}`)?.text
    expect(last(ann)).to.include('Taken by bob')
    expect(last(bob)).to.include('Yours.')
    expect((await w.ask(ann, `!decline ${ref}`)).mark).to.equal('⛔')
    expect((await w.ask(bob, `!resolve ${ref}`)).mark).to.equal('✅')
    await bot.idle()
    expect(last(bob)).to.include('Resolved.')
    expect((await w.ask(sue, '!pages')).body).to.include('No page is open')
  })

  it('ask first when a person is off duty, and go where the sender says', async () => {
    const said = await w.ask(sue, '!page @bob please call')
    expect(said.mark).to.equal('✅')
    const one = await page('routine the lift')
    expect(one.said.body).to.include('digest')
  })

  it('about a patient ask first when the person is not on the care team, and a tap of the sender decides', async () => {
    const { store } = w.db
    const room = '!care:clinic.example' as RoomId
    const code = await transact(store, async tx => {
      const made = await addPatient(tx, { phone: '+12025550144', dob: '1953-04-09', by: sue })
      if (isRefusal(made)) throw new Error(made.sentence)
      await tx.sql('patient').where({ id: made.id }).update({ room_id: room })
      for (const user of [bob, sue]) await noteCareMember(tx, room, user, 'join')
      return made.code
    })
    for (const about of [code, `https://matrix.to/#/${room}`]) {
      cards.length = 0
      taps.length = 0
      const said = await w.ask(sue, `!page @ann urgent ${about} needs a dose`)
      expect(said.body).to.include('is not on this patient’s team').and.to.include('Nobody is called yet')
      await bot.idle()
      expect(cards.map(c => c.room)).to.deep.equal([`!chat-${sue}`])
      expect(cards[0]?.text).to.include('1️⃣ bob').and.to.include('✅ ann all the same')
      expect(taps).to.deep.include('$card1 1️⃣')
      const tap = (sender: UserId, key: string) =>
        choiceByReaction(
          w.db,
          event({
            sender,
            roomId: `!chat-${sue}` as RoomId,
            content: { 'm.relates_to': { rel_type: 'm.annotation', event_id: '$card1', key } },
          }),
        )
      expect(await happens(await tap(ann, '1️⃣')), 'of somebody else').to.equal(false)
      expect(await happens(await tap(sue, '🎉')), 'another sign').to.equal(false)
      expect(await happens(await tap(sue, '1\u20E3'))).to.equal(true)
      expect(cards.at(-1)?.room).to.equal(`!chat-${bob}`)
      await w.db.store.db.raw('truncate page cascade')
    }
    const { body } = await w.ask(sue, `!page @bob urgent ${code} needs a dose`)
    expect(body).to.include('paging')
  })

  it('say what the words suggest, and raise with the same words', async () => {
    const { said } = await page('urgent chest pain in bed 4')
    expect(said.body).to.include('The words suggest stat: it may be a heart attack')
    await w.ask(sue, '!page cardiology stat chest pain in bed 4')
    const [line] = await openPages(w.db.store.db)
    expect(line).to.include({ priority: 'stat', count: 2 })
  })

  it('are counted for each person in the weekly report', async () => {
    await page()
    await w.ask(ann, '!accept')
    expect((await w.ask(bob, '!oncall load')).body).to.match(/ann.*1.*0\/1\/0/s)
  })

  it('refuse a role that there is not, and a reference that is none', async () => {
    expect((await w.ask(sue, '!page cardiolgy urgent x')).body).to.include('Did you mean cardiology?')
    expect((await w.ask(sue, '!accept 7Q4K')).body).to.include('There is no page 7Q4K')
  })

  it('go to nobody who holds no role of the clinic, or not any more', async () => {
    for (const line of ['!page @eve please call', '!page @bob:elsewhere.example please call'])
      expect((await w.ask(sue, line)).body).to.include('holds no role of the clinic')
    expect((await w.ask(sue, '!page @bop please call')).body).to.include('Did you mean @bob:clinic.example?')
    const { ref } = await page()
    await w.ask(ann, '!accept')
    expect((await w.ask(ann, `!handover ${ref} @eve`)).mark).to.equal('⛔')
    await w.ask(ann, `!resolve ${ref}`)
    const { store } = w.db
    cards.length = 0
    await page('urgent call about bed 3')
    const revoked = await transact(store, tx => revokeRole(tx, { userId: ann, role: 'clinician', by: bob }))
    expect(revoked).to.equal('done')
    const tap = { 'm.relates_to': { rel_type: 'm.annotation', event_id: '$card1', key: '✅' } }
    await happens(await pageByReaction(w.db, event({ content: tap })))
    expect(await phase(), 'an old card takes nothing').to.equal('open')
    expect((await w.audit('page.refuse')).at(-1)).to.include({ reason: 'no-role' })
    cards.length = 0
    await page('urgent call about bed 5')
    expect((await w.toldTo(sue)).join('\n')).to.include('Ann Lee cannot be reached')
    expect(cards).to.deep.equal([])
    expect(await transact(store, tx => clinicDuty.peopleWithNumber(tx, '+12025550171'))).to.deep.equal([])
    await w.person('ann', 'clinician')
    expect(await transact(store, tx => clinicDuty.peopleWithNumber(tx, '+12025550171'))).to.deep.equal([ann])
  })

  it('call for a rotation whoever has it by overrides too', async () => {
    const { store } = w.db
    const layers = [layer('nights', turns('week', '2026-01-05 08:00', [ann]))]
    await transact(store, async tx => {
      const changed = await changeOnCallRole(tx, 'cardiology', { layers }, { by: bob })
      if (isRefusal(changed)) throw new Error(changed.sentence)
    })
    const now = () =>
      transact(store, async tx => (await clinicDuty.role(tx, 'cardiology/nights'))?.on(tx.now + minutes(1)))
    expect(await now()).to.deep.equal([ann])
    const made = await transact(store, tx => {
      const override = { kind: 'replace', person: bob, replaces: ann, from: tx.now, to: tx.now + minutes(60) } as const
      return addOverride(tx, 'cardiology', override, { by: bob })
    })
    if (isRefusal(made)) throw new Error(made.sentence)
    expect(await now()).to.deep.equal([bob])
  })

  it('that somebody took whose role is taken away are named to whoever takes it, and the schedules that still have them', async () => {
    const ada = await w.person('ada', 'admin')
    await w.ask(sue, '!page @ann stat please look at bed 7')
    await w.ask(ann, '!accept')
    const { ref } = await w.db.store.db('page').where({ phase: 'accepted' }).orderBy('created_at', 'desc').first('ref')
    const { body } = await w.ask(ada, '!role revoke ann clinician')
    expect(body).to.include('no longer clinician').and.include('schedules of cardiology').and.include(`taken ${ref} `)
  })
})
