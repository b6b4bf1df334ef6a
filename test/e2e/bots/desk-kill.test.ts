import { setTimeout as pause } from 'node:timers/promises'
import { expect } from 'chai'
import { Direction } from 'matrix-js-sdk'
import { eventually } from '../../support/eventually.ts'
import { type ChildDesk, childDesk } from '../../support/processes/child-desk.ts'
import { seededRandom } from '../../support/random.ts'

const random = seededRandom('desk-kill')
const kills = process.env.WARDROOM_LONG === '1' ? 40 : 3

describe('the bots service, killed while it is given commands', () => {
  let desk: ChildDesk
  const traffic: string[] = []

  before(async function () {
    this.timeout(180_000)
    desk = await childDesk({ localpart: 'ada', traffic: line => traffic.push(line) }, random)
  })
  after(() => desk?.stop())

  it(`does each command once and answers it once, over ${kills} kills`, async function () {
    this.timeout(240_000 + kills * 10_000)
    const { db: d, admin: ada, options } = desk
    const bot = `@${options.localpart}:${options.homeserver.serverName}`
    await desk.start()
    const room = await eventually(
      () => ada.client.getRooms().find(r => r.getCreator() === bot && r.getMyMembership() === 'join')?.roomId,
      { timeout: 60_000, what: "the bot's chat" },
    )
    const asked: string[] = []
    let talking = true
    const talk = async () => {
      for (let n = 0; talking; n++) {
        asked.push(await ada.send(room, `!unit add "ward ${n}"`))
        // Faster ones are asked to wait: thirty at once, then one every two seconds.
        await pause(asked.length < 25 ? 300 + random.int(600) : 2100)
      }
    }
    const talked = talk()
    for (let n = 0; n < kills; n++) {
      await pause(random.int(2500))
      await desk.kill()
      await desk.start()
    }
    talking = false
    await talked
    const about = (id: string, what: 'said' | 'marked') =>
      ada
        .seen(room)
        .filter(
          s =>
            s.sender === bot && (what === 'said' ? s.thread === id && s.body !== '' : s.reaction && s.relatesTo === id),
        )
    await eventually(() => asked.every(id => about(id, 'said').length > 0 && about(id, 'marked').length > 0), {
      timeout: 120_000,
      what: async () => {
        const unanswered = asked.filter(id => about(id, 'said').length === 0 || about(id, 'marked').length === 0)
        const inbox = await d.store
          .db('inbox')
          .whereIn('event_id', unanswered)
          .select('id', 'state', 'reason', 'attempts')
        const jobs = await d.store
          .db('outbox')
          .whereNot({ state: 'done' })
          .select('id', 'kind', 'state', 'last_error', 'attempts')
        // What never came, what came and cannot be read, and where its key went.
        const { chunk } = await ada.client.createMessagesRequest(room, null, 300, Direction.Backward)
        const came = ada.seen(room)
        const missing = chunk.filter(e => !came.some(s => s.eventId === e.event_id)).map(e => [e.sender, e.type])
        const unread = came.filter(s => s.failure).map(s => [s.failure, s.event.getWireContent().session_id])
        // What the room has of the bot, as the homeserver and as the client see it, and what was done and when.
        const of = (types: (string | undefined)[]) =>
          Object.fromEntries([...Map.groupBy(types, t => t)].map(([t, all]) => [t, all.length]))
        const theirs = chunk.filter(e => e.sender === bot).map(e => e.type)
        const seenTypes = came.filter(s => s.sender === bot).map(s => `${s.type}${s.body === '' ? '' : ' read'}`)
        const halves = unanswered.map(id => `${about(id, 'said').length}${about(id, 'marked').length}`)
        const done = await d.store.db('outbox').where({ state: 'done' }).groupBy('kind').select('kind').count()
        const ran = await d.store
          .db('audit_queue')
          .where({ action: 'command.run' })
          .groupBy('outcome')
          .select('outcome')
          .count()
        const more = { homeserver: of(theirs), client: of(seenTypes), halves, done, ran }
        const facts = [unanswered, inbox, jobs, { missing, unread, sync: ada.client.getSyncState() }, more]
        return `an answer to each of ${asked.length} commands (without: ${JSON.stringify(facts)}\n${traffic.join('\n')})`
      },
    })
    expect(asked.map(id => about(id, 'said').length)).to.deep.equal(asked.map(() => 1))
    expect(asked.map(id => about(id, 'marked').map(s => s.reaction))).to.deep.equal(asked.map(() => ['✅']))
    const runs = await d.store.db('audit_queue').where({ action: 'command.run' })
    expect(runs).to.have.lengthOf(asked.length)
    const desks = () => d.store.db('room').where({ class: 'desk' })
    await eventually(async () => (await desks()).length === asked.length + 1, {
      timeout: 60_000,
      what: 'the desk rooms',
    })
    const joined = await fetch(
      `${options.homeserver.url}/_matrix/client/v3/joined_rooms?user_id=${encodeURIComponent(bot)}`,
      {
        headers: { authorization: `Bearer ${options.registration.as_token}` },
      },
    ).then(r => r.json() as Promise<{ joined_rooms: string[] }>)
    // A desk room for each, the first one, the direct chat and the compliance room.
    expect(joined.joined_rooms, 'nothing was made twice at the homeserver either').to.have.lengthOf(asked.length + 3)
  })
})
