import { randomBytes } from 'node:crypto'
import { expect } from 'chai'
import type { EventId, RoomId, UserId } from '../../../core/domain/ids.ts'
import { type Bot, startBot } from '../../../core/matrix/bot/bot.ts'
import { directKey } from '../../../core/matrix/bot/bot-rooms.ts'
import type { RawRoomEvent } from '../../../core/matrix/bot/decrypt.ts'
import { createHomeserver, type Homeserver } from '../../../core/matrix/homeserver.ts'
import { secret } from '../../../core/secret.ts'
import { systemClock } from '../../../core/system.ts'
import { type Clinician, clinician } from '../../support/clinician.ts'
import { database, type TestDatabase } from '../../support/database.ts'
import { eventually } from '../../support/eventually.ts'
import { type Stack, stack } from '../../support/stack.ts'
import { testLog } from '../../support/test-log.ts'

const rounds = process.env.WARDROOM_LONG === '1' ? 100 : 20

/** Does it so many times, four at once. */
const atOnce = async (times: number, work: () => Promise<void>): Promise<void> => {
  let left = times
  const worker = async () => {
    while (left-- > 0) await work()
  }
  await Promise.all(Array.from({ length: 4 }, worker))
}

describe('what a bot sends', () => {
  let s: Stack
  let d: TestDatabase
  let homeserver: Homeserver
  let bot: Bot
  let ann: Clinician
  const bots: Bot[] = []
  const log = testLog()
  const start = async () => {
    const userId = `@wardroom_${randomBytes(4).toString('hex')}:${s.synapse.serverName}` as UserId
    const started = await startBot({
      homeserver,
      store: { ...d.store, clock: systemClock },
      userId,
      displayName: 'Bot',
      log,
      die: reason => log.error(reason),
    })
    bots.push(started)
    return started
  }
  const raw = (who: Bot, room: RoomId, event: string) =>
    homeserver.request<RawRoomEvent>(
      'GET',
      `/_matrix/client/v3/rooms/${encodeURIComponent(room)}/event/${encodeURIComponent(event)}`,
      { userId: who.userId },
    )
  const text = (body: string) => ({ msgtype: 'm.text', body })
  const members = (room: RoomId) => bot.send(room, 'm.room.message', text('first words'), { txnId: `t${room}` })

  before(async function () {
    this.timeout(180_000)
    s = await stack()
    d = await database()
    homeserver = createHomeserver({ url: s.synapse.url, asToken: secret(s.bots.asToken) })
    bot = await start()
    ann = await clinician('ann')
  })
  after(async () => {
    for (const b of bots) await b.stop()
    await ann?.stop()
    await d?.drop()
    expect(log.problems()).to.deep.equal([])
  })

  it(`is never plaintext right after createRoom (${rounds} times)`, async function () {
    this.timeout(30_000 + rounds * 2000)
    await atOnce(rounds, async () => {
      const { userId } = await s.synapse.registerUser(`u${randomBytes(5).toString('hex')}`)
      const room = await bot.createDirect(userId as UserId)
      const event = await raw(bot, room, await members(room))
      expect(event.type).to.equal('m.room.encrypted')
      expect(event.content).to.include.keys('ciphertext', 'session_id').and.not.include.keys('body')
    })
  })

  it(`is never plaintext right after join, and the others can read it (${rounds} times)`, async function () {
    this.timeout(30_000 + rounds * 3000)
    await atOnce(rounds, async () => {
      const room = (await ann.createRoom({ invite: [bot.userId] })) as RoomId
      await bot.join(room)
      const id = await members(room)
      expect((await raw(bot, room, id)).type).to.equal('m.room.encrypted')
      const seen = await ann.waitFor(e => e.eventId === id && e.type === 'm.room.message')
      expect([seen.body, await ann.shield(seen)]).to.deep.equal(['first words', 'none'])
    })
  })

  it('is one event for one transaction id, also from concurrent tries', async () => {
    const room = await bot.createDirect(ann.userId as UserId)
    const once = () => bot.send(room, 'm.room.message', text('once'), { txnId: 'same' })
    const ids = await Promise.all([once(), once(), once()])
    expect(new Set(ids).size).to.equal(1)
    expect(await once()).to.equal(ids[0])
  })

  it('goes to the direct chat that exists', async () => {
    const room = await bot.createDirect(ann.userId as UserId)
    expect(await bot.createDirect(ann.userId as UserId)).to.equal(room)
    expect(bot.findDirect(ann.userId as UserId)).to.equal(room)
  })

  it('goes into no room that somebody made to look like the direct chat of another', async () => {
    const { userId } = await s.synapse.registerUser(`u${randomBytes(5).toString('hex')}`)
    const { room_id } = await ann.client.createRoom({
      invite: [bot.userId, userId],
      is_direct: true,
      creation_content: { [directKey]: userId },
      initial_state: [{ type: 'm.room.encryption', state_key: '', content: { algorithm: 'm.megolm.v1.aes-sha2' } }],
    })
    await bot.join(room_id as RoomId)
    expect(bot.findDirect(userId as UserId)).to.equal(null)
    expect(await bot.createDirect(userId as UserId)).not.to.equal(room_id)
  })

  it('may take back what a person wrote in its direct chat, and shows itself as a functional member', async () => {
    const room = await bot.createDirect(ann.userId as UserId)
    await ann.join(room)
    const id = await ann.send(room, 'patient data')
    await bot.redact(room, id as EventId, { txnId: 'r1' })
    await eventually(async () => Object.keys((await raw(bot, room, id)).content).length === 0)
    await bot.markFunctional(room)
    await bot.markFunctional(room)
    const state = await homeserver.request<{ service_members: string[] }>(
      'GET',
      `/_matrix/client/v3/rooms/${encodeURIComponent(room)}/state/io.element.functional_members/`,
      { userId: bot.userId },
    )
    expect(state.service_members).to.deep.equal([bot.userId])
  })

  it('reacts once with a key', async () => {
    const room = await bot.createDirect(ann.userId as UserId)
    const id = (await ann.send(room, 'a question')) as EventId
    expect(await bot.react(room, id, '✅', { txnId: 'x1' })).to.be.a('string')
    expect(await bot.react(room, id, '✅', { txnId: 'x2' })).to.equal(null)
  })

  it('reads who wrote: the device, and the identity behind it, as asked afresh', async () => {
    const room = await bot.createDirect(ann.userId as UserId)
    const id = await ann.send(room, 'who am I?')
    const event = await raw(bot, room, id)
    const read = await eventually(async () => {
      const r = await bot.decrypt(event)
      return r.kind === 'read' && r
    })
    const { masterKey, deviceIds } = await bot.identityOf(ann.userId as UserId)
    expect(read.content.body).to.equal('who am I?')
    expect([read.deviceId, read.masterKey]).to.deep.equal([ann.deviceId, masterKey])
    expect(deviceIds).to.deep.equal([ann.deviceId])

    await ann.resetIdentity()
    const later = await raw(bot, room, await ann.send(room, 'somebody new'))
    const again = await eventually(async () => {
      const r = await bot.decrypt(later)
      // The change comes with the sync, a moment later.
      return r.kind === 'read' && r.masterKey !== null && r.masterKey !== masterKey && r
    })
    expect((await bot.identityOf(ann.userId as UserId)).masterKey).to.equal(again.masterKey)
  })

  it('believes neither plaintext nor a message that was moved or altered', async () => {
    const room = await bot.createDirect(ann.userId as UserId)
    const event = await raw(bot, room, await ann.send(room, 'genuine'))
    await eventually(async () => (await bot.decrypt(event)).kind === 'read')
    expect((await bot.decrypt({ ...event, type: 'm.room.message', content: text('hi') })).kind).to.equal('plaintext')
    expect((await bot.decrypt({ ...event, sender: '@mallory:wardroom.test' })).kind).to.equal('unreadable')
    const ciphertext = String(event.content.ciphertext)
    const altered = { ...event, content: { ...event.content, ciphertext: `${ciphertext.slice(0, -4)}AAAA` } }
    expect((await bot.decrypt(altered)).kind).to.equal('unreadable')
    const lost = { ...event, content: { ...event.content, session_id: 'unknown' } }
    expect(await bot.decrypt(lost)).to.deep.include({ kind: 'missing-key', sessionId: 'unknown' })
  })

  it('can be read by somebody who is invited at the same moment, also as the first message of the room', async () => {
    for (let n = 0; n < 4; n++) {
      const { room_id } = await homeserver.request<{ room_id: RoomId }>('POST', '/_matrix/client/v3/createRoom', {
        userId: bot.userId,
        body: {
          preset: 'private_chat',
          initial_state: [{ type: 'm.room.encryption', state_key: '', content: { algorithm: 'm.megolm.v1.aes-sha2' } }],
        },
      })
      const invited = bot.invite(room_id, ann.userId as UserId)
      // While the keys that there are are handed over, and before the invitation has come back with the sync.
      await new Promise(done => setTimeout(done, 40 * n))
      const id = await members(room_id)
      await invited
      const seen = await ann.waitFor(e => e.eventId === id && e.type === 'm.room.message')
      expect(seen.body).to.equal('first words')
    }
  })

  it('can be read by somebody whom it invites later (MSC4268), and a bot invited later is told by its keys', async function () {
    this.timeout(120_000)
    const room = await bot.createDirect(ann.userId as UserId)
    const early = await bot.send(room, 'm.room.message', text('said before'), { txnId: 'early' })
    const bob = await clinician('bob')
    await bot.invite(room, bob.userId as UserId)
    const seen = await bob.waitFor(e => e.eventId === early && e.type === 'm.room.message')
    expect(seen.body).to.equal('said before')
    await bob.stop()

    const second = await start()
    const arrived: string[] = []
    second.keyArrived(where => arrived.push(where))
    const theirs = (await ann.createRoom()) as RoomId
    const id = await ann.send(theirs, 'history')
    await ann.invite(theirs, second.userId)
    await second.join(theirs)
    const event = await raw(second, theirs, id)
    await eventually(async () => (await second.decrypt(event)).kind !== 'missing-key')
    expect(arrived).to.include(theirs)
    // Its key came through the inviter, who could have made it up: readable, but marked.
    const read = await second.decrypt(event)
    expect(read).to.deep.include({ kind: 'forwarded', sender: ann.userId, forwarder: ann.userId })
    expect(read.kind === 'forwarded' && read.content.body).to.equal('history')
  })
})
