import { randomBytes } from 'node:crypto'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { generateX25519Identity, identityToRecipient } from 'age-encryption'
import { expect } from 'chai'
import { forgetOver, staffDeletion } from '../../../bots/records/deletion.ts'
import { recordsBotOf } from '../../../bots/records/index.ts'
import type { RoomId, UserId } from '../../../core/domain/ids.ts'
import type { Coverage } from '../../../core/domain/records/coverage.ts'
import { createLog } from '../../../core/log.ts'
import { type Bot, startBot } from '../../../core/matrix/bot/bot.ts'
import { createHomeserver } from '../../../core/matrix/homeserver.ts'
import { readMegolm, readWith } from '../../../core/matrix/megolm.ts'
import { type DeletionDeps, deletionRun } from '../../../core/records/deletion.ts'
import { openEscrow } from '../../../core/records/escrow.ts'
import { runExport } from '../../../core/records/export/run.ts'
import { joinRecovery, splitRecovery } from '../../../core/recovery.ts'
import { secret } from '../../../core/secret.ts'
import { listEscrows } from '../../../core/store/records/escrow.ts'
import { sessionRatchet } from '../../../core/store/records/sessions.ts'
import { changeSetting } from '../../../core/store/staff/settings.ts'
import { transact } from '../../../core/store/tx.ts'
import { type Clinician, clinician } from '../../support/clinician.ts'
import { eventually } from '../../support/eventually.ts'
import { approvedExport, exportTold, readExport } from '../../support/exports.ts'
import { stack } from '../../support/stack.ts'
import { type Desk, desk } from '../../support/worlds/desk.ts'

type Content = Record<string, unknown> & { ciphertext: string; session_id: string }

/** Rows 32, 34, 36; design §10: staff rooms and direct chats with a visible bot that keeps keys for the officers and nothing for itself. */
describe('the records bot', function () {
  this.timeout(120_000)
  let d: Desk
  let lee: Clinician
  let kim: Clinician
  let bot: string
  let media: string
  let deletion: DeletionDeps
  let old: string
  let closed: string
  let ward: string
  let chat: string

  const set = (coverage: Coverage) =>
    transact(d.store, tx => changeSetting(tx, { key: 'records.coverage', value: coverage, by: 'test' }))
  const row = (room: string) => d.store.db('room_coverage').where({ room_id: room }).first()
  const covered = (room: string) =>
    eventually(async () => (await row(room))?.state === 'covered' || undefined, { what: `coverage of ${room}` })
  const membership = (who: Clinician, room: string) => who.client.getRoom(room)?.getMember(bot)?.membership
  const functional = (who: Clinician, room: string) =>
    who.client.getRoom(room)?.currentState.getStateEvents('io.element.functional_members', '')?.getContent()
      .service_members
  const read = (event: string) =>
    eventually(async () => d.store.db('record_opened').where({ event_id: event }).first(), { what: 'the reading' })
  const wire = (room: string, event: string) =>
    lee.client.getRoom(room)?.findEventById(event)?.getWireContent() as Content
  /** Every byte of the media store. */
  const stored = () =>
    readdirSync(media, { recursive: true, withFileTypes: true })
      .filter(f => f.isFile())
      .map(f => readFileSync(join(f.parentPath, f.name)))
  const holds = (bytes: Uint8Array) => stored().some(file => file.includes(bytes))
  const recall = async (...events: string[]) => {
    await d.store.db('record').whereIn('event_id', events).update({ recalled_at: d.store.clock.now() })
    await deletionRun(deletion, { events })
  }

  const escrowed = async (room: string) =>
    (await openEscrow(deletion, d.database.recovery, { rooms: [room as RoomId] })).map(k => k.session_id)

  before(async () => {
    const { synapse, bots } = await stack()
    media = synapse.media
    d = await desk()
    bot = recordsBotOf(d.bot)
    const homeserver = createHomeserver({ url: synapse.url, asToken: secret(bots.asToken) })
    const rooms = staffDeletion({ store: d.store, homeserver, bot: d.bot, records: recordsBotOf(d.bot) })
    deletion = { store: d.store, homeserver, log: createLog('test', 'error'), ...rooms }
    ;[lee, kim] = await Promise.all([clinician('lee'), clinician('kim')])
    old = await lee.createRoom({ name: 'made before', invite: [kim.userId] })
    await kim.join(old)
    closed = await lee.createRoom({ name: 'nobody may invite', invite: [kim.userId] })
    await lee.client.sendStateEvent(closed, 'm.room.power_levels' as never, { users: {}, invite: 50 } as never)
    await set('staff_and_direct')
    await eventually(() => listEscrows(d.store.db).then(e => e.some(x => x.version !== null) || undefined), {
      what: 'the escrow',
    })
    await covered(old)
    ward = await lee.createRoom({ name: 'ward 3', invite: [kim.userId] })
    chat = await lee.direct(kim.userId)
    await kim.join(ward)
  })
  after(async () => {
    // Other tests' rooms on this homeserver are none of this clinic's.
    if (d) await set('none')
    if (d)
      await eventually(async () => !(await d.store.db('room_coverage').where({ state: 'covered' }).first()), {
        what: 'the end of coverage',
      })
    await lee?.stop()
    await kim?.stop()
    await d?.stop()
  })

  it('is in a new staff room and a new direct chat at once, says so, and the chat still looks like one of two', async () => {
    for (const room of [ward, chat]) {
      await covered(room)
      await eventually(() => membership(kim, room) === 'join' || undefined, { what: 'the bot in the room' })
      expect(functional(kim, room)).to.deep.equal([bot])
      const notice = await kim.waitFor(s => s.roomId === room && s.sender === bot && s.body !== '', {
        what: 'the notice',
      })
      expect(notice.encrypted).to.equal(true)
      expect(notice.body).to.include('Records are kept of this room').and.include('Se conservan registros')
    }
    expect(lee.client.getRoom(chat)?.name).to.equal('kim')
    expect((await row(chat)).class).to.equal('direct')
    expect((await row(ward)).class).to.equal('staff')
    expect(await d.store.db('audit_queue').where({ action: 'record.cover' }).pluck('room')).to.include.members([
      ward,
      chat,
    ])
    expect(await d.store.db('audit_queue').where({ action: 'escrow.create' })).to.have.lengthOf(1)
  })

  it('comes into rooms that there were before, and lists those where nobody may invite it', async () => {
    expect(functional(lee, old)).to.deep.equal([bot])
    expect(await row(closed)).to.deep.include({ state: 'impossible', reason: 'nobody_may_invite' })
    expect(membership(lee, closed)).to.equal(undefined)
  })

  it('is in no room of Wardroom’s own users', async () => {
    const { ghosts, synapse } = await stack()
    const homeserver = createHomeserver({ url: synapse.url, asToken: secret(ghosts.asToken) })
    const owner = `@r_${randomBytes(5).toString('hex')}:${synapse.serverName}`
    const username = owner.slice(1, owner.indexOf(':'))
    const register = { type: 'm.login.application_service', username, inhibit_login: true }
    await homeserver.request('POST', '/_matrix/client/v3/register', { body: register })
    const { room_id } = await homeserver.request<{ room_id: string }>('POST', '/_matrix/client/v3/createRoom', {
      userId: owner,
      body: { preset: 'private_chat' },
    })
    const { joined } = await homeserver.request<{ joined: object }>(
      'GET',
      `/_matrix/client/v3/rooms/${encodeURIComponent(room_id)}/joined_members`,
      { userId: owner },
    )
    expect(Object.keys(joined)).to.deep.equal([owner])
  })

  it('keeps every room key for the officers together, and nothing that reads what was said', async () => {
    const said = { [ward]: await lee.send(ward, 'bed 4 is free'), [chat]: await lee.send(chat, 'lunch?') }
    for (const event of Object.values(said)) await read(event)
    const shares = await splitRecovery(d.database.recovery, 2, 3)
    const recovery = await joinRecovery([shares[0]!, shares[2]!])
    const keys = await openEscrow(deletion, recovery, { rooms: [ward as RoomId, chat as RoomId] })
    for (const [room, event] of Object.entries(said)) {
      const { session_id: session, ciphertext } = wire(room, event)
      const key = keys.find(k => k.room_id === room && k.session_id === session)
      expect((readMegolm(key?.session_key ?? '', ciphertext).content as { body: string }).body).to.be.oneOf([
        'bed 4 is free',
        'lunch?',
      ])
      const own = await sessionRatchet(d.store, { room, session })
      if (own) expect(() => readWith(own, ciphertext)).to.throw('does not turn back')
    }
    const { rows } = await d.store.db.raw(
      `select count(*)::int as left from crypto_record where bot = ? and store like 'inbound\\_group%'`,
      [bot],
    )
    expect(rows[0].left, 'room keys in the bot’s store').to.equal(0)
    const stranger = (await splitRecovery(d.database.keys.release, 2, 3)).slice(0, 2)
    expect(await openEscrow(deletion, await joinRecovery(stranger)).catch(e => (e as Error).name)).to.be.a('string')
    const [escrow] = await listEscrows(d.store.db)
    const dump = await d.database.dump()
    expect(dump).to.include(escrow?.publicKey)
    for (const key of keys) expect(dump).not.to.include(key.session_key)
  })

  it('lets an export read a covered room with the officers’ shares, once the bot has told it', async () => {
    const said = await lee.send(ward, 'bed 5 is free as well')
    await read(said)
    const folder = mkdtempSync(join(tmpdir(), 'wardroom-export-'))
    const out = join(folder, 'ward.age')
    const identity = await generateX25519Identity()
    const recipient = await identityToRecipient(identity)
    const id = await approvedExport(d.store, { about: { kind: 'room', room: ward }, recipient })
    await exportTold(d.store, id)
    await kim.waitFor(s => s.sender === bot && s.body.includes('are being exported by compliance'))
    const { homeserver } = deletion
    const deps = {
      store: d.store,
      ghosts: homeserver,
      bots: homeserver,
      serverName: 'h',
      log: createLog('test', 'error'),
    }
    const run = { id, recovery: d.database.recovery, shares: '1-2', by: 'cli/test', out }
    await runExport({ ...deps, logged: async () => true }, run)
    const { byId, manifest } = await readExport(out, identity)
    rmSync(folder, { recursive: true })
    expect(byId(said)?.content).to.deep.include({ body: 'bed 5 is free as well' })
    expect(manifest.rooms.map(r => [r.room, r.class, r.problems])).to.deep.equal([[ward, 'staff', []]])
  })

  it('destroys a file when the last message that carries it goes, and the keys with the last message of their session', async () => {
    const bytes = new Uint8Array(randomBytes(4000))
    const first = await lee.sendImage(chat, bytes, { name: 'wound.jpg', mimetype: 'image/jpeg' })
    const shown = await kim.waitFor(s => s.eventId === first && s.failure === undefined && s.body !== '', {
      what: 'the picture',
    })
    const forwarded = await kim.sendContent(ward, 'm.room.message', shown.content)
    await read(first)
    await read(forwarded)
    const { session_id: session } = wire(chat, first)
    const url = (shown.content.file as { url: string }).url
    const file = await fetch(`${deletion.homeserver.url}/_matrix/client/v1/media/download/${url.slice(6)}`, {
      headers: { authorization: `Bearer ${lee.accessToken}` },
    })
    const sealed = new Uint8Array(await file.arrayBuffer())
    expect(holds(sealed), 'the search finds it while it is there').to.equal(true)
    await recall(first)
    expect(holds(sealed), 'a forwarded copy lives').to.equal(true)
    await recall(forwarded)
    expect(holds(sealed)).to.equal(false)
    await eventually(() => kim.seen(ward).find(s => s.eventId === forwarded)?.redacted, { what: 'the removal' })
    expect(await d.store.db('audit_queue').where({ action: 'record.media' })).to.have.lengthOf(1)
    expect(await d.store.db('record_media')).to.deep.equal([])

    const inChat = await d.store.db('record').where({ room_id: chat, sender: lee.userId }).pluck('event_id')
    await recall(...inChat)
    expect(await escrowed(chat), 'somebody may still write in it').to.include(session)
    await d.store.db('record_session').where({ session_id: session }).update({ used_at: 0 })
    await forgetOver(deletion)
    expect(await escrowed(chat)).not.to.include(session)
  })

  it('keeps a file while a message that nobody here can read may carry it', async () => {
    const first = await kim.sendImage(chat, new Uint8Array(randomBytes(3000)), {
      name: 'b.jpg',
      mimetype: 'image/jpeg',
    })
    await read(first)
    const [mxc] = await d.store.db('record_media').where({ event_id: first }).pluck('mxc')
    // As one of lee's in a care room would stand there.
    const unknown = {
      event_id: `$${randomBytes(8).toString('hex')}`,
      room_id: '!care:wardroom.test',
      class: 'care',
      sender: lee.userId,
      sent_at: d.store.clock.now(),
      session_id: 's',
    }
    await d.store.db('record').insert(unknown)
    await recall(first)
    expect(await d.store.db('record_media').where({ mxc })).to.have.lengthOf(1)
    await d.store.db('record').where({ event_id: unknown.event_id }).update({ destroyed_at: d.store.clock.now() })
    await deletionRun(deletion, { events: [] })
    expect(await d.store.db('record_media').where({ mxc })).to.deep.equal([])
  })

  it('loses no key and no escrow when it ends in the middle, and makes a new escrow when somebody replaced it', async () => {
    const userId = `@wardroom_${randomBytes(4).toString('hex')}:${(await stack()).synapse.serverName}` as UserId
    const { homeserver } = deletion
    const log = createLog('test', 'error')
    const run = async (work: (bot: Bot) => Promise<void> = async () => undefined) => {
      const bot = await startBot({ homeserver, store: d.store, userId, displayName: 'R', log, escrow: d.database.keys })
      await work(bot).finally(bot.stop)
      return (await listEscrows(d.store.db)).filter(e => e.owner === userId).map(e => e.version)
    }
    // Its own message has a room key like everybody's; the database is away when that is to be kept.
    const [version] = await run(async bot => {
      const room = await bot.createDirect(kim.userId as UserId)
      await bot.send(room, 'm.room.message', { msgtype: 'm.text', body: 'hello' }, { txnId: 'once' })
      const away = bot.drainRoomKeys(async () => Promise.reject(new Error('away')))
      expect(await away.catch(e => (e as Error).message)).to.equal('away')
    })
    await d.store.db('key_escrow').where({ owner: userId }).update({ version: null })
    const kept: string[] = []
    const again = await run(async bot => {
      const keep = () => bot.drainRoomKeys(async keys => void kept.push(...keys.map(k => k.session_id)))
      expect(await keep(), 'it was not forgotten').to.equal(1)
      expect(await keep()).to.equal(0)
    })
    expect(again, 'killed before the version was noted').to.deep.equal([version])
    const there = await openEscrow(deletion, d.database.recovery)
    expect(there.map(k => k.session_id)).to.include.members(kept)
    const body = { algorithm: 'm.megolm_backup.v1.curve25519-aes-sha2', auth_data: { public_key: 'x'.repeat(43) } }
    await homeserver.request('POST', '/_matrix/client/v3/room_keys/version', { userId, body })
    const both = await run()
    expect(both).to.have.lengthOf(2)
    expect(both[0]).to.equal(version)
    expect(Number(both[1])).to.be.greaterThan(Number(version) + 1)
  })

  it('leaves when the policy ends, and notes that it is not where the homeserver does not know it', async () => {
    const unknown = `!nowhere:${(await stack()).synapse.serverName}`
    const there = { class: 'direct', state: 'covered', changed_at: d.store.clock.now() }
    await d.store.db('room_coverage').insert({ room_id: unknown, ...there })
    await set('staff')
    await eventually(() => membership(kim, chat) === 'leave' || undefined, { what: 'the bot’s leaving the chat' })
    expect(membership(kim, ward)).to.equal('join')
    const uncovered = () => d.store.db('audit_queue').where({ action: 'record.uncover' }).pluck('room')
    const both = async () => ((await uncovered()).length === 2 ? uncovered() : undefined)
    expect(await eventually(both, { what: 'the entries of both' })).to.have.members([chat, unknown])
    expect((await row(unknown)).state).to.equal('left')
    expect((await row(closed)).state, 'still a staff room').to.equal('impossible')
  })
})
