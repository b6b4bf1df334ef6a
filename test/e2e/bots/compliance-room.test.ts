import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { startAudit } from '../../../audit/main.ts'
import { watchPins } from '../../../audit/pins/monitor.ts'
import type { UserId } from '../../../core/domain/ids.ts'
import { isRefusal } from '../../../core/domain/refusal.ts'
import { createLog } from '../../../core/log.ts'
import { logOrigin } from '../../../core/log-keys.ts'
import { createHomeserver, type Homeserver } from '../../../core/matrix/homeserver.ts'
import { deleteDevice, putDevice } from '../../../core/matrix/our-users.ts'
import { pinAccountData, pinContentKey, readPinContent } from '../../../core/pin-content.ts'
import { secret } from '../../../core/secret.ts'
import { surnameHashes } from '../../../core/store/alerts/alert-facts.ts'
import { latestCheckpoint } from '../../../core/store/audit/log/checkpoints.ts'
import { peers } from '../../../core/store/pins/peers.ts'
import { grantRole, revokeRole } from '../../../core/store/staff/roles.ts'
import { complianceRoom } from '../../../core/store/staff/rooms.ts'
import { changeSetting } from '../../../core/store/staff/settings.ts'
import { transact } from '../../../core/store/tx.ts'
import { systemRandom } from '../../../core/system.ts'
import { checkpointText, parseCheckpoint } from '../../../core/tlog/checkpoint.ts'
import { generateSigningKey, parseVkey, type SigningKey } from '../../../core/tlog/key.ts'
import { openNote, signNote } from '../../../core/tlog/note.ts'
import { verifyConsistency } from '../../../core/tlog/verify-proof.ts'
import { type Clinician, clinician } from '../../support/clinician.ts'
import { eventually } from '../../support/eventually.ts'
import { freePort } from '../../support/free-port.ts'
import { stack } from '../../support/stack.ts'
import { type Desk, desk } from '../../support/worlds/desk.ts'

describe('the compliance room', function () {
  this.timeout(180_000)
  let d: Desk
  let audit: Awaited<ReturnType<typeof startAudit>>
  let officer: Clinician
  let nurse: Clinician
  let room: string
  let homeserver: Homeserver
  let key: SigningKey
  const accountData = (user: string) => `/_matrix/client/v3/user/${encodeURIComponent(user)}/account_data`
  const folder = mkdtempSync(join(tmpdir(), 'wardroom-audit-'))

  let intruded: number
  const pinnedBefore = async (size: number) => {
    const row = await d.store.db('audit_pin').where({ place: 'room' }).where('size', '<', size).orderBy('size', 'desc')
    return { size: Number(row[0]?.size), root: new Uint8Array(row[0]?.root) }
  }

  before(async () => {
    officer = await clinician('officer')
    nurse = await clinician('nurse')
    d = await desk({ firstAdmin: officer.userId })
    const { synapse, registrations } = await stack()
    homeserver = createHomeserver({ url: synapse.url, asToken: secret(registrations.bots.as_token) })
    key = generateSigningKey(logOrigin(synapse.serverName), 'note', systemRandom)
    const address = async () => ({ host: '127.0.0.1', port: await freePort() })
    audit = await startAudit({
      databaseUrl: secret(d.database.url),
      homeserver: { url: synapse.url, serverName: synapse.serverName },
      asToken: secret(registrations.bots.as_token),
      keys: d.database.keys,
      logKeys: () => [key],
      publicUrl: 'https://chat.clinic.example',
      adminUrl: 'https://admin.clinic.example',
      listen: { audit: await address(), admin: await address() },
      dataDir: folder,
      log: createLog('audit', process.env.WARDROOM_LOG_LEVEL ?? 'error'),
    })
    await d.grant(officer, 'compliance')
    room = await eventually(() => complianceRoom(d.store.db), { what: 'the compliance room' })
    await eventually(() => officer.client.getRoom(room)?.getMyMembership() === 'join', { timeout: 60_000 })
    await putDevice(homeserver, d.bot, 'INTRUDER' as never, 'not ours')
    intruded = performance.now()
  })

  after(async () => {
    for (const p of [officer, nurse]) await p?.stop()
    await audit?.stop()
    await d?.stop()
    rmSync(folder, { recursive: true, force: true })
  })

  it('gets an alert of the event, which an officer can decrypt', async () => {
    const begin = performance.now()
    await transact(d.store, tx =>
      grantRole(tx, { userId: nurse.userId as UserId, role: 'admin', by: '@somebody:wardroom.test', identity: 'key' }),
    )
    const committed = performance.now()
    const said = await officer.waitFor(s => s.roomId === room && s.body.includes(`${nurse.userId} was made admin`))
    const took = performance.now() - committed
    console.log(`      alert decrypted ${Math.round(took)} ms after the commit (${Math.round(committed - begin)} ms)`)
    expect(said.encrypted).to.equal(true)
    expect(await officer.shield(said)).to.equal('none')
    expect(said.body).to.match(/new-admin: .*\nEntry #\d+\. /)
    expect(said.content['m.mentions']).to.deep.equal({ user_ids: [officer.userId] })
  })

  it('knows the surname by which somebody calls themselves, as a keyed hash', async () => {
    const hashes = async (): Promise<string[]> =>
      (await d.store.db('staff_surname').where({ user_id: officer.userId }).first('surnames'))?.surnames ?? []
    await officer.client.setDisplayName('Dr. Olga Ofícer')
    const expected = surnameHashes(d.store.seal, 'OFICER, Olga')
    await eventually(async () => (await hashes()).join() === expected.join(), { what: 'the new name' })
  })

  it('obeys commands of an officer', async () => {
    const list = await d.ask(officer, room, '!audit alerts list')
    expect(list.mark).to.equal('✅')
    expect(list.body).to.include('new-admin')
  })

  it('gets checkpoints that a program can read, and the homeserver keeps the newest', async () => {
    const said = await officer.waitFor(s => s.roomId === room && s.content[pinContentKey] !== undefined, {
      timeout: 40_000,
    })
    expect(said.encrypted).to.equal(true)
    const pin = readPinContent(said.content[pinContentKey])
    const key = parseVkey(pin?.vkey ?? '')
    if (!pin || isRefusal(key)) throw new Error('no checkpoint')
    const opened = openNote(pin.note, [key])
    expect(!isRefusal(opened) && opened.signedBy).to.have.lengthOf(1)
    expect(said.body).to.include(pin.note.split('\n')[2])
    const kept = await homeserver.request('GET', `${accountData(d.bot)}/${pinAccountData}`, { userId: d.bot })
    expect(kept.note).to.match(/^wardroom\.test\/audit\n\d+\n/)
    await eventually(async () => (await d.store.db('audit_pin').where({ place: 'room' })).length > 0)
  })

  it("keeps another hospital's checkpoints that are posted there, and tells of one that contradicts them", async () => {
    const key = generateSigningKey('elsewhere.example/audit', 'note', systemRandom)
    const post = (size: number) => {
      const root = systemRandom.bytes(32)
      const note = signNote(checkpointText({ origin: key.verifier.name, size, root }), key)
      const content = { note, vkey: key.verifier.vkey, old: 0, proof: [] }
      return officer.sendContent(room, 'm.room.message', {
        msgtype: 'm.notice',
        body: 'checkpoint',
        [pinContentKey]: content,
      })
    }
    await post(7)
    await eventually(async () => (await transact(d.store, peers))[0]?.size === 7, { what: 'their checkpoint' })
    await post(7)
    const said = await officer.waitFor(s => s.roomId === room && s.body.includes('elsewhere.example/audit contradicts'))
    expect(said.body).to.include('another history')
  })

  it('gives its checkpoints to a room that hospitals share, which the bot joins only when it is the one', async () => {
    const [shared, other] = [await officer.createRoom({ invite: [] }), await officer.createRoom({ invite: [] })]
    await transact(d.store, tx => changeSetting(tx, { key: 'audit.pin_room', value: shared, by: 'test' }))
    for (const roomId of [shared, other]) await officer.client.invite(roomId, d.bot)
    const is = (roomId: string) => officer.client.getRoom(roomId)?.getMember(d.bot)?.membership
    await eventually(() => is(shared) === 'join' && is(other) === 'leave', { timeout: 60_000 })
    const latest = await latestCheckpoint(d.store.db)
    const payload = { size: latest?.size, origin: key.verifier.name, vkey: key.verifier.vkey }
    await transact(d.store, tx => tx.enqueue({ queue: 'bots', kind: 'pins.post', lane: 'pins', payload }))
    const said = await officer.waitFor(s => s.roomId === shared && s.content[pinContentKey] !== undefined)
    // The log has grown since, perhaps before this was posted.
    const pin = readPinContent(said.content[pinContentKey])
    const note = openNote(pin?.note ?? '', [key.verifier])
    const now = isRefusal(note) ? note : parseCheckpoint(note.text)
    if (isRefusal(now)) throw new Error(now.sentence)
    const before = await pinnedBefore(now.size)
    expect(pin?.old).to.equal(before.size)
    expect(verifyConsistency(before, now, pin?.proof ?? [])).to.equal(true)
  })

  it('is told when the homeserver keeps a longer log than the database', async () => {
    const size = 1_000_000
    const note = signNote(checkpointText({ origin: key.verifier.name, size, root: systemRandom.bytes(32) }), key)
    await homeserver.request('PUT', `${accountData(d.bot)}/${pinAccountData}`, { userId: d.bot, body: { note } })
    await watchPins(audit.deps, new Map())
    const said = await officer.waitFor(s => s.roomId === room && s.body.includes('the homeserver holds a checkpoint'))
    expect(said.body).to.include('critical · rollback').and.include('1000000')
  })

  it('hears of a device of the bot that nobody of us made', async () => {
    const said = await officer.waitFor(s => s.roomId === room && s.body.includes('INTRUDER'), { timeout: 60_000 })
    console.log(`      foreign device reported after ${Math.round(performance.now() - intruded)} ms`)
    expect(said.body).to.include('critical')
    await deleteDevice(homeserver, d.bot, 'INTRUDER' as never)
  })

  it('is left by whoever loses the role', async () => {
    await transact(d.store, tx => revokeRole(tx, { userId: officer.userId as UserId, role: 'compliance', by: 'test' }))
    await eventually(() => officer.client.getRoom(room)?.getMyMembership() === 'leave', { timeout: 60_000 })
  })
})
