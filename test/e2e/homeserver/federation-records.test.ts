import { expect } from 'chai'
import type { EventShape } from '../../../core/domain/audit/room-event.ts'
import { days, minutes, seconds } from '../../../core/domain/clock.ts'
import type { UserId } from '../../../core/domain/ids.ts'
import { otherServerWords } from '../../../core/domain/records/other-server.ts'
import { createHomeserver, type Homeserver } from '../../../core/matrix/homeserver.ts'
import { type DeletionDeps, deletionRun } from '../../../core/records/deletion.ts'
import { followServers } from '../../../core/records/other-servers.ts'
import { secret } from '../../../core/secret.ts'
import { recordById } from '../../../core/store/records/fates.ts'
import { noteRecords } from '../../../core/store/records/note.ts'
import { serversOf } from '../../../core/store/records/other-servers.ts'
import { changePolicy } from '../../../core/store/records/policies.ts'
import { askRecall } from '../../../core/store/records/recall.ts'
import { transact } from '../../../core/store/tx.ts'
import { type Clinician, openClinician } from '../../support/clinician.ts'
import { database, type TestDatabase } from '../../support/database.ts'
import { eventually } from '../../support/eventually.ts'
import { type Hospitals, hospitals } from '../../support/federation.ts'
import { testLog } from '../../support/test-log.ts'

const path = (room: string, rest: string) => `/_matrix/client/v3/rooms/${encodeURIComponent(room)}${rest}`

/** Rows 34, 36: two hospitals' homeservers, with clinicians of both in a room. */
describe('retention and recall across two homeservers', function () {
  this.timeout(120_000)
  let d: TestDatabase
  let both: Hospitals
  let homeserver: Homeserver
  let deletion: DeletionDeps
  let ann: Clinician
  let bob: Clinician
  let bot: UserId
  /** Made by our bot, and by their clinician. */
  let ours: string
  let theirs: string

  before(async function () {
    this.timeout(120_000)
    const log = testLog()
    ;[d, both] = await Promise.all([database(), hospitals()])
    bot = `@wardroom:${both.ours.serverName}` as UserId
    homeserver = createHomeserver({ url: both.ours.url, asToken: secret(both.ours.asToken) })
    deletion = { store: d.store, homeserver, classes: ['staff'], speaker: async () => bot, log }
    await homeserver.request('POST', '/_matrix/client/v3/register', {
      body: { type: 'm.login.application_service', username: 'wardroom', inhibit_login: true },
    })
    ;[ann, bob] = (await Promise.all(
      (
        [
          [both.ours, 'ann'],
          [both.theirs, 'bob'],
        ] as const
      ).map(async ([server, name]) =>
        openClinician({ url: server.url, ...(await server.registerUser(name)) }, { autoJoin: false }),
      ),
    )) as [Clinician, Clinician]
    const made = await homeserver.request<{ room_id: string }>('POST', '/_matrix/client/v3/createRoom', {
      userId: bot,
      body: { preset: 'private_chat', invite: [ann.userId, bob.userId] },
    })
    ours = made.room_id
    theirs = await bob.createRoom({ invite: [ann.userId, bot] })
    await homeserver.request('POST', `/_matrix/client/v3/join/${encodeURIComponent(theirs)}`, {
      userId: bot,
      query: { server_name: both.theirs.serverName },
      body: {},
    })
    // One after the other: a server that comes in while somebody joins at another learns of that only with the room's next event.
    await ann.join(ours)
    await bob.join(ours)
    await ann.join(theirs)
    for (const room of [ours, theirs])
      for (const [one, other] of [
        [ann, bob],
        [bob, ann],
      ] as const)
        await eventually(async () => (await one.room(room)).getMember(other.userId)?.membership === 'join', {
          what: `${other.userId} in the eyes of ${one.userId}`,
        })
  })
  after(async () => {
    await ann?.stop()
    await bob?.stop()
    await d?.drop()
  })

  /** Sends, waits until the other has read it, and notes it as the bots' transactions would. */
  const noted = async (room: string, from: Clinician, to: Clinician, words: string): Promise<EventShape> => {
    const id = await from.send(room, words)
    await to.waitFor(s => s.eventId === id && s.body === words, { what: words })
    const event = await homeserver.request<EventShape>('GET', path(room, `/event/${encodeURIComponent(id)}`), {
      userId: bot,
    })
    await transact(d.store, tx => noteRecords(tx, { events: [event], receipts: [] }))
    return event
  }
  const recall = async ({ event_id }: EventShape, chat: string) => {
    const found = await recordById(d.store.db, event_id)
    if (!found) throw new Error('the event was not noted')
    await transact(d.store, tx => askRecall(tx, found, { by: ann.userId as UserId, chat, thread: '$c' }))
    await deletionRun(deletion, { events: [event_id] })
  }
  const answers = async (chat: string): Promise<string[]> => {
    const rows = await d.store.db('outbox').where({ lane: chat, kind: 'bot.say' }).orderBy('seq')
    return Promise.all(rows.map(async r => JSON.parse(await d.store.seal.open('outbox.payload', r.payload)).text))
  }
  /** Looks, as the sweep does, until the other server has the state. */
  const becomes = (event: EventShape, state: string) =>
    eventually(
      async () => {
        d.store.clock.advance(minutes(1))
        await followServers(deletion)
        const [server] = await serversOf(d.store.db, event.event_id)
        return server?.state === state ? server : undefined
      },
      { what: `${state} at the other server`, timeout: 60_000, interval: 200 },
    )
  /** The event as the other hospital's homeserver gives it to its own clinician. */
  const there = async (room: string, { event_id }: EventShape): Promise<Record<string, unknown>> => {
    const url = both.theirs.url + path(room, `/event/${encodeURIComponent(event_id)}`)
    const answer = await fetch(url, { headers: { authorization: `Bearer ${bob.accessToken}` } })
    return ((await answer.json()) as EventShape).content
  }

  it('asks the other homeserver, says how far that is, and learns when it has taken the request', async () => {
    const event = await noted(ours, ann, bob, 'to the wrong room')
    await recall(event, '!chat')
    const server = await becomes(event, 'reached')
    expect(server.server).to.equal(both.theirs.serverName)
    await eventually(() => bob.seen(ours).find(s => s.eventId === event.event_id)?.redacted, { what: 'gone for bob' })
    expect(await there(ours, event)).to.deep.equal({})
    const said = await answers('!chat')
    expect(said[0]).to.include(`${both.theirs.serverName} was asked`).and.include('gone from this homeserver')
    expect(said.at(-1)).to.include('has taken the request').and.include('not in our hands')
    const entries = await d.store.db('audit_queue').where({ action: 'record.server' })
    expect(entries.map(e => e.detail)).to.deep.equal([{ server: both.theirs.serverName, state: 'reached' }])
  })

  it('is not moved by a removal that somebody of another server had no right to', async () => {
    const event = await noted(ours, ann, bob, 'stays')
    const removal: EventShape = {
      ...{ event_id: '$forged', room_id: ours, type: 'm.room.redaction', sender: bob.userId },
      ...{ origin_server_ts: d.store.clock.now(), content: { redacts: event.event_id } },
    }
    await transact(d.store, tx => noteRecords(tx, { events: [removal], receipts: [] }))
    d.store.clock.advance(seconds(1))
    expect(await deletionRun(deletion, { events: [event.event_id] })).to.equal(0)
    const row = await d.store.db('record').where({ event_id: event.event_id }).first()
    expect(row).to.deep.include({ removed_at: null, hidden_at: null })
    const [entry] = await d.store.db('audit_queue').where({ action: 'record.removal' })
    expect(entry).to.deep.include({ outcome: 'refused' })
  })

  it('lets our policy decide about our copy of what their clinician wrote, and about theirs only in our own rooms', async () => {
    const { store } = d
    const here = await noted(ours, bob, ann, 'from the other hospital, here')
    const yonder = await noted(theirs, bob, ann, 'from the other hospital, there')
    const own = await noted(theirs, ann, bob, 'from us, there')
    const staff = { scope: { kind: 'class', class: 'staff' }, minimum: false } as const
    const decide = (value: { from: 'sent'; keepMs: number } | null) =>
      transact(store, tx => changePolicy(tx, { ...staff, value }, { by: '@cora:h', approvedBy: '@carl:h' }))
    await decide({ from: 'sent', keepMs: days(7) })
    store.clock.advance(days(8))
    expect(await deletionRun(deletion), 'these three, and what stayed above').to.equal(4)
    for (const event of [here, yonder, own]) {
      const left = await homeserver.request<EventShape>(
        'GET',
        path(event.room_id, `/event/${encodeURIComponent(event.event_id)}`),
        { userId: bot },
      )
      expect(left.content, 'our copy').to.deep.equal({})
    }
    await becomes(here, 'reached')
    expect((await serversOf(store.db, yonder.event_id)).map(s => s.state)).to.deep.equal(['unasked'])
    expect((await there(theirs, yonder)).ciphertext, 'their copy is theirs').to.equal(yonder.content.ciphertext)
    // Without power in their room nobody of ours but the sender could remove it.
    expect((await serversOf(store.db, own.event_id)).map(s => s.state)).to.deep.equal(['unasked'])
    await decide(null)
  })

  it('reaches a server that was down when it was asked, also when much was said in the room meanwhile', async () => {
    const event = await noted(ours, ann, bob, 'said while they were still there')
    await both.theirs.kill()
    await recall(event, '!down')
    const away = await becomes(event, 'away')
    expect(otherServerWords(away)).to.include('is not reached yet, since')
    expect((await answers('!down'))[0]).to.include(`${both.theirs.serverName} was asked`)
    // More than a homeserver fetches by itself when it finds a gap.
    for (let n = 0; n < 25; n++) await ann.sendContent(ours, 'm.room.message', { msgtype: 'm.text', body: `news ${n}` })
    await both.theirs.start()
    bob.client.retryImmediately()
    await becomes(event, 'reached')
    await eventually(async () => Object.keys(await there(ours, event)).length === 0, {
      what: 'removal at the other server',
    })
    expect((await answers('!down')).at(-1)).to.include('has taken the request')
  })
})
