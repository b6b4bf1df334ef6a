import { expect } from 'chai'
import type { UserId } from '../../../core/domain/ids.ts'
import { shownIdentity } from '../../../core/matrix/bot/device-list.ts'
import { createHomeserver } from '../../../core/matrix/homeserver.ts'
import { secret } from '../../../core/secret.ts'
import { listGrants } from '../../../core/store/staff/roles.ts'
import { readSettings } from '../../../core/store/staff/settings.ts'
import { type Clinician, clinician } from '../../support/clinician.ts'
import { eventually } from '../../support/eventually.ts'
import { stack } from '../../support/stack.ts'
import { type Desk, desk } from '../../support/worlds/desk.ts'

const auditOf = (d: Desk, action: string) => d.store.db('audit_queue').where({ action }).orderBy('id')

describe('the desk bot', function () {
  this.timeout(180_000)
  let d: Desk
  let admin: Clinician
  let second: Clinician
  let nurse: Clinician
  let chat: string
  let nurseChat: string
  const people: Clinician[] = []

  before(async () => {
    for (const name of ['admin', 'second', 'nurse']) people.push(await clinician(name))
    ;[admin, second, nurse] = people as [Clinician, Clinician, Clinician]
    d = await desk({ firstAdmin: admin.userId, settings: { 'clinic.name': 'Riverside Clinic' } })
    await d.grant(nurse, 'clinician', 'desk')
    chat = await d.chatWith(admin)
    nurseChat = await d.chatWith(nurse)
  })

  after(async () => {
    for (const p of people) await p.stop()
    await d?.stop()
  })

  it('opens an encrypted chat with the first administrator, greets and helps', async () => {
    const greeting = await admin.waitFor(s => s.roomId === chat && s.sender === d.bot && s.body.includes('!help'))
    expect(greeting.encrypted).to.equal(true)
    expect(await admin.shield(greeting)).to.equal('none')
    const help = await d.ask(admin, chat, '!help')
    expect(help.mark).to.equal('✅')
    expect(help.body).to.include('!config set <setting> <value>').and.not.include('!patient add')
    const [grant] = await listGrants(d.store.db, { userId: admin.userId, role: 'admin' })
    expect(grant?.identity, 'pinned at the first message').to.be.a('string')
    const { synapse, registrations } = await stack()
    const homeserver = createHomeserver({ url: synapse.url, asToken: secret(registrations.bots.as_token) })
    const shown = await shownIdentity(homeserver, d.bot as UserId, admin.userId as UserId)
    expect(shown, 'what wardroom grant-admin pins').to.equal(grant?.identity)
  })

  it('opens its own chat for a nurse who invites it, too, and declines people without a role', async () => {
    const own = await nurse.direct(d.bot)
    await nurse.waitFor(s => s.roomId === own && s.sender === d.bot && s.body.includes('!help'))
    const stranger = await clinician('stranger')
    people.push(stranger)
    const roomId = await stranger.createRoom({ invite: [d.bot], direct: true })
    await eventually(() => stranger.client.getRoom(roomId)?.getMember(d.bot)?.membership === 'leave')
  })

  it('enrols a patient and removes the command that held the number', async () => {
    const text = '!patient add +1 202 555 0143 dob 9 Apr 1953 name “Rosa Ejemplo” lang es'
    const answer = await d.ask(nurse, nurseChat, text)
    expect(answer.mark).to.equal('✅')
    expect(answer.body).to.match(/The patient is [2-9A-Z]{3}-[2-9A-Z]{3}\./)
    expect(answer.body).not.to.include('202').and.not.include('Rosa')
    await nurse.waitFor(s => s.eventId === answer.eventId && s.redacted)
    const [run] = (await auditOf(d, 'command.run')).filter(r => r.object.id === 'patient add')
    expect(run).to.include({ outcome: 'done', room: nurseChat })
    expect(JSON.stringify(run)).not.to.match(/555 ?0143|Rosa|1953-04-09|9 Apr/)
    expect(run.patient).to.match(/^pt_/)
    const code = /[2-9A-Z]{3}-[2-9A-Z]{3}/.exec(answer.body)?.[0] ?? ''
    const shown = await d.ask(nurse, nurseChat, `!patient status ${code}`)
    expect(shown.body).to.include('…43').and.include('no consent').and.include('Spanish')
  })

  it('makes a room ephemeral for who has power in it, and recalls by a waste basket, in rooms that it is not in', async () => {
    const room = await nurse.createRoom({ invite: [second.userId] })
    const first = await nurse.send(room, 'from before')
    await eventually(() => d.store.db('record').where({ event_id: first }).first(), { what: 'the record' })
    await d.grant(second, 'clinician')
    await eventually(() => second.client.getRoom(room)?.getMyMembership() === 'join', {
      what: async () => `the second member (${second.client.getRoom(room)?.getMyMembership()})`,
    })
    const not = await d.ask(second, await d.chatWith(second), `!ephemeral https://matrix.to/#/${room} 24h`)
    expect(not.body, 'a member without power').to.include('Only a member who may remove messages')
    const said = await d.ask(nurse, nurseChat, `!ephemeral https://matrix.to/#/${room}?via=h 24h`)
    expect(said.body).to.include('goes 1 day after it was sent').and.include('I am not in that room')
    const later = await nurse.send(room, 'from then on')
    const labels = async (id: string) => (await d.store.db('record').where({ event_id: id }).first())?.labels
    await eventually(async () => (await labels(later))?.join() === 'ephemeral-sent-86400s', { what: 'the label' })
    expect(await labels(first)).to.deep.equal([])
    await nurse.react(room, later, '🗑️')
    await nurse.waitFor(
      s => s.roomId === nurseChat && s.body.includes(later) && s.body.includes('It is being removed'),
      {
        what: 'the answer to the reaction',
      },
    )
  })

  it('does not obey somebody without the role, nor what was never encrypted', async () => {
    const refused = await d.ask(nurse, nurseChat, '!config set sms.task_hours 12')
    expect(refused).to.include({ mark: '⛔' })
    expect(refused.body).to.include('admin')
    const { status } = await nurse.sendPlaintext(nurseChat, '!whoami')
    expect(status).to.equal(403)
    const [row] = (await auditOf(d, 'command.run')).filter(r => r.object.id === 'config set')
    expect(row).to.include({ outcome: 'refused', reason: 'forbidden' })
  })

  it('shows a change before it is made, and takes it back', async () => {
    const preview = await d.ask(admin, chat, '!config set sms.task_hours 12')
    expect(preview.body).to.include('Before: 48').and.include('After: 12').and.include('!confirm')
    expect((await readSettings(d.store.db))['sms.task_hours']).to.equal(48)
    const done = await d.ask(admin, chat, '!confirm')
    const n = /change (\d+)/.exec(done.body)?.[1]
    expect((await readSettings(d.store.db))['sms.task_hours']).to.equal(12)
    await d.ask(admin, chat, `!config rollback ${n}`)
    await d.ask(admin, chat, '!confirm')
    expect((await readSettings(d.store.db))['sms.task_hours']).to.equal(48)
    const history = await d.ask(admin, chat, '!config history')
    expect(history.body).to.include('sms.task_hours').and.include(admin.userId)
  })

  it('makes a sensitive change only with a second administrator', async () => {
    const alone = await d.ask(admin, chat, '!config set link.life_hours 24')
    expect(alone).to.include({ mark: '⛔' })
    await d.ask(admin, chat, `!role grant ${second.userId} admin`)
    const secondChat = await d.chatWith(second)
    await d.ask(admin, chat, '!config set link.life_hours 24')
    const question = await second.waitFor(s => s.roomId === secondChat && s.body.includes('!approve'))
    const code = /!approve (\S+)/.exec(question.body)?.[1] ?? ''
    expect(question.body).to.include('link.life_hours').and.include('Before: 72')
    const own = await d.ask(admin, chat, `!approve ${code}`)
    expect(own).to.include({ mark: '⛔' })
    expect((await readSettings(d.store.db))['link.life_hours']).to.equal(72)
    const approved = await d.ask(second, secondChat, `!approve ${code}`)
    expect(approved).to.include({ mark: '✅' })
    expect((await readSettings(d.store.db))['link.life_hours']).to.equal(24)
    await admin.waitFor(s => s.roomId === chat && s.body.includes(`${second.userId} approved`))
    const again = await d.ask(second, secondChat, `!approve ${code}`)
    expect(again).to.include({ mark: '⛔' })
  })

  it('pages who is on call with a card in their own chat, which they take by a reaction', async () => {
    for (const text of [
      `!oncall role add cardiology "Cardiology on call" fallback ${admin.userId}`,
      `!oncall set cardiology days people ${nurse.userId} every week start 2026-01-05 08:00`,
    ]) {
      expect((await d.ask(admin, chat, text)).body, text).to.include('!confirm')
      expect((await d.ask(admin, chat, '!confirm')).mark, text).to.equal('✅')
    }
    const paged = await d.ask(admin, chat, '!page cardiology urgent please call about bed 4')
    const ref = /(\S+): paging cardiology, urgent/.exec(paged.body)?.[1] ?? ''
    expect(ref, paged.body).to.match(/^\w{4}$/)
    const card = await nurse.waitFor(s => s.sender === d.bot && s.body.includes(`Urgent page ${ref}`), {
      what: 'the card',
    })
    expect(card).to.include({ roomId: nurseChat, encrypted: true, failure: undefined })
    expect(await nurse.shield(card)).to.equal('none')
    expect(card.body).to.include('please call about bed 4').and.include(`!accept ${ref}`)
    const cardSays = (words: string) =>
      nurse.waitFor(s => s.eventId === card.eventId && s.body.includes(words), { what: `the card saying ${words}` })
    const senderHears = (words: string) =>
      admin.waitFor(s => s.roomId === chat && s.body.includes(`${ref}: ${words}`), { what: `hearing ${words}` })

    await nurse.react(nurseChat, card.eventId, '✅')
    const yours = await cardSays('Yours.')
    expect(yours.body).to.include('please call about bed 4').and.include(`!resolve ${ref}`).and.not.include('!accept')
    const edit = nurse
      .seen(nurseChat)
      .find(s => s.event.getRelation()?.event_id === card.eventId && s.body.includes('Yours.'))
    expect(edit?.encrypted, 'the change to the card').to.equal(true)
    await senderHears(`${nurse.userId.slice(1).split(':')[0]} has accepted`)

    expect((await d.ask(nurse, nurseChat, `!resolve ${ref}`)).mark).to.equal('✅')
    await cardSays('Resolved.')
    expect((await d.ask(admin, chat, '!pages')).body).to.include('No page is open')
    expect(JSON.stringify(await auditOf(d, 'page.accept')))
      .to.include(ref)
      .and.not.include('bed 4')
  })

  it('lets a role be written to like a person: whoever is on duty takes it, and comes into the chat with what was said before', async () => {
    const [{ user_id: role }] = await d.store.db('oncall_role').where({ key: 'cardiology' }).select('user_id')
    const room = await second.direct(role)
    const says = (words: string, of = second) =>
      of.waitFor(s => s.roomId === room && s.sender === role && s.body.includes(words), { what: `the role: ${words}` })
    const first = await says('; now: nurse')
    expect(first.body).to.include('I am Cardiology on call').and.include('can read what is written here')
    expect(await second.shield(first)).to.equal('none')
    expect(second.client.getRoom(room)?.getMember(role)?.rawDisplayName).to.equal('Cardiology on call')

    const asked = await second.send(room, 'stat: no pulse in bed 9')
    const { body } = await says('Calling nurse')
    const ref = /(\w{4}): Calling/.exec(body)?.[1] ?? ''
    const card = await nurse.waitFor(s => s.sender === d.bot && s.body.includes(`STAT page ${ref}`), {
      what: 'the card',
    })
    expect(card.body)
      .to.include('no pulse in bed 9')
      .and.include(second.userId)
      .and.include(`https://matrix.to/#/${room}`)
    await second.send(room, 'the team is with him')
    await nurse.waitFor(s => s.eventId === card.eventId && s.body.includes('the team is with him'), {
      what: 'more words on the card',
    })
    await nurse.react(nurseChat, card.eventId, '👍')
    await says(`${ref}: nurse`)

    const earlier = await nurse.waitFor(s => s.eventId === asked && s.failure === undefined && s.body !== '', {
      what: 'the history',
    })
    expect(earlier.body).to.equal('stat: no pulse in bed 9')
    await nurse.send(room, 'on my way')
    await second.waitFor(s => s.roomId === room && s.sender === nurse.userId && s.body === 'on my way')
    const more = await second.send(room, 'thank you')
    await nurse.waitFor(s => s.eventId === more && s.body === 'thank you')
    // What is handled only after the page's end pages anew.
    const handled = () => d.store.db('inbox').where({ event_id: more, state: 'done' }).first()
    await eventually(handled, { what: 'the role, having read it' })
    await d.ask(nurse, nurseChat, `!resolve ${ref}`)
    await says(`${ref}: Resolved`)
    expect(await d.store.db('page').where({ room_id: room }), 'neither of them paged anybody').to.have.lengthOf(1)
  })

  it('pages a role by a reaction in a care room, with a link to the message and not a word of it', async () => {
    const care = await second.createRoom({ invite: [nurse.userId] })
    await d.store.db('patient').update({ state: 'open', room_id: care })
    const question = await nurse.send(care, 'may he take both tablets?')
    await second.waitFor(s => s.eventId === question && s.body !== '')
    await second.react(care, question, '📟')
    const card = await nurse.waitFor(s => s.sender === d.bot && s.body.includes(question), { what: 'the card' })
    expect(card).to.include({ roomId: nurseChat, encrypted: true })
    expect(card.body).to.include(`https://matrix.to/#/${care}/${question}`).and.not.include('tablets')
    await second.waitFor(s => s.sender === d.bot && s.body.includes('paging cardiology, urgent'))
  })

  it('obeys in the desk room, and suspends who comes with another identity', async () => {
    const room = await eventually(
      () => nurse.client.getRooms().find(r => r.name === 'Desk' && r.getMyMembership() === 'join')?.roomId,
      { timeout: 60_000, what: 'the desk room' },
    )
    const who = await d.ask(nurse, room, '!whoami')
    expect(who.body).to.include('clinician, desk')
    await nurse.resetIdentity()
    const after = await d.ask(nurse, nurseChat, '!patient list')
    expect(after).to.include({ mark: '⛔' })
    expect(after.body).to.include('suspended')
    await admin.waitFor(s => s.roomId === chat && s.body.includes(nurse.userId) && s.body.includes('suspended'))
    await eventually(() => nurse.client.getRoom(room)?.getMyMembership() === 'leave')
    expect((await listGrants(d.store.db, { userId: nurse.userId })).every(g => g.suspendedAt !== null)).to.equal(true)
  })

  it('answers an unverified device with a mark and the way to help', async () => {
    const careless = await clinician('careless', { signed: false, onlySigned: false })
    people.push(careless)
    await d.store.db('role_grant').insert({
      user_id: careless.userId,
      role: 'clinician',
      granted_by: 'configuration',
      granted_at: Date.now(),
    })
    const roomId = await careless.direct(d.bot)
    const eventId = await careless.send(roomId, '!patient list')
    const mark = await careless.waitFor(s => s.sender === d.bot && s.relatesTo === eventId && s.reaction !== undefined)
    expect(mark.reaction).to.equal('⛔')
    const [row] = (await auditOf(d, 'command.run')).filter(r => r.actor.id === careless.userId)
    expect(row).to.include({ outcome: 'refused', reason: 'unsigned' })
    const listed = await d.ask(admin, chat, '!device list')
    expect(listed.body).to.match(new RegExp(`${careless.userId} +${careless.deviceId} .*not verified`))
  })
})
