import { expect } from 'chai'
import { readCovered } from '../../bots/records/read.ts'
import { days, minutes } from '../../core/domain/clock.ts'
import type { RoomId, UserId } from '../../core/domain/ids.ts'
import { advance } from '../../core/matrix/megolm.ts'
import type { InboxEvent } from '../../core/store/queues/inbox.ts'
import { noteCoverage } from '../../core/store/records/coverage.ts'
import { looseMedia, mayBeCarried, noteMedia, noteSentFromPage } from '../../core/store/records/media.ts'
import { keepSessions, passMessage, passOvertaken, sessionRatchet } from '../../core/store/records/sessions.ts'
import { transact } from '../../core/store/tx.ts'
import { database, type TestDatabase } from '../support/database.ts'

const room = '!ward:h'
const at = { room, session: 'S' }

/** Design §10: what the records bot keeps. */
describe('the records bot’s notes', () => {
  let d: TestDatabase
  beforeEach(async () => {
    d = await database()
  })
  afterEach(() => d.drop())

  const start = { n: 0, parts: Buffer.alloc(128, 3) }
  const stands = async () => (await sessionRatchet(d.store, at))?.n
  const pass = (n: number) => transact(d.store, tx => passMessage(tx, at, n))

  it('turn a session’s ratchet past each message, and past an overtaken one only when it was waited for', async () => {
    await transact(d.store, tx => keepSessions(tx, [{ ...at, ratchet: start }]))
    await transact(d.store, tx => keepSessions(tx, [{ ...at, ratchet: advance(start, 5) }]))
    expect(await stands(), 'a second key of it changes nothing').to.equal(0)
    await pass(0)
    expect(await stands()).to.equal(1)
    expect((await sessionRatchet(d.store, at))?.parts).to.deep.equal(advance(start, 1).parts)
    await pass(3)
    await pass(2)
    expect(await stands(), 'message 1 may still come').to.equal(1)
    await transact(d.store, passOvertaken)
    expect(await stands()).to.equal(1)
    d.store.clock.advance(minutes(11))
    await transact(d.store, passOvertaken)
    expect(await stands()).to.equal(4)
    await pass(1)
    expect(await stands(), 'never back').to.equal(4)
    expect(await d.dump()).not.to.include(start.parts.toString('base64'))
  })

  it('wait for a key that has not come, and count a message that nobody can read', async () => {
    const read = readCovered(d.store)
    const event = (more: Partial<InboxEvent>, content: Record<string, unknown>) =>
      ({
        eventId: '$e',
        roomId: room as RoomId,
        type: 'm.room.encrypted',
        receivedAt: d.store.clock.now(),
        content: { algorithm: 'm.megolm.v1.aes-sha2', session_id: 'S', ciphertext: 'x', ...content },
        expired: false,
        ...more,
      }) as unknown as InboxEvent
    expect((await read(event({}, {}))).kind).to.equal('park')
    const member = {
      type: 'm.room.member',
      state_key: '@wardroom_records:h',
      sender: '@ann:h',
      content: { membership: 'join' },
    }
    await transact(d.store, tx =>
      noteCoverage(tx, '@wardroom_records:h', [{ event_id: '$m', room_id: room, origin_server_ts: 1, ...member }]),
    )
    for (const odd of [event({ expired: true }, {}), event({}, { session_id: 7 }), event({}, { algorithm: 'other' })]) {
      const effects = await read(odd)
      if (effects.kind !== 'done' || !effects.apply) throw new Error('nothing to apply')
      await transact(d.store, effects.apply)
    }
    await transact(d.store, tx => keepSessions(tx, [{ ...at, ratchet: start }]))
    expect((await read(event({}, { ciphertext: 'AAAA' }))).kind, 'broken').to.equal('done')
    expect((await d.store.db('room_coverage').first()).unread).to.equal(3)
    expect(await d.store.db('record_opened')).to.deep.equal([])
  })

  const record = (id: string, sender: string, more: Record<string, unknown> = {}) =>
    d.store.db('record').insert({
      event_id: id,
      room_id: room,
      class: 'staff',
      sender,
      sent_at: d.store.clock.now(),
      session_id: 'S',
      ...more,
    })
  const destroy = (id: string) =>
    d.store.db('record').where({ event_id: id }).update({ destroyed_at: d.store.clock.now() })
  const loose = () => looseMedia(d.store, { classes: ['staff'], limit: 10 })

  it('give a file up when all its messages are gone, and none that may carry it is left', async () => {
    await record('$a', '@ann:h')
    await record('$b', '@bob:h')
    await transact(d.store, async tx => {
      await noteMedia(tx, '$a', ['h/file'])
      await noteMedia(tx, '$b', ['h/file'])
    })
    await destroy('$a')
    expect(await loose()).to.deep.equal([])
    d.store.clock.advance(minutes(1))
    await destroy('$b')
    const [file] = await loose()
    expect(file).to.deep.include({ mxc: 'h/file', rooms: [room] })
    const carried = (...people: string[]) => mayBeCarried(d.store, file!, people)
    expect(await carried('@ann:h', '@bob:h')).to.equal(false)
    await record('$unread', '@bob:h', { room_id: '!care:h', class: 'care' })
    expect(await carried('@ann:h')).to.equal(false)
    expect(await carried('@bob:h')).to.equal(true)
    await transact(d.store, tx => noteMedia(tx, '$unread', []))
    expect(await carried('@bob:h'), 'known to carry nothing').to.equal(false)
    d.store.clock.advance(days(1))
    await record('$later', '@bob:h', { room_id: '!care:h', class: 'care' })
    expect(await carried('@bob:h'), 'sent when the file was gone').to.equal(false)
  })

  it('take every recent upload of a patient’s page for something that the message may carry', async () => {
    const upload = (media: string, person: string, at: number) =>
      d.store
        .db('session_upload')
        .insert({ media, session_id: 'se', person_id: person, patient_id: 'pt', bytes: 1, at })
    const now = d.store.clock.now()
    await upload('h/old', 'ps_1', now - days(2))
    await upload('h/one', 'ps_1', now - minutes(3))
    await upload('h/two', 'ps_1', now)
    await upload('h/other', 'ps_2', now)
    await transact(d.store, tx => noteSentFromPage(tx, 'ps_1', '$photo'))
    await transact(d.store, tx => noteSentFromPage(tx, 'ps_1', '$photo'))
    expect(await d.store.db('record_media').orderBy('mxc').pluck('mxc')).to.deep.equal(['h/one', 'h/two'])
  })

  it('say which rooms are direct chats, and leave those with Wardroom’s own users out', async () => {
    const invite = (room_id: string, sender: string, state_key: string) => ({
      event_id: `$${room_id}`,
      room_id,
      type: 'm.room.member',
      sender: sender as UserId,
      state_key,
      origin_server_ts: 1,
      content: { membership: 'invite', is_direct: true },
    })
    await transact(d.store, tx =>
      noteCoverage(tx, '@wardroom_records:h', [
        invite('!two:h', '@ann:h', '@bob:h'),
        invite('!bot:h', '@ann:h', '@wardroom:h'),
        invite('!ghost:h', '@r_x:h', '@p_y:h'),
      ]),
    )
    expect(await d.store.db('room_coverage').select('room_id', 'class', 'state')).to.deep.equal([
      { room_id: '!two:h', class: 'direct', state: 'seen' },
    ])
  })

  it('bring the bot into a room when somebody of this homeserver invites it, and nobody else', async () => {
    const bot = '@wardroom_records:h'
    const invite = (room_id: string, sender: string) => ({
      event_id: `$${room_id}`,
      room_id,
      type: 'm.room.member',
      sender: sender as UserId,
      state_key: bot,
      origin_server_ts: 1,
      content: { membership: 'invite' },
    })
    const both = [invite('!ward:h', '@ann:h'), invite('!theirs:elsewhere', '@eve:elsewhere')]
    for (const turn of ['told', 'told again']) {
      await transact(d.store, tx => noteCoverage(tx, bot, both))
      expect(await d.store.db('outbox').where({ kind: 'records.join' }).pluck('lane'), turn).to.deep.equal(['!ward:h'])
    }
  })
})
