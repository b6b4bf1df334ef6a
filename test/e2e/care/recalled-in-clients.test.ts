import { expect } from 'chai'
import { Direction, type MatrixEvent, TimelineWindow } from 'matrix-js-sdk'
import type { EventShape } from '../../../core/domain/audit/room-event.ts'
import { hours } from '../../../core/domain/clock.ts'
import type { UserId } from '../../../core/domain/ids.ts'
import { createHomeserver, type Homeserver } from '../../../core/matrix/homeserver.ts'
import { type DeletionDeps, deletionRun } from '../../../core/records/deletion.ts'
import { removeAgain } from '../../../core/records/remove-again.ts'
import { secret } from '../../../core/secret.ts'
import { recordById } from '../../../core/store/records/fates.ts'
import { noteRecords } from '../../../core/store/records/note.ts'
import { askRecall } from '../../../core/store/records/recall.ts'
import { transact } from '../../../core/store/tx.ts'
import { anotherDevice, type Clinician, clinician } from '../../support/clinician.ts'
import { database, type TestDatabase } from '../../support/database.ts'
import { eventually } from '../../support/eventually.ts'
import { stack } from '../../support/stack.ts'
import { testLog } from '../../support/test-log.ts'

const path = (room: string, rest: string) => `/_matrix/client/v3/rooms/${encodeURIComponent(room)}${rest}`

/** Row 34: what clients show of a recalled message, in the places where it may have left something; docs/records.md has the table. */
describe('a recalled message in clients', function () {
  this.timeout(120_000)
  let d: TestDatabase
  let homeserver: Homeserver
  let deletion: DeletionDeps
  let ann: Clinician
  let lee: Clinician
  let bot: UserId

  before(async () => {
    const s = await stack()
    d = await database()
    bot = `@wardroom_clients:${s.synapse.serverName}` as UserId
    homeserver = createHomeserver({ url: s.synapse.url, asToken: secret(s.bots.asToken) })
    deletion = { store: d.store, homeserver, classes: ['staff'], speaker: async () => bot, log: testLog() }
    await homeserver.request('POST', '/_matrix/client/v3/register', {
      body: { type: 'm.login.application_service', username: 'wardroom_clients', inhibit_login: true },
    })
    // As Element keeps its timelines.
    ;[ann, lee] = (await Promise.all([clinician('ann'), clinician('lee', { timelineSupport: true })])) as [
      Clinician,
      Clinician,
    ]
  })
  after(async () => {
    await ann?.stop()
    await lee?.stop()
    await d?.drop()
  })

  const newRoom = async (): Promise<string> => {
    const { room_id } = await homeserver.request<{ room_id: string }>('POST', '/_matrix/client/v3/createRoom', {
      userId: bot,
      body: { preset: 'private_chat', invite: [ann.userId, lee.userId] },
    })
    for (const [one, other] of [
      [ann, lee],
      [lee, ann],
    ] as const)
      await eventually(async () => (await one.room(room_id)).getMember(other.userId)?.membership === 'join', {
        what: `${other.userId} in the eyes of ${one.userId}`,
      })
    return room_id
  }
  const stored = (room: string, id: string): Promise<EventShape> =>
    homeserver.request<EventShape>('GET', path(room, `/event/${encodeURIComponent(id)}`), { userId: bot })
  const note = async (room: string, ...ids: string[]) => {
    const events = await Promise.all(ids.map(id => stored(room, id)))
    await transact(d.store, tx => noteRecords(tx, { events, receipts: [] }))
  }
  const read = (who: Clinician, id: string, words: string) =>
    who.waitFor(s => s.eventId === id && s.body === words, { what: words })
  const recall = async (id: string) => {
    const named = await recordById(d.store.db, id)
    const found = named?.edits ? await recordById(d.store.db, named.edits) : named
    if (!found) throw new Error('the event was not noted')
    await transact(d.store, tx => askRecall(tx, found, { by: ann.userId as UserId, chat: '!c', thread: '$c' }))
    await deletionRun(deletion, { events: await d.store.db('record').whereNotNull('recalled_at').pluck('event_id') })
  }
  const shown = (who: Clinician, room: string, id: string) => who.seen(room).find(s => s.eventId === id)
  const gone = (who: Clinician, room: string, id: string) =>
    eventually(() => shown(who, room, id)?.redacted, { what: `${id} gone for ${who.userId}` })
  const chatter = async (room: string, n: number): Promise<string> => {
    let last = ''
    for (let i = 0; i < n; i++) last = await ann.send(room, `chatter ${i}`)
    return last
  }
  const words = (events: readonly MatrixEvent[]): string[] =>
    events.flatMap(e => (typeof e.getContent().body === 'string' ? [String(e.getContent().body)] : []))
  const atOnce = async (who: Clinician, room: string) => words((await who.room(room)).getLiveTimeline().getEvents())
  /** What somebody sees who scrolls back to the room's beginning, through the window by which Element shows a timeline. */
  const scrolledBack = async (who: Clinician, room: string) => {
    const window = new TimelineWindow(who.client, (await who.room(room)).getUnfilteredTimelineSet())
    await window.load()
    while (await window.paginate(Direction.Backward, 50));
    const events = window.getEvents()
    await Promise.all(events.map(e => who.client.decryptEventIfNeeded(e)))
    return words(events)
  }

  // Synapse gives at most ten events of a room to a client that comes back; js-sdk asks for no more.
  for (const [events, gap] of [
    [10, false],
    [20, true],
  ] as const)
    it(`is not shown to a client that was away for ${events} events${gap ? ', except to one that scrolls back over the gap without loading anew, until it is told again' : ''}`, async () => {
      const room = await newRoom()
      const id = await ann.send(room, 'not for you')
      await read(lee, id, 'not for you')
      await note(room, id)
      lee.network.offline = true
      await recall(id)
      const last = await chatter(room, events - 1)
      expect(await atOnce(lee, room), 'while it is away').to.include('not for you')
      lee.network.offline = false
      lee.client.retryImmediately()
      await eventually(() => shown(lee, room, last), { what: 'the client is back', timeout: 60_000 })
      expect(await atOnce(lee, room)).not.to.include('not for you')
      expect((await scrolledBack(lee, room)).includes('not for you')).to.equal(gap)
      if (!gap) return
      // Its window stayed open all the time: an hour later it hears of it once more.
      d.store.clock.advance(hours(1))
      expect(await removeAgain(deletion)).to.be.greaterThan(0)
      expect(await removeAgain(deletion), 'once').to.equal(0)
      const kept = (await lee.room(room)).getUnfilteredTimelineSet().getTimelines()
      const keptWords = () => words(kept.flatMap(t => t.getEvents()))
      await eventually(() => !keptWords().includes('not for you'), { what: 'the words gone from the open window' })
      expect(keptWords()).to.include('chatter 0')
      const loadedAnew = await anotherDevice(lee)
      const there = await scrolledBack(loadedAnew, room).finally(() => loadedAnew.stop())
      expect(there).not.to.include('not for you')
      expect(loadedAnew.client.getRoom(room)?.findEventById(id)?.isRedacted()).to.equal(true)
    })

  it('goes with its edits, reactions and pins; what others said about it stays theirs', async () => {
    const room = await newRoom()
    const id = await ann.send(room, 'the original')
    await read(lee, id, 'the original')
    const edit = await ann.sendContent(room, 'm.room.message', {
      msgtype: 'm.text',
      body: '* the edited',
      'm.new_content': { msgtype: 'm.text', body: 'the edited' },
      'm.relates_to': { rel_type: 'm.replace', event_id: id },
    })
    await read(lee, edit, '* the edited')
    const reaction = await lee.react(room, id, '👍')
    const threaded = await lee.send(room, 'in its thread', { thread: id })
    const reply = await lee.send(room, 'a reply', { replyTo: id })
    const quoting = await lee.sendContent(room, 'm.room.message', {
      msgtype: 'm.text',
      body: `> <${ann.userId}> the original\n\nindeed`,
      'm.relates_to': { 'm.in_reply_to': { event_id: id } },
    })
    const bytes = new TextEncoder().encode('an image of a wound')
    const image = await ann.sendImage(room, bytes, { name: 'wound.png', mimetype: 'image/png' })
    const seen = await lee.waitFor(s => s.eventId === image && s.content.file !== undefined)
    const forwarded = await lee.sendContent(room, 'm.room.message', seen.content)
    const pins = path(room, '/state/m.room.pinned_events')
    await homeserver.request('PUT', pins, { userId: bot, body: { pinned: [image, id] } })
    await ann.waitFor(s => s.eventId === forwarded)
    await ann.waitFor(s => s.eventId === quoting && s.body !== '')
    await note(room, id, edit, threaded, reply, quoting, image, forwarded)
    await recall(edit)
    await recall(image)

    for (const event of [id, edit, reaction, image]) {
      await gone(lee, room, event)
      await gone(ann, room, event)
      expect((await stored(room, event)).content).not.to.have.any.keys('ciphertext', 'm.relates_to')
    }
    const { pinned } = await homeserver.request<{ pinned: string[] }>('GET', pins, { userId: bot })
    expect(pinned).to.deep.equal([])
    // Everybody else's own words stay, whatever they quote; a forwarded file is somebody else's message.
    const kept = (event: string) => shown(ann, room, event)
    expect(kept(threaded)?.body).to.equal('in its thread')
    expect(kept(reply)?.body).to.equal('a reply')
    expect(kept(quoting)?.body).to.include('the original')
    const forward = kept(forwarded)
    if (!forward) throw new Error('the forwarded file is not shown')
    expect(await ann.download(forward)).to.deep.equal(bytes)
    // The root of a thread is a removed message like any other.
    expect((await stored(room, threaded)).content['m.relates_to']).to.deep.include({ event_id: id })
    expect((await ann.client.searchRoomEvents({ term: 'original' })).results).to.deep.equal([])
  })
})
