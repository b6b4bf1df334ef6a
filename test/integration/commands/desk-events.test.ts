import { expect } from 'chai'
import { commands } from '../../../bots/commands/index.ts'
import type { DeskBot, DeskDeps } from '../../../bots/desk/deps.ts'
import { onEvent } from '../../../bots/desk/events.ts'
import { hours, minutes } from '../../../core/domain/clock.ts'
import type { EventId, RoomId, UserId } from '../../../core/domain/ids.ts'
import { directKey } from '../../../core/matrix/bot/bot-rooms.ts'
import type { Decryption } from '../../../core/matrix/bot/decrypt.ts'
import type { Homeserver } from '../../../core/matrix/homeserver.ts'
import type { Effects } from '../../../core/queues/inbox-worker.ts'
import { archiveRoom, recordRoom } from '../../../core/store/patients/care.ts'
import type { InboxEvent } from '../../../core/store/queues/inbox.ts'
import { grantRole } from '../../../core/store/staff/roles.ts'
import { noteOwnDirects, recordDirectRoom, roomById } from '../../../core/store/staff/rooms.ts'
import { transact } from '../../../core/store/tx.ts'
import { database, type TestDatabase } from '../../support/database.ts'
import { testLog } from '../../support/test-log.ts'

const bot = '@wardroom:clinic.example' as UserId
const dana = '@dana:clinic.example' as UserId
const direct = '!direct:clinic.example' as RoomId
const care = '!care:clinic.example' as RoomId

describe('what the desk bot does with an event', () => {
  let d: TestDatabase
  let handle: (e: InboxEvent) => Promise<Effects>
  let decrypted: Decryption
  let members: string[]
  let asked: number
  /** The sender's identity as the homeserver shows it. */
  let shown: string
  beforeEach(async () => {
    d = await database()
    asked = 0
    members = [bot, dana]
    decrypted = { kind: 'missing-key', sessionId: 's', withheld: null }
    shown = 'key'
    const encrypted: Pick<DeskBot, 'decrypt' | 'identityOf'> = {
      decrypt: async () => {
        asked++
        return decrypted
      },
      identityOf: async () => ({ masterKey: shown, deviceIds: [] }),
    }
    const homeserver: Pick<Homeserver, 'request'> = {
      request: async <T>() => ({ joined: Object.fromEntries(members.map(m => [m, {}])) }) as T,
    }
    const deps = {
      store: d.store,
      homeserver: homeserver as Homeserver,
      bot: { ...encrypted, userId: bot } as DeskBot,
      serverName: 'clinic.example',
      publicUrl: 'https://chat.clinic.example',
      adminUrl: 'https://admin.clinic.example',
      log: testLog(),
    } satisfies DeskDeps
    handle = onEvent(deps, commands)
    await transact(d.store, async tx => {
      await grantRole(tx, { userId: dana, role: 'desk', by: 'test', identity: 'key' })
      await recordDirectRoom(tx, { roomId: direct, peer: dana, createdBy: bot })
      await recordRoom(tx, { roomId: care, class: 'care', by: '@r_1:clinic.example' })
    })
    await d.store.db('outbox').delete()
  })
  afterEach(() => d.drop())

  const event = (over: Partial<InboxEvent> = {}): InboxEvent => {
    const base = { eventId: '$1' as EventId, roomId: direct, type: 'm.room.encrypted', sender: dana, ...over }
    const now = d.store.clock.now()
    const content = over.content ?? {}
    return {
      id: 1,
      source: 'bots',
      stateKey: undefined,
      originServerTs: now,
      receivedAt: now,
      attempts: 0,
      expired: false,
      ...base,
      content,
      raw: {
        event_id: base.eventId,
        room_id: base.roomId,
        type: base.type,
        sender: base.sender,
        origin_server_ts: now,
        content,
        ...over.raw,
      },
    }
  }
  const says = (body: string): Decryption => ({
    kind: 'read',
    eventId: '$1' as EventId,
    roomId: direct,
    sender: dana,
    type: 'm.room.message',
    content: { msgtype: 'm.text', body },
    deviceId: null,
    masterKey: 'key',
  })
  /** Applies the effects; the kinds of jobs that came of it, and why a command was refused. */
  const outcome = async (e: InboxEvent) => {
    const effects = await handle(e)
    if (effects.kind === 'done' && effects.apply) await transact(d.store, effects.apply)
    const [row] = await d.store.db('audit_queue').whereNot({ action: 'role.grant' }).orderBy('id', 'desc')
    const jobs: string[] = (await d.store.db('outbox').orderBy('seq')).map(j => j.kind)
    return { kind: effects.kind, jobs, reason: row?.reason ?? row?.outcome ?? null }
  }

  it('obeys in its direct chat', async () => {
    decrypted = says('!whoami')
    expect(await outcome(event())).to.deep.include({ kind: 'done', jobs: ['bot.say', 'bot.react'], reason: 'done' })
  })

  it('waits a minute for a room key, then says that it cannot read', async () => {
    const e = event()
    const parked = await handle(e)
    expect(parked).to.deep.include({ kind: 'park', until: e.receivedAt + minutes(1) })
    expect(await outcome({ ...e, expired: true })).to.deep.include({ jobs: ['bot.react', 'bot.say'], reason: 'no-key' })
  })

  it('leaves care rooms, its own words, unknown rooms and everything in clear alone', async () => {
    decrypted = says('!whoami')
    expect((await outcome(event({ roomId: care }))).kind).to.equal('ignore')
    expect((await outcome(event({ roomId: '!other:x' as RoomId }))).kind).to.equal('ignore')
    expect((await outcome(event({ sender: bot }))).kind).to.equal('ignore')
    const clear = event({ type: 'm.room.message', content: { msgtype: 'm.text', body: '!whoami' } })
    expect((await outcome(clear)).kind).to.equal('ignore')
    expect(asked, 'nothing of these was even decrypted').to.equal(0)
    decrypted = { kind: 'plaintext' }
    expect((await outcome(event())).kind).to.equal('ignore')
  })

  it('notes which files a message carries, whatever it says, so that they go when it goes', async () => {
    const key = { k: 'k' }
    const file = { url: 'mxc://clinic.example/photo', key, iv: 'iv' }
    decrypted = { ...(says('lunch?') as Extract<Decryption, { kind: 'read' }>), content: { body: 'photo', file } }
    const e = event()
    await outcome(e)
    expect(await d.store.db('record_media').select('event_id', 'mxc')).to.deep.equal([
      { event_id: e.eventId, mxc: 'clinic.example/photo' },
    ])
    expect(await d.store.db('record_opened').pluck('event_id')).to.deep.equal([e.eventId])
  })

  it('does not obey what somebody else forwarded with its key', async () => {
    const {
      kind: _,
      deviceId: __,
      masterKey: ___,
      ...message
    } = says('!whoami') as Extract<Decryption, { kind: 'read' }>
    decrypted = { kind: 'forwarded', ...message, forwarder: '@eve:clinic.example' as UserId }
    expect((await outcome(event())).reason).to.equal('broken')
  })

  it('does not obey while a third person is in the chat', async () => {
    members.push('@eve:clinic.example')
    decrypted = says('!patient list')
    expect((await outcome(event())).reason).to.equal('crowded')
  })

  it('asks again instead of obeying what was written an hour ago', async () => {
    decrypted = says('!patient list')
    const old = event({ originServerTs: d.store.clock.now() - hours(1) - 1 })
    expect((await outcome(old)).reason).to.equal('stale')
  })

  it('suspends the roles of somebody whose identity the crypto library saw change', async () => {
    decrypted = { kind: 'unsigned', reason: 'identity-changed' }
    shown = 'new key'
    expect((await outcome(event())).jobs).to.include.members(['bot.react', 'bot.say', 'desk.follow-role'])
    expect((await d.store.db('role_grant').first()).suspended_reason).to.equal('identity-changed')
  })

  it('obeys nobody on an identity that the crypto library still remembers and the homeserver no longer shows', async () => {
    decrypted = says('!whoami')
    await outcome(event())
    shown = 'new key'
    expect((await outcome(event({ eventId: '$2' as EventId }))).jobs).to.include('desk.follow-role')
    expect((await d.store.db('role_grant').first()).suspended_reason).to.equal('identity-changed')
  })

  const invited = (over: { direct?: boolean; encrypted?: boolean; by?: UserId } = {}) =>
    event({
      roomId: '!new:clinic.example' as RoomId,
      type: 'm.room.member',
      stateKey: bot,
      sender: over.by ?? dana,
      content: { membership: 'invite', is_direct: over.direct ?? true },
      raw: {
        unsigned: { invite_room_state: over.encrypted === false ? [] : [{ type: 'm.room.encryption' }] },
      } as unknown as InboxEvent['raw'],
    })

  it('joins an encrypted direct chat of somebody with a role, and nothing else', async () => {
    expect((await outcome(invited())).jobs).to.deep.equal(['bot.join'])
    for (const [why, e] of [
      ['not-direct', invited({ direct: false })],
      ['not-encrypted', invited({ encrypted: false })],
      ['no-role', invited({ by: '@eve:clinic.example' as UserId })],
    ] as const) {
      await d.store.db('outbox').delete()
      expect(await outcome(e), why).to.deep.include({ jobs: ['bot.leave'], reason: why })
    }
  })

  it('knows a direct chat before anybody can write in it, whoever opens it, and forgets what was left for good', async () => {
    const obeyed = async (roomId: RoomId) => {
      decrypted = says('!whoami')
      await d.store.db('outbox').delete()
      return (await outcome(event({ roomId, eventId: '$first' as EventId }))).jobs
    }
    await outcome(invited())
    expect(await obeyed('!new:clinic.example' as RoomId), 'which the bot has yet to join').to.include('bot.say')
    const room = '!made:clinic.example' as RoomId
    const made = { type: 'm.room.create', sender: bot, room_id: room, content: { [directKey]: dana } }
    const comes = (...events: (typeof made)[]) => transact(d.store, tx => noteOwnDirects(tx, events, bot, directKey))
    await comes({ ...made, sender: dana })
    expect(await obeyed(room), 'somebody else says that it is the bot’s').to.deep.equal([])
    await comes(made)
    expect(await obeyed(room)).to.include('bot.say')
    await transact(d.store, tx => archiveRoom(tx, room))
    await comes(made)
    expect(await roomById(d.store.db, room)).to.equal(undefined)
  })

  it('greets a person who comes into its chat, and forgets a chat that was left', async () => {
    const member = (membership: string) =>
      event({ type: 'm.room.member', stateKey: dana, content: { membership }, eventId: `$${membership}` as EventId })
    expect((await outcome(member('join'))).jobs).to.deep.equal(['desk.greet'])
    await outcome(member('leave'))
    expect(await roomById(d.store.db, direct)).to.equal(undefined)
  })
})
