import { randomBytes } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { careDeletion } from '../../../appservice/care/deletion.ts'
import type { EventShape } from '../../../core/domain/audit/room-event.ts'
import { days, hours } from '../../../core/domain/clock.ts'
import type { UserId } from '../../../core/domain/ids.ts'
import { keysOfGhost } from '../../../core/matrix/export/ghost-keys.ts'
import { newDeviceId } from '../../../core/matrix/our-users.ts'
import { deletionRun } from '../../../core/records/deletion.ts'
import { exitRun } from '../../../core/records/exit.ts'
import { openK } from '../../../core/seal.ts'
import { type Db, openDb } from '../../../core/store/db.ts'
import { closePatient } from '../../../core/store/patients/patient-access.ts'
import { endEphemeral, makeEphemeral } from '../../../core/store/records/ephemeral.ts'
import { requestExit } from '../../../core/store/records/exits.ts'
import { recordById } from '../../../core/store/records/fates.ts'
import { releaseHold } from '../../../core/store/records/holds.ts'
import { noteSentFromPage } from '../../../core/store/records/media.ts'
import { noteRecords } from '../../../core/store/records/note.ts'
import { changePolicy } from '../../../core/store/records/policies.ts'
import { askRecall, copyOf } from '../../../core/store/records/recall.ts'
import { transact } from '../../../core/store/tx.ts'
import { type Clinician, clinician } from '../../support/clinician.ts'
import { dumpOf } from '../../support/database.ts'
import { eventually } from '../../support/eventually.ts'
import { placed } from '../../support/records/placed.ts'
import { stack } from '../../support/stack.ts'
import { type CarePatient, type TestBridge, testBridge } from '../../support/worlds/bridge.ts'

/** Rows 32, 50: what a policy lets go is gone from the homeserver and from Wardroom, and the log certifies it. */
describe('deletion', function () {
  this.timeout(120_000)
  let bridge: TestBridge
  let lee: Clinician
  let synapse: Db
  let patient: CarePatient

  before(async () => {
    bridge = await testBridge()
    lee = await clinician('lee')
    await bridge.grant(lee.userId)
    patient = await bridge.enrol(lee)
    synapse = openDb((await stack()).postgresUrl('synapse'), { max: 2, name: 'test' })
  })
  after(async () => {
    await synapse?.destroy()
    await lee?.stop()
    await bridge?.stop()
  })

  /** What the bot is to say in a chat. */
  const answers = async (chat: string): Promise<string[]> => {
    const rows = await bridge.db.store.db('outbox').where({ lane: chat, kind: 'bot.say' }).orderBy('seq')
    return Promise.all(
      rows.map(async r => JSON.parse(await bridge.db.store.seal.open('outbox.payload', r.payload)).text),
    )
  }

  const served = ({ room, owner }: Pick<CarePatient, 'room' | 'owner'>, id: string): Promise<EventShape> =>
    bridge.deps.homeserver.request(
      'GET',
      `/_matrix/client/v3/rooms/${encodeURIComponent(room)}/event/${encodeURIComponent(id)}`,
      { userId: owner },
    )

  /** The event as the homeserver stores it, noted as the bots' transactions would note it. */
  const noted = async (of: Pick<CarePatient, 'room' | 'owner'>, id: string): Promise<EventShape> => {
    const event = await served(of, id)
    await transact(bridge.deps.store, tx => noteRecords(tx, { events: [event], receipts: [] }))
    return event
  }

  it('destroys the file of a message that a patient’s page sent, bytes and all, with the message', async () => {
    const { store } = bridge.db
    const { media } = (await stack()).synapse
    const files = () =>
      readdirSync(media, { recursive: true, withFileTypes: true })
        .filter(f => f.isFile())
        .map(f => join(f.parentPath, f.name))
    const before = new Set(files())
    const photo = await lee.sendImage(patient.room, new Uint8Array(randomBytes(5000)), {
      name: 'wound.jpg',
      mimetype: 'image/jpeg',
    })
    const [file = ''] = files().filter(f => !before.has(f))
    const bytes = readFileSync(file)
    const seen = await lee.waitFor(s => s.eventId === photo, { what: 'the photo' })
    const mxc = (seen.content.file as { url: string }).url.slice('mxc://'.length)
    // As the page's proxy notes an upload and the message after it.
    await store.db('session_upload').insert({
      media: mxc,
      session_id: 'se',
      person_id: patient.person,
      patient_id: patient.id,
      bytes: bytes.length,
      at: store.clock.now(),
    })
    await transact(store, tx => noteSentFromPage(tx, patient.person, photo))
    await noted(patient, photo)
    const holding = () => files().filter(f => readFileSync(f).includes(bytes))
    expect(holding(), 'the search finds it while it is there').to.deep.equal([file])
    await store.db('record').where({ event_id: photo }).update({ recalled_at: store.clock.now() })
    expect(await deletionRun(careDeletion(bridge.deps), { events: [photo] })).to.equal(1)
    expect(holding()).to.deep.equal([])
    const id = mxc.split('/')[1] ?? ''
    expect(await synapse('local_media_repository').where({ media_id: id })).to.deep.equal([])
    expect(await store.db('session_upload')).to.deep.equal([])
  })

  it('leaves no ciphertext and no session anywhere, redacts, keeps what is newer, and certifies the run', async () => {
    const { store } = bridge.db
    const { room } = patient
    const ids = [await lee.send(room, 'the first'), await lee.send(room, 'the second')]
    const old = await Promise.all(ids.map(id => noted(patient, id)))
    store.clock.advance(days(8))
    const kept = await noted(patient, await lee.send(room, 'the third'))
    await store.db('record').where({ event_id: kept.event_id }).update({ sent_at: store.clock.now() })
    const ciphertexts = old.map(e => String(e.content.ciphertext))
    for (const text of ciphertexts)
      expect(await dumpOf(synapse), 'the search finds it while it is there').to.include(text)
    await transact(store, tx =>
      changePolicy(
        tx,
        { scope: { kind: 'class', class: 'care' }, minimum: false, value: { from: 'sent', keepMs: days(7) } },
        { by: '@cora:h', approvedBy: '@carl:h' },
      ),
    )
    expect(await deletionRun(careDeletion(bridge.deps))).to.equal(2)

    // One by one would take as long as the homeserver's own pruning; a new Synapse may lack what this needs (config/synapse).
    const { rows } = await synapse.raw('select distinct xmin::text from event_json where event_id = any(?::text[])', [
      ids,
    ] as never)
    expect(rows, 'the transactions that pruned them').to.have.lengthOf(1)
    // Our inbox has what the bridge has not handled yet.
    const here = await eventually(
      async () => {
        const all = `${await dumpOf(synapse)}\n${await bridge.db.dump()}`
        return !ciphertexts.some(text => all.includes(text)) && all
      },
      { what: 'databases without them' },
    )
    expect(here, 'what is newer stays').to.include(String(kept.content.ciphertext))
    for (const id of ids)
      await eventually(() => lee.seen(room).find(s => s.eventId === id)?.redacted, {
        what: 'the removal in the client',
      })
    const thisRun = (action: string) =>
      store
        .db('audit_queue')
        .where({ action })
        .where('at', '>', store.clock.now() - hours(1))
    const certificates = await thisRun('record.certificate')
    expect(certificates.map(c => c.detail)).to.have.lengthOf(1)
    expect(certificates[0]?.detail).to.deep.include({ count: 2, by_window: 2, approved_by: '@carl:h' })
    expect(await thisRun('record.destroy')).to.have.lengthOf(2)
    expect(await deletionRun(careDeletion(bridge.deps)), 'a second run').to.equal(0)
  })

  it('destroys the keys in the patient’s backup once nothing of their session is left', async () => {
    const { store } = bridge.db
    const patient = await bridge.enrol(lee)
    const { room, ghost } = patient
    const event = await noted(patient, await lee.send(room, 'alone in its session'))
    const session = String(event.content.session_id)
    const { version } = await bridge.deps.homeserver.request<{ version: string }>(
      'GET',
      '/_matrix/client/v3/room_keys/version',
      { userId: ghost },
    )
    const path = `/_matrix/client/v3/room_keys/keys/${encodeURIComponent(room)}/${encodeURIComponent(session)}`
    const key = { first_message_index: 0, forwarded_count: 0, is_verified: true, session_data: { ciphertext: 'c' } }
    await bridge.deps.homeserver.request('PUT', path, { userId: ghost, query: { version }, body: key })
    for (const all of [await dumpOf(synapse), await bridge.db.dump()])
      expect(all, 'the search finds the session while it is there').to.include(session)
    await store.db('record').where({ event_id: event.event_id }).update({ recalled_at: store.clock.now() })
    await deletionRun(careDeletion(bridge.deps), { events: [event.event_id] })
    const left = await bridge.deps.homeserver
      .request('GET', path, { userId: ghost, query: { version } })
      .catch((e: { errcode?: string }) => e.errcode)
    expect(left).to.equal('M_NOT_FOUND')
    // What a clinician's own client keeps in its own backup is in docs/records.md among what stays elsewhere. Our inbox has what the bridge has not handled yet.
    const elsewhere = async () =>
      `${await dumpOf(synapse)}\n${await bridge.db.dump()}`
        .split('\n')
        .filter(
          row =>
            row.includes(session) && !row.startsWith(`{"user_id":"${lee.userId}","room_id":"${room}","session_id"`),
        )
    await eventually(async () => (await elsewhere()).length === 0, { what: 'databases without the session' })
    const { logs } = (await stack()).synapse
    const files = readdirSync(logs)
    expect(files, 'the homeserver’s log').to.include('synapse.log')
    for (const file of files) expect(readFileSync(join(logs, file), 'utf8'), file).not.to.include(session)
  })

  it('goes on after a kill: what was decided is destroyed by the next run', async () => {
    const { store } = bridge.db
    const patient = await bridge.enrol(lee)
    const { room } = patient
    const event = await noted(patient, await lee.send(room, 'decided, then killed'))
    const row = {
      doomed_at: store.clock.now(),
      run_id: 'dr_killed',
      rule: JSON.stringify({ kind: 'recall', id: null }),
    }
    await store.db('record').where({ event_id: event.event_id }).update(row)
    store.clock.advance(hours(1))
    // Removed by nobody in its room, so that what is served is the homeserver's own copy.
    expect(await deletionRun({ ...careDeletion(bridge.deps), speaker: async () => null })).to.equal(1)
    expect(await dumpOf(synapse)).not.to.include(String(event.content.ciphertext))
    expect((await served(patient, event.event_id)).content, 'from the homeserver’s cache').to.deep.equal({})
  })

  it('takes a recalled message away here, asks nobody else where nobody else is, and tells who asked', async () => {
    const { store } = bridge.db
    const patient = await bridge.enrol(lee)
    const { room } = patient
    const event = await noted(patient, await lee.send(room, 'to the wrong patient'))
    await eventually(() => store.db('notice').where({ event_id: event.event_id }).first(), { what: 'the notice' })
    const found = await recordById(store.db, event.event_id)
    if (!found) throw new Error('the event was not noted')
    const asked = { by: lee.userId as UserId, chat: '!chat', thread: '$command' }
    expect(await transact(store, tx => askRecall(tx, found, asked))).to.equal(true)
    expect((await store.db('notice').where({ event_id: event.event_id }).first()).state).to.equal('withdrawn')
    expect(await deletionRun(careDeletion(bridge.deps), { events: [event.event_id] })).to.equal(1)
    expect(await dumpOf(synapse)).not.to.include(String(event.content.ciphertext))
    expect(await answers('!chat')).to.deep.equal([
      'Recalled: the message is gone from this homeserver and from Wardroom. No other homeserver is in its room. ' +
        `Backups may hold it, encrypted, until ${new Date(store.clock.now() + days(30)).toISOString().slice(0, 10)}. ` +
        'What somebody copied or photographed, nobody can take back.',
    ])
  })

  it('hides a recalled message under a hold, keeps a sealed copy, and destroys both after the release', async () => {
    const { store } = bridge.db
    const patient = await bridge.enrol(lee)
    const { room } = patient
    const event = await noted(patient, await lee.send(room, 'said in anger'))
    const ciphertext = String(event.content.ciphertext)
    const hold = await placed(store, { room }, 'a claim')
    const found = await recordById(store.db, event.event_id)
    if (!found) throw new Error('the event was not noted')
    await transact(store, tx => askRecall(tx, found, { by: lee.userId as UserId, chat: '!held', thread: '$c' }))
    expect(await deletionRun(careDeletion(bridge.deps), { events: [event.event_id] })).to.equal(0)
    await eventually(() => lee.seen(room).find(s => s.eventId === event.event_id)?.redacted, {
      what: 'the removal in the client',
    })
    const copy = (await copyOf(store, event.event_id)) as EventShape
    expect(copy.content.ciphertext).to.equal(ciphertext)
    // The inbox has it until the bridge has handled the message.
    await eventually(async () => !(await bridge.db.dump()).includes(ciphertext), {
      what: 'nothing but the sealed copy',
    })
    expect((await answers('!held'))[0]).to.include('a sealed copy stays')
    await transact(store, tx => releaseHold(tx, hold.id, { by: '@cora:h', approvedBy: '@carl:h' }))
    expect(await deletionRun(careDeletion(bridge.deps))).to.equal(1)
    expect(await copyOf(store, event.event_id)).to.equal(undefined)
    expect(await dumpOf(synapse)).not.to.include(ciphertext)
    expect(await answers('!held')).to.have.lengthOf(2)
  })

  it('still has for a hold what a client removed days ago', async () => {
    const { store } = bridge.db
    const patient = await bridge.enrol(lee)
    const { room } = patient
    const event = await noted(patient, await lee.send(room, 'removed in the client'))
    await lee.redact(room, event.event_id)
    await store
      .db('record')
      .where({ event_id: event.event_id })
      .update({ removed_at: store.clock.now() - days(6) })
    await placed(store, { room }, 'a claim')
    await deletionRun(careDeletion(bridge.deps))
    store.clock.advance(days(30))
    await deletionRun(careDeletion(bridge.deps))
    expect(((await copyOf(store, event.event_id)) as EventShape).content.ciphertext).to.equal(event.content.ciphertext)
  })

  it('makes a care room ephemeral: says so in words and by a sign, and what is written then goes (row 34)', async () => {
    const { store } = bridge.db
    const { id, room, owner } = patient
    const life = { from: 'sent', keepMs: hours(1) } as const
    const job = { queue: 'bridge', kind: 'care.ephemeral', lane: room, patient: id } as const
    const refused = await transact(store, async tx => {
      await tx.enqueue({ ...job, key: 'ephemeral:room', payload: { patientId: id, life } })
      return makeEphemeral(tx, { room, patient: id }, life, { by: lee.userId })
    })
    expect(refused).to.equal(undefined)
    const told = await lee.waitFor(s => s.roomId === room && s.body.includes('se borra'), { what: 'the notice' })
    expect(told.encrypted).to.equal(true)
    const event = await noted(patient, await lee.send(room, 'gone in an hour'))
    await transact(store, tx =>
      tx.enqueue({ ...job, key: 'ephemeral:one', payload: { patientId: id, event: event.event_id, life } }),
    )
    const sign = await lee.waitFor(s => s.relatesTo === event.event_id && s.reaction === '⏳', { what: 'the sign' })
    expect(sign.sender).to.equal(owner)
    store.clock.advance(hours(2))
    expect(await deletionRun(careDeletion(bridge.deps), { events: [event.event_id] })).to.equal(1)
    expect(await dumpOf(synapse)).not.to.include(String(event.content.ciphertext))
    await transact(store, tx => endEphemeral(tx, { room, patient: id }, lee.userId))
  })

  it('destroys every key to a closed record that two people end, and none of them while a hold is over it (row 53)', async () => {
    const { store } = bridge.db
    const { homeserver, log } = bridge.deps
    const { id, room, owner, ghost, person } = await bridge.enrol(lee)
    const event = await noted({ room, owner }, await lee.send(room, 'the last one'))
    const sealed: string = (await store.db('person').where({ id: person }).first('k')).k
    const k = await openK(bridge.privateKeys.recovery, ghost, sealed)
    /** With K, as the officers and the patient's page have it: from the waiting device and the backup. */
    const opened = () =>
      keysOfGhost({ homeserver, userId: ghost, deviceId: newDeviceId(store.random), k, rooms: [room], log })
    const left = async () => {
      const of = { user_id: ghost }
      const rows = await Promise.all([
        synapse('dehydrated_devices').where(of),
        synapse('devices').where({ ...of, hidden: false }),
        synapse('device_inbox').where(of),
        synapse('e2e_room_keys_versions').where(of),
        synapse('account_data').where(of).whereNot({ content: '{}' }),
        store.db('person').where({ id: person }).whereNotNull('k'),
        store.db('patient').where({ id }).whereNotNull('service_secret'),
      ])
      return rows.map(r => r.length > 0)
    }
    await transact(store, tx => closePatient(tx, id, lee.userId))
    const hold = await placed(store, { patient: id }, 'a claim about the record')
    const people = { by: '@cora:h', approvedBy: '@carl:h' }
    expect(await transact(store, tx => requestExit(tx, id, people))).to.deep.include({ why: 'hold', id: hold.id })
    await eventually(async () => (await store.db('room').where({ room_id: room }).first('archived_at'))?.archived_at, {
      what: 'the closed room',
    })
    expect(await exitRun({ store, homeserver, log })).to.equal(0)
    expect(await left()).to.deep.equal([true, true, true, true, true, true, true])
    expect((await opened()).keys.map(key => key.session_id)).to.include(event.content.session_id)

    await transact(store, tx => releaseHold(tx, hold.id, people))
    expect(await transact(store, tx => requestExit(tx, id, people))).to.equal(undefined)
    await deletionRun(careDeletion(bridge.deps), { events: [event.event_id] })
    expect(await exitRun({ store, homeserver, log })).to.equal(1)
    await eventually(async () => !(await left()).includes(true), { what: 'nothing of it' })
    const dump = await bridge.db.dump()
    expect(dump).not.to.include(JSON.stringify(sealed).slice(1, -1))
    const stolen = await opened().then(
      found => found.keys.length,
      () => 0,
    )
    expect(stolen, 'with a K from before').to.equal(0)
    const query = { userId: ghost, body: { device_keys: { [ghost]: [] } } }
    expect(await homeserver.request('POST', '/_matrix/client/v3/keys/query', query)).to.have.property('device_keys')
    await eventually(() => lee.client.getRoom(room)?.getMember(ghost)?.membership === 'leave', {
      what: 'the ghost out',
    })
  })

  it('is refused to everybody but Wardroom’s services', async () => {
    for (const what of ['destroy', 'copy', 'rooms', 'traces', 'servers'].map(name => `wardroom_${name}`))
      for (const token of [lee.accessToken, 'wrong', undefined]) {
        const headers: Record<string, string> = token ? { authorization: `Bearer ${token}` } : {}
        const url = `${bridge.deps.homeserver.url}/_synapse/client/${what}`
        const answer = await fetch(url, { method: 'POST', headers, body: JSON.stringify({ events: [] }) })
        expect(answer.status, `${what} ${token}`).to.be.within(401, 403)
      }
  })
})
