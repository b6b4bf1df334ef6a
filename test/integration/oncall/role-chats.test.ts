import { expect } from 'chai'
import { callByReaction } from '../../../bots/desk/call-reaction.ts'
import { roleJobs } from '../../../bots/roles/jobs.ts'
import { onRoleMessage } from '../../../bots/roles/messages.ts'
import type { RoleBot, RolePool } from '../../../bots/roles/pool.ts'
import { watchSleepingRoles } from '../../../bots/roles/watch.ts'
import { hours, minutes } from '../../../core/domain/clock.ts'
import type { EventId, RoomId, UserId } from '../../../core/domain/ids.ts'
import { isRefusal } from '../../../core/domain/refusal.ts'
import type { Decryption } from '../../../core/matrix/bot/decrypt.ts'
import { MatrixRefusal } from '../../../core/matrix/homeserver.ts'
import { clinicDuty } from '../../../core/oncall/pages/clinic-duty.ts'
import { answerPage } from '../../../core/oncall/pages/engine.ts'
import { lockPage, openContent, openPages, savePages } from '../../../core/store/oncall/pages.ts'
import { isChatGuest, noteChatGuest, noteRoleChats, roleChat } from '../../../core/store/oncall/role-chats.ts'
import { addOnCallRole, changeOnCallRole, removeOnCallRole } from '../../../core/store/oncall/roles.ts'
import { recordRoom } from '../../../core/store/patients/care.ts'
import { type InboxEvent, putEvents, type RawEvent } from '../../../core/store/queues/inbox.ts'
import type { Job } from '../../../core/store/queues/outbox.ts'
import { noteRecords } from '../../../core/store/records/note.ts'
import { changeSetting } from '../../../core/store/staff/settings.ts'
import { type Tx, transact } from '../../../core/store/tx.ts'
import { testLog } from '../../support/test-log.ts'
import { type CommandWorld, commandWorld } from '../../support/worlds/command-world.ts'

const server = 'clinic.example'
const role = `@role_cardiology:${server}` as UserId
const room = `!chat:${server}` as RoomId

describe('a chat with a role', function () {
  this.timeout(120_000)
  let w: CommandWorld
  let sue: UserId
  let ann: UserId
  let bob: UserId
  let dan: UserId
  let n = 0
  let said: Decryption

  const tx = <T>(work: (tx: Tx) => Promise<T>) => transact(w.db.store, work)
  const member = (over: Partial<RawEvent> = {}, membership = 'invite'): RawEvent => ({
    event_id: `$member${++n}`,
    room_id: room,
    type: 'm.room.member',
    sender: sue,
    state_key: role,
    origin_server_ts: w.db.store.clock.now(),
    content: { membership, is_direct: true },
    unsigned: { invite_room_state: [{ type: 'm.room.create' }, { type: 'm.room.encryption' }] },
    ...over,
  })
  const encrypted = (over: Partial<RawEvent> = {}): RawEvent => ({
    event_id: `$message${++n}`,
    room_id: room,
    type: 'm.room.encrypted',
    sender: sue,
    origin_server_ts: w.db.store.clock.now(),
    content: { algorithm: 'm.megolm.v1.aes-sha2', ciphertext: 'x', session_id: 's' },
    ...over,
  })
  /** As the homeserver's transaction brings it. */
  const comes = (...events: RawEvent[]) =>
    tx(async t => {
      const forRoles = await noteRoleChats(t, events, server)
      await putEvents(t, 'roles', forRoles)
      await noteRecords(t, { events, receipts: [] })
      return forRoles.length
    })
  const jobs = async (kind: string): Promise<Record<string, string>[]> => {
    const rows = await w.db.store.db('outbox').where({ kind }).orderBy('seq')
    return Promise.all(rows.map(async r => JSON.parse(await w.db.store.seal.open('outbox.payload', r.payload))))
  }
  const told = async () => (await jobs('role.say')).map(j => j.text).join('\n')
  const pool = { use: (_user: UserId, work: (bot: RoleBot) => unknown) => work({ decrypt: async () => said } as never) }
  const writes = async (
    body: string,
    who = sue,
    content: Record<string, unknown> = {},
    over: Partial<InboxEvent> = {},
  ) => {
    const raw = encrypted({ sender: who })
    await comes(raw)
    const { event_id, room_id, sender, type } = raw
    said = {
      ...{ kind: 'read', eventId: event_id as EventId, roomId: room, sender: who, type: 'm.room.message' },
      ...{ content: { msgtype: 'm.text', body, ...content }, deviceId: null, masterKey: 'key' },
    }
    const now = w.db.store.clock.now()
    const event = {
      eventId: event_id,
      roomId: room_id,
      sender,
      type,
      raw,
      receivedAt: now,
      content: raw.content,
      ...over,
    }
    return event as unknown as InboxEvent
  }
  const handled = async (event: InboxEvent) => {
    const d = { store: w.db.store, pool: pool as unknown as RolePool, log: testLog(), homeserver: undefined as never }
    const effects = await onRoleMessage(d)(event)
    if (effects.kind === 'done' && effects.apply) await tx(effects.apply)
    return effects.kind
  }
  const says = async (...of: Parameters<typeof writes>) => handled(await writes(...of))
  const words = async (id: string) => (await openContent(w.db.store, w.db.store.db, id))?.text
  const pages = () => openPages(w.db.store.db)
  const accepts = async (person: UserId) => {
    const open = (await pages()).filter(p => p.phase !== 'accepted').at(-1)
    const turn = await tx(t => answerPage(t, clinicDuty, open?.id ?? '', { kind: 'accept', by: person, way: 'reply' }))
    if (isRefusal(turn)) throw new Error(turn.sentence)
  }

  before(async () => {
    w = await commandWorld()
    sue = await w.person('sue', 'clinician')
    ann = await w.person('ann', 'clinician')
    bob = await w.person('bob', 'clinician')
    dan = await w.person('dan', 'supervisor')
  })
  after(() => w?.db.drop())
  beforeEach(async () => {
    await w.db.store.db.raw(
      'truncate page, role_chat, oncall_role, outbox, inbox, audit_queue, record, room, patient cascade',
    )
    w.db.store.clock.set(Date.UTC(2026, 5, 3, 12))
    const start = Date.UTC(2026, 5, 1, 8)
    const made = await tx(async t => {
      await addOnCallRole(
        t,
        { key: 'cardiology', name: 'Cardiology', unit: 'main', zone: 'UTC', fallback: dan, server },
        { by: dan },
      )
      return changeOnCallRole(
        t,
        'cardiology',
        {
          layers: [
            {
              id: 'week',
              rotation: {
                kind: 'list',
                shifts: [
                  { person: ann, from: start, to: start + hours(48) + hours(12) },
                  { person: bob, from: start + hours(60), to: start + hours(240) },
                ],
              },
              restrictions: [],
            } as never,
          ],
        },
        { by: dan },
      )
    })
    if (isRefusal(made)) throw new Error(made.sentence)
  })

  it('begins with an invitation to an encrypted chat of two, of somebody of this homeserver', async () => {
    await comes(member())
    expect(await roleChat(w.db.store.db, room)).to.include({ role: 'cardiology', user: role, peer: sue })
    expect(await jobs('role.join')).to.deep.equal([{ room, user: role }])
    await tx(t => recordRoom(t, { roomId: '!care:x' as RoomId, class: 'care', by: sue }))
    await comes(member({ room_id: '!care:x' }))
    expect(await roleChat(w.db.store.db, '!care:x'), 'nobody of ours listens in a care room').to.equal(undefined)
    expect((await jobs('role.decline')).map(j => j.why)).to.deep.equal(['not-direct'])
    await w.db.store.db.raw('truncate audit_queue')
    await w.db.store.db('outbox').where({ kind: 'role.decline' }).delete()
    const refused = {
      'not-encrypted': member({ room_id: '!1:x', unsigned: { invite_room_state: [] } }),
      'not-direct': member({ room_id: '!2:x', content: { membership: 'invite' } }),
      'not-local': member({ room_id: '!3:x', sender: '@eve:elsewhere.example' }),
      'unknown-role': member({ room_id: '!4:x', state_key: `@role_gone:${server}` }),
      'has-a-role': member({ state_key: `@role_icu:${server}` }),
    }
    await tx(t =>
      addOnCallRole(t, { key: 'icu', name: 'ICU', unit: 'main', zone: 'UTC', fallback: dan, server }, { by: dan }),
    )
    for (const event of Object.values(refused)) await comes(event)
    expect((await jobs('role.decline')).map(j => j.why)).to.deep.equal(Object.keys(refused))
    expect((await w.audit('room.member')).map(r => r.reason ?? r.outcome)).to.deep.equal([...Object.keys(refused)])
    expect(await roleChat(w.db.store.db, room)).to.include({ user: role })
    await comes(member({}, 'leave'))
    expect(await roleChat(w.db.store.db, room)).to.equal(undefined)
    expect(await comes(encrypted())).to.equal(0)
  })

  it('keeps what people write to it, from the first message on, as of a role’s room', async () => {
    const elsewhere = encrypted({ sender: '@eve:elsewhere.example' })
    expect(await comes(member(), encrypted({ event_id: '$first' }), encrypted({ sender: role }), elsewhere)).to.equal(1)
    expect(await w.db.store.db('record').where({ event_id: '$first' }).first('class')).to.deep.equal({ class: 'role' })
  })

  it('pages whoever is on duty with the words and a link, and tells the sender there', async () => {
    await comes(member())
    await says('stat: no pulse in bed 9')
    const [page] = await pages()
    expect(page).to.include({ priority: 'stat', target: 'role cardiology', phase: 'open' })
    expect(await words(page?.id ?? '')).to.equal('no pulse in bed 9')
    expect(await openContent(w.db.store, w.db.store.db, page?.id ?? '')).to.include({
      link: `https://matrix.to/#/${room}`,
    })
    expect(await jobs('page.card')).to.have.lengthOf(1)
    expect(await told()).to.include(`${page?.ref}: Calling ann.`)
    expect(await w.toldTo(sue), 'not in another chat as well').to.deep.equal([])
    expect(JSON.stringify(await w.audit('page.create')))
      .to.include(sue)
      .and.not.include('pulse')
  })

  it('pages for somebody of this homeserver whom a person brought in, as for its opener', async () => {
    await comes(member())
    await says('stat bed 7', dan)
    const [page] = await pages()
    expect(page).to.include({ priority: 'stat', phase: 'open' })
    expect((await openContent(w.db.store, w.db.store.db, page?.id ?? ''))?.from).to.equal(dan)
    expect(await told()).to.include(`${page?.ref}: Calling ann.`)
  })

  it('adds further words to the cards until somebody has the page, and calls nobody again unless it is more urgent', async () => {
    await comes(member())
    await says('routine the form for bed 2')
    await says('and bed 3')
    const [page] = await pages()
    expect(page, 'without a word it is urgent').to.include({ priority: 'urgent', phase: 'open' })
    await says('stat arrest in bed 3')
    await says('his daughter is here', dan)
    expect(await pages()).to.have.lengthOf(1)
    expect((await pages())[0]).to.include({ priority: 'stat' })
    expect(await words(page?.id ?? '')).to.equal(
      `the form for bed 2\nand bed 3\narrest in bed 3\n${dan}: his daughter is here`,
    )
    expect(await told())
      .to.include('Raised to urgent')
      .and.include('Raised to stat')
      .and.include('standing for 2')
    expect((await jobs('page.edit')).length).to.be.greaterThan(0)
  })

  it('brings whoever took the page into the chat, and then lets people talk', async () => {
    await comes(member())
    await says('bed 4 please')
    await accepts(ann)
    const [{ ref } = { ref: '' }] = await pages()
    expect(await jobs('role.invite')).to.deep.equal([{ user: role, room, peer: sue, person: ann, ref }])
    expect(await told()).to.include(`${ref}: ann has accepted.`)
    await tx(t => noteChatGuest(t, room, ann))
    expect(await tx(t => isChatGuest(t, room, ann))).to.equal(true)
    await says('thank you')
    await says('stat: which bed?', ann)
    await says('thank you!', sue, {
      'm.relates_to': { rel_type: 'm.replace', event_id: '$x' },
      'm.new_content': { msgtype: 'm.text', body: 'thanks' },
    })
    expect(await pages()).to.have.lengthOf(1)
  })

  it('pages again with a priority in front, when it is resolved, and when the duty has changed', async () => {
    await comes(member())
    await says('bed 4 please')
    await accepts(ann)
    await says('urgent now bed 5')
    expect((await pages()).map(p => p.phase).sort()).to.deep.equal(['accepted', 'open'])
    await accepts(ann)
    await says('are you coming?')
    expect(await pages()).to.have.lengthOf(2)
    for (const { id } of await pages()) await tx(t => answerPage(t, clinicDuty, id, { kind: 'resolve', by: ann }))
    await says('one more thing')
    expect(await pages()).to.have.lengthOf(1)
    await accepts(ann)
    w.db.store.clock.advance(hours(12))
    await says('he is worse')
    const open = (await pages()).filter(p => p.phase === 'open')
    expect(open).to.have.lengthOf(1)
    expect((await w.db.store.db('page_contact').where({ page_id: open[0]?.id }).first('person')).person).to.equal(bob)
  })

  it('calls again with the same words when nobody came', async () => {
    await comes(member())
    await says('bed 4 please')
    const [first] = await pages()
    await tx(async t => {
      const stored = await lockPage(t, first?.id ?? '')
      if (stored) await savePages(t, [{ ...stored.page, phase: 'exhausted' }])
    })
    await says('bed 4 please')
    expect((await pages()).map(p => p.phase).sort()).to.deep.equal(['exhausted', 'open'])
  })

  it('is never silent: what it cannot read, and a role out of service, are told', async () => {
    await comes(member())
    const waiting = await writes('x')
    said = { kind: 'missing-key', sessionId: 's', withheld: null }
    expect(await handled(waiting)).to.equal('park')
    expect(await handled({ ...waiting, expired: true })).to.equal('done')
    const careless = await writes('x')
    said = { kind: 'unsigned', reason: 'unsigned-device' }
    await handled(careless)
    expect(await told()).to.match(/Nobody was paged: I cannot read.*\nNobody was paged: I read only devices/)
    expect((await jobs('role.react')).map(j => j.key)).to.deep.equal(['⛔', '⛔'])
    expect((await w.audit('page.refuse')).map(r => r.reason)).to.deep.equal(['no-key', 'unsigned'])
    await says('', sue, { msgtype: 'm.image', body: 'ecg.jpg', file: {} })
    const [page] = await pages()
    expect(await words(page?.id ?? '')).to.equal('(sent a picture; it is in the chat)')
    await tx(t => answerPage(t, clinicDuty, page?.id ?? '', { kind: 'resolve', by: ann }))
    await says('a program', sue, { msgtype: 'm.notice' })
    expect(await pages()).to.have.lengthOf(0)
    await tx(t => removeOnCallRole(t, 'cardiology', dan))
    await says('hello?')
    expect(await told()).to.include('Nobody was paged: There is no on-call role cardiology')
  })

  it('is told elsewhere when the role is not in the chat any more', async () => {
    await comes(member())
    await says('bed 4 please')
    await comes(member({}, 'leave'))
    await accepts(ann)
    expect((await w.toldTo(sue)).join()).to.include('ann has accepted')
    expect(await jobs('role.invite')).to.deep.equal([])
  })

  describe('and a reaction in a care room', () => {
    const care = `!care:${server}` as RoomId
    const reacts = async (key: string, who = sue, into: RoomId = care, about = '$asked') => {
      const content = { 'm.relates_to': { rel_type: 'm.annotation', event_id: about, key } }
      const event = { eventId: `$reaction${++n}`, roomId: into, sender: who, type: 'm.reaction', content }
      const effects = await callByReaction(w.db.store && { store: w.db.store }, event as unknown as InboxEvent)
      if (effects?.kind === 'done' && effects.apply) await tx(effects.apply)
      return effects?.kind
    }
    beforeEach(async () => {
      const added = await w.ask(
        await w.person('dee', 'desk'),
        '!patient add +1 202 555 0143 dob 1953-04-09 name "Rosa Ejemplo"',
      )
      expect(added.mark, added.body).to.equal('✅')
      await w.db.store.db('patient').update({ state: 'open', room_id: care })
    })

    it('of staff pages the role of the patient’s unit with a link only', async () => {
      expect(await reacts('📟')).to.equal('done')
      const [page] = await pages()
      expect(page).to.include({ target: 'role cardiology', priority: 'urgent' })
      const content = await openContent(w.db.store, w.db.store.db, page?.id ?? '')
      expect(content?.link).to.equal(`https://matrix.to/#/${care}/$asked`)
      expect(JSON.stringify(content)).not.to.match(/Rosa|555 ?0143/)
      expect((await w.toldTo(sue)).join('\n'))
        .to.include(`${page?.ref}: paging cardiology`)
        .and.include('only a link')
      expect((await w.audit('page.create'))[0]).to.include({ room: care })
      expect((await w.audit('page.create'))[0]?.patient).to.match(/^pt_/)
    })

    it('calls nobody from another room, of a stranger, or with another emoji', async () => {
      expect(await reacts('📟', sue, '!staff:x' as RoomId)).to.equal(undefined)
      expect(await reacts('👍')).to.equal(undefined)
      expect(await reacts('📟', sue, care, '$x\nFrom the head: go home')).to.equal(undefined)
      await reacts('📟', `@p_abc:${server}` as UserId)
      expect(await pages()).to.deep.equal([])
    })

    it('pages what the clinic has listed, and asks where it is not clear', async () => {
      await tx(t =>
        addOnCallRole(t, { key: 'icu', name: 'ICU', unit: 'main', zone: 'UTC', fallback: dan, server }, { by: dan }),
      )
      await reacts('📟')
      expect((await w.toldTo(sue)).join('\n')).to.include('has several roles on call')
      await tx(t => changeSetting(t, { key: 'oncall.call_reactions', value: ['🚨 icu stat', '❤️ cardiology'], by: dan }))
      await reacts('🚨')
      await reacts('❤')
      expect((await pages()).map(p => `${p.target} ${p.priority}`)).to.deep.equal([
        'role icu stat',
        'role cardiology urgent',
      ])
      await tx(t => changeSetting(t, { key: 'oncall.call_reactions', value: [], by: dan }))
    })
  })

  it('says so where it may not invite, and elsewhere what it may not say there', async () => {
    await comes(member())
    await says('bed 4 please')
    await accepts(ann)
    const did: string[] = []
    const refused = { status: 0 }
    const act = (what: string) => async () => {
      if (refused.status) throw new MatrixRefusal(refused.status, 'M_FORBIDDEN', 'no')
      did.push(what)
    }
    const bot = { invite: act('invite'), send: act('send') }
    const use = (_: UserId, work: (bot: RoleBot) => unknown) => work(bot as unknown as RoleBot)
    const { store } = w.db
    const handlers = roleJobs({
      store,
      log: testLog(),
      homeserver: undefined as never,
      pool: { use } as unknown as RolePool,
    })
    const run = async (kind: string) => {
      const payload = (await jobs(kind))[0]
      const outcome = await handlers[kind]?.({ id: `jb_${++n}`, kind, payload } as unknown as Job, {} as never)
      if (outcome?.kind === 'done' && outcome.apply) await tx(outcome.apply)
      return outcome?.kind
    }
    expect([await run('role.invite'), await run('role.say'), did.join()]).to.deep.equal(['done', 'done', 'invite,send'])
    expect(await tx(t => isChatGuest(t, room, ann))).to.equal(true)
    refused.status = 403
    expect([await run('role.invite'), await run('role.say')]).to.deep.equal(['done', 'done'])
    expect(await told()).to.include(`I may not invite here. Please invite ${ann}.`)
    expect((await w.toldTo(sue)).join('\n')).to.include('Calling ann.')
    expect((await w.audit('room.invite')).map(r => `${r.outcome} ${JSON.stringify(r.detail)}`).join()).to.match(
      /^done .*"@ann:clinic.example".*,failed /,
    )
    refused.status = 502
    expect(await run('role.say').catch((e: Error) => e.message)).to.include('502')
  })

  it('is watched while the role sleeps: a device or an identity that we did not make is in the log, once', async () => {
    const { store } = w.db
    await store.db('bot_device').insert({ bot: role, device_id: 'OURS', master_key: 'm', created_at: 0, beat: 1 })
    const shown = { devices: ['OURS'], master: 'm' }
    const request = async () => ({
      device_keys: { [role]: Object.fromEntries(shown.devices.map(id => [id, {}])) },
      master_keys: { [role]: { keys: { 'ed25519:x': shown.master } } },
    })
    let awake = false
    const look = async () => {
      const isAwake = () => awake
      await watchSleepingRoles({ store, isAwake, homeserver: { request: request as never } })
      store.clock.advance(minutes(1))
      return (await w.audit('device.change')).map(r => `${r.reason} ${JSON.stringify(r.detail)}`)
    }
    expect(await look()).to.deep.equal([])
    shown.devices.push('THEIRS')
    shown.master = 'another'
    await look()
    const found = await look()
    const about = JSON.stringify({ user: role })
    expect(found).to.have.members([`foreign-device ${about}`, `identity-replaced ${about}`])
    expect(await look()).to.deep.equal(found)
    awake = true
    shown.devices.push('ANOTHER')
    expect(await look(), 'then its own client looks').to.deep.equal(found)
    await store.db('bot_device').delete()
  })

  it('needs the role’s device before anybody writes: it is made with the role, and named anew with it', async () => {
    expect(await jobs('role.prepare')).to.deep.equal([{ user: role, name: 'Cardiology' }])
    await tx(t => changeOnCallRole(t, 'cardiology', { name: 'Heart' }, { by: dan }))
    expect((await jobs('role.prepare')).at(-1)).to.deep.equal({ user: role, name: 'Heart' })
    w.db.store.clock.advance(minutes(1))
  })
})
