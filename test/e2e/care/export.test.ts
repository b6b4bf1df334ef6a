import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { generateX25519Identity, identityToRecipient } from 'age-encryption'
import { expect } from 'chai'
import { careDeletion } from '../../../appservice/care/deletion.ts'
import { exportRecords } from '../../../cli/commands/export.ts'
import { hours } from '../../../core/domain/clock.ts'
import type { UserId } from '../../../core/domain/ids.ts'
import type { ExportLine } from '../../../core/domain/records/export-line.ts'
import { isRefusal } from '../../../core/domain/refusal.ts'
import { generateKeys, writeKeyFile } from '../../../core/keys.ts'
import { keysOfGhost } from '../../../core/matrix/export/ghost-keys.ts'
import { createHomeserver } from '../../../core/matrix/homeserver.ts'
import { openMemoryClient } from '../../../core/matrix/memory-client.ts'
import { backUpAtOnce, dehydrationOf, flushBackup } from '../../../core/matrix/olm-machine.ts'
import { dehydratedDeviceOf, deleteDevice, devicesOf, newDeviceId, putDevice } from '../../../core/matrix/our-users.ts'
import { deletionRun } from '../../../core/records/deletion.ts'
import { contentHash, fitsOwnHash } from '../../../core/records/export/canonical.ts'
import { checkExport } from '../../../core/records/export/check.ts'
import { type Manifest, paths } from '../../../core/records/export/manifest.ts'
import { openPackage } from '../../../core/records/export/package-writer.ts'
import { readPackage } from '../../../core/records/export/read-package.ts'
import { type ExportResult, runExport } from '../../../core/records/export/run.ts'
import { joinRecovery, splitRecovery } from '../../../core/recovery.ts'
import { openK } from '../../../core/seal.ts'
import { secret } from '../../../core/secret.ts'
import { personById } from '../../../core/store/patients/patients.ts'
import { exportById } from '../../../core/store/records/exports.ts'
import { recordById } from '../../../core/store/records/fates.ts'
import { placeHold } from '../../../core/store/records/holds.ts'
import { noteRecords } from '../../../core/store/records/note.ts'
import { askRecall } from '../../../core/store/records/recall.ts'
import { transact } from '../../../core/store/tx.ts'
import { generateSigningKey } from '../../../core/tlog/key.ts'
import { type TestAuditLog, testAuditLog } from '../../support/audit-log.ts'
import { type Clinician, clinician } from '../../support/clinician.ts'
import { approvedExport, asks, exportTold, readExport } from '../../support/exports.ts'
import { stack } from '../../support/stack.ts'
import { testLog } from '../../support/test-log.ts'
import { type CarePatient, type TestBridge, testBridge } from '../../support/worlds/bridge.ts'

/** The smallest picture there is. */
const picture = Buffer.from('R0lGODlhAQABAAAAACwAAAAAAQABAAA=', 'base64')

/** Row 53: an export of a care room whose link nobody ever opened, with an edit, a removal under a hold and a picture. */
describe('export of records', function () {
  this.timeout(120_000)
  let bridge: TestBridge
  let lee: Clinician
  let patient: CarePatient
  let log: TestAuditLog
  let identity: string
  let recipient: string
  const folder = mkdtempSync(join(tmpdir(), 'wardroom-export-'))
  const ids: Record<string, string> = {}

  before(async () => {
    bridge = await testBridge()
    const { store } = bridge.db
    lee = await clinician('lee')
    await bridge.grant(lee.userId)
    patient = await bridge.enrol(lee)
    log = testAuditLog(store)
    identity = await generateX25519Identity()
    recipient = await identityToRecipient(identity)
    await writeTheRoom()
  })
  after(async () => {
    rmSync(folder, { recursive: true, force: true })
    await lee?.stop()
    await bridge?.stop()
  })

  const noted = async (id: string) => {
    const event = await bridge.deps.homeserver.request(
      'GET',
      `/_matrix/client/v3/rooms/${encodeURIComponent(patient.room)}/event/${encodeURIComponent(id)}`,
      { userId: patient.owner },
    )
    await transact(bridge.deps.store, tx => noteRecords(tx, { events: [event as never], receipts: [] }))
  }
  const destroyAtHomeserver = (id: string) =>
    bridge.deps.homeserver.request('POST', '/_synapse/client/wardroom_destroy', { body: { events: [id] } })

  /** An installation's configuration, as the officers' machine has it. */
  const configuration = async (): Promise<string> => {
    const { synapse, registrations } = await stack()
    const file = (name: string, content: unknown): string => {
      writeFileSync(join(folder, name), JSON.stringify(content), { mode: 0o600 })
      return join(folder, name)
    }
    return file('wardroom.yaml', {
      homeserver: {
        url: synapse.url,
        serverName: synapse.serverName,
        registrations: {
          bots: file('bots.yaml', registrations.bots),
          ghosts: file('ghosts.yaml', registrations.ghosts),
        },
      },
      database: { url: bridge.db.url },
      keys: { file: file('sealing.json', bridge.db.keys), keeperSecret: 'secret-of-this-test-only-0123456789' },
    })
  }
  /** What the command says when it cannot. */
  const explained = (...args: string[]): Promise<string> =>
    exportRecords.run(args).then(
      code => `ended with ${code}`,
      (error: Error) => error.message,
    )
  /** Runs the command in a folder where there is nothing; gives its exit code and what it said. */
  const wardroom = async (...args: string[]): Promise<string> => {
    const main = join(import.meta.dirname, '../../../cli/main.ts')
    const child = spawn(process.execPath, [main, 'export', ...args], { cwd: folder, env: { PATH: process.env.PATH } })
    let said = ''
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', d => {
        said += d
      })
    const [code] = await once(child, 'close')
    return `${code} ${said}`
  }

  /** The last message's session is its own: no visit ever put it into the backup. */
  const writeTheRoom = async () => {
    const { store } = bridge.db
    const { room } = patient
    ids.first = await lee.send(room, 'Please come on Mnoday <script>alert(1)</script>')
    ids.edit = await lee.sendContent(room, 'm.room.message', {
      msgtype: 'm.text',
      body: '* Please come on Monday',
      'm.new_content': { msgtype: 'm.text', body: 'Please come on Monday' },
      'm.relates_to': { rel_type: 'm.replace', event_id: ids.first },
    })
    ids.image = await lee.sendImage(room, new Uint8Array(picture), { name: 'rash.gif', mimetype: 'image/gif' })
    ids.reaction = await lee.react(room, ids.first, '👍')
    await lee.client.getCrypto()?.forceDiscardSession(room)
    ids.recalled = await lee.send(room, 'Recalled under a hold')
    // As a server may say of the time what it likes.
    const path = `/_matrix/client/v3/rooms/${encodeURIComponent(room)}/send/m.reaction/ahead`
    const { event_id } = await bridge.deps.homeserver.request<{ event_id: string }>('PUT', path, {
      userId: patient.owner,
      query: { ts: Number.MAX_SAFE_INTEGER },
      body: { 'm.relates_to': { rel_type: 'm.annotation', event_id: ids.first, key: '🕰️' } },
    })
    ids.ahead = event_id
    ids.removed = await lee.send(room, 'Removed in the client')
    ids.again = await lee.sendContent(room, 'm.room.message', {
      msgtype: 'm.text',
      body: '* Removed in the client too',
      'm.new_content': { msgtype: 'm.text', body: 'Removed in the client too' },
      'm.relates_to': { rel_type: 'm.replace', event_id: ids.removed },
    })
    for (const id of Object.values(ids)) await noted(id)
    await transact(store, tx => placeHold(tx, { room }, { matter: 'a claim', by: asks }))
    const record = await recordById(store.db, ids.recalled)
    if (!record) throw new Error('not noted')
    await transact(store, tx => askRecall(tx, record, { by: lee.userId as UserId, chat: '!chat', thread: '$c' }))
    await deletionRun(careDeletion(bridge.deps), { events: [ids.recalled] })
    // As the homeserver itself does seven days after the removal.
    await destroyAtHomeserver(ids.recalled)
    await lee.redact(room, ids.removed)
    const removal = { event_id: '$removal', room_id: room, sender: lee.userId, origin_server_ts: Date.now() }
    const removed = { ...removal, type: 'm.room.redaction', content: { redacts: ids.removed } }
    await transact(store, tx => noteRecords(tx, { events: [removed], receipts: [] }))
  }

  const deps = async () => {
    const { synapse, bots } = await stack()
    return {
      store: bridge.deps.store,
      ghosts: bridge.deps.homeserver,
      bots: createHomeserver({ url: synapse.url, asToken: secret(bots.asToken) }),
      serverName: synapse.serverName,
      log: testLog(),
      logged: async () => (await log.sequence()) !== undefined,
    }
  }

  const approved = (copy: boolean): Promise<string> =>
    approvedExport(bridge.db.store, { about: { kind: 'patient', patient: patient.id }, recipient, copy })

  const run = async (id: string, out: string): Promise<ExportResult> => {
    const shares = await splitRecovery(bridge.privateKeys.recovery, 2, 3)
    const recovery = await joinRecovery([shares[0]!, shares[2]!])
    const done = await runExport(await deps(), { id, recovery, shares: '1-3', by: 'cli/test', out })
    if (isRefusal(done)) throw new Error(done.sentence)
    return done
  }

  it('is told to the room, reads what only the dehydrated device can open, and leaves no device', async () => {
    const { store } = bridge.db
    const id = await approved(false)
    const file = join(folder, 'whole.age')
    await exportTold(bridge.db.store, id)
    await lee.waitFor(s => s.roomId === patient.room && s.body.includes('are being exported by compliance'))
    const done = await run(id, file)
    const { texts, byId, manifest } = await readExport(file, identity)
    expect(manifest.unreadable).to.deep.equal({})
    expect(byId(ids.first)?.content?.body).to.include('Mnoday')
    expect(byId(ids.edit)).to.deep.include({ what: 'edit', about: ids.first })
    expect(byId(ids.reaction)).to.deep.include({ what: 'reaction', about: ids.first, encrypted: false })
    expect(byId(ids.ahead)).to.include({ what: 'reaction', sent_at: '+275760-09-13T00:00:00.000Z' })
    const image = byId(ids.image)?.media
    expect(image).to.include({ path: 'media/000001.gif', name: 'rash.gif', bytes: picture.length })
    expect(Buffer.from(texts['media/000001.gif'] ?? '')).to.have.lengthOf.above(0)
    expect(byId(ids.recalled)).to.include({ source: 'sealed-copy', what: 'message' })
    expect(byId(ids.recalled)?.content?.body).to.equal('Recalled under a hold')
    expect(byId(ids.removed)?.content?.body).to.equal('Removed in the client')
    expect(byId(ids.removed)?.removed).to.include({ by: lee.userId })
    const members = texts['membership.jsonl']
      ?.trim()
      .split('\n')
      .map(line => JSON.parse(line))
    expect(members?.filter(m => m.membership === 'join').map(m => m.user)).to.include.members([
      lee.userId,
      patient.ghost,
      patient.owner,
    ])
    const page = texts['index.html'] ?? ''
    expect(page).to.include('&#60;script&#62;alert(1)').and.include('claim 7').and.not.include('<script')
    expect(page).to.include('<img src="media/000001.gif"')

    const { homeserver } = bridge.deps
    const standing = await dehydratedDeviceOf(homeserver, patient.ghost)
    expect((await devicesOf(homeserver, patient.ghost)).filter(d => d !== standing)).to.deep.equal([])
    expect(await store.db('export_device').whereNull('gone_at')).to.deep.equal([])
    const r = await exportById(store.db, id)
    expect(r).to.include({ state: 'done', fileSha256: done.fileSha256, manifestSha256: done.manifestSha256 })

    for (const one of [ids.first, ids.recalled, ids.image])
      expect(fitsOwnHash(byId(one)?.stored ?? {}), 'as its sender’s server signed it').to.equal(true)
    const { synapse, ghosts } = await stack()
    const access = createHomeserver({ url: synapse.url, asToken: secret(ghosts.asToken) })
    const recorded = { file: r?.fileSha256 ?? null, manifest: r?.manifestSha256 ?? null }
    const verdict = await checkExport(file, {
      identities: [identity],
      vkey: log.key.verifier.vkey,
      homeserver: access,
      recorded,
    })
    expect(verdict.wrong).to.deep.equal([])
    expect(verdict.holds).to.equal(true)
    expect(verdict.notes.join()).to.match(/[1-9]\d* of \d+ events are what the homeserver stores/)
    expect(manifest.audit).to.include({ complete: true })
    const again = await runExport(await deps(), {
      id,
      recovery: bridge.privateKeys.recovery,
      shares: '',
      by: 'x',
      out: `${file}2`,
    })
    expect(again).to.include({ code: 'export-done' })
  })

  it('has its events from a place that is refused to people, and to the bridge', async () => {
    const { synapse, ghosts } = await stack()
    for (const token of [lee.accessToken, ghosts.asToken, 'wrong', undefined]) {
      const headers: Record<string, string> = token ? { authorization: `Bearer ${token}` } : {}
      const body = JSON.stringify({ room: patient.room, until: Date.now() })
      const answer = await fetch(`${synapse.url}/_synapse/client/wardroom_room`, { method: 'POST', headers, body })
      expect(answer.status).to.be.within(401, 403)
    }
  })

  it('is found out when any byte of it was changed, or a piece is missing', async () => {
    const whole = readFileSync(join(folder, 'whole.age'))
    const file = join(folder, 'changed.age')
    const at = [0, 30, 120, 400, whole.length >> 1, whole.length - 1]
    for (const place of at) {
      const changed = Buffer.from(whole)
      changed[place] = (changed[place] ?? 0) ^ 1
      writeFileSync(file, changed)
      const found = await checkExport(file, { identities: [identity] }).then(
        v => v.holds,
        () => false,
      )
      expect(found, `byte ${place}`).to.equal(false)
    }
    writeFileSync(file, whole.subarray(0, whole.length - 100))
    expect(await checkExport(file, { identities: [identity] }).catch(() => 'cut')).to.equal('cut')
    const stranger = await generateX25519Identity()
    const other = await checkExport(join(folder, 'whole.age'), { identities: [stranger] }).catch(() => 'no key')
    expect(other).to.equal('no key')
  })

  it('is found out when somebody with the key packed it anew with something changed, and its hashes with it', async () => {
    const whole = new Map<string, Buffer>()
    await readPackage(join(folder, 'whole.age'), [identity], path => {
      const chunks: Buffer[] = []
      return {
        chunk: bytes => void chunks.push(Buffer.from(bytes)),
        end: () => void whole.set(path, Buffer.concat(chunks)),
      }
    })
    const text = (path: string) => whole.get(path)?.toString() ?? ''
    const manifest = JSON.parse(text(paths.manifest)) as Manifest
    let packed = 0
    /** With hashes that fit, unless the manifest itself was changed. */
    const wrongWith = async (changes: Record<string, string | undefined>, more: Partial<Manifest> = {}) => {
      const file = join(folder, `anew-${packed++}.age`)
      const writer = await openPackage(file, { recipients: [recipient], at: new Date() })
      const files: Manifest['files'] = []
      for (const [path, bytes] of whole) {
        const content = path in changes ? changes[path] : bytes
        if (path !== paths.manifest && content !== undefined) files.push(await writer.add(path, content))
      }
      await writer.add(paths.manifest, JSON.stringify({ ...manifest, files, ...more }))
      await writer.finish()
      return (await checkExport(file, { identities: [identity], vkey: log.key.verifier.vkey })).wrong.join(' ')
    }
    expect(await wrongWith({}), 'nothing was changed').to.equal('')
    const lines = text(paths.messages).trim().split('\n')
    const first = lines.find(l => l.includes(String(ids.first)) && l.includes('Mnoday')) ?? ''
    const without = lines.filter(l => l !== first).join('\n')
    expect(await wrongWith({ [paths.messages]: without })).to.include(`${ids.first} is missing`)
    expect(await wrongWith({ [paths.messages]: `${text(paths.messages)}${first}\n` })).to.include('is there twice')
    const forged = JSON.parse(first) as ExportLine
    const stored = forged.stored as { content: { ciphertext: string } }
    stored.content.ciphertext = `${stored.content.ciphertext.slice(0, -4)}AAAA`
    const other = text(paths.messages).replace(first, JSON.stringify(forged))
    expect(await wrongWith({ [paths.messages]: other })).to.include('is not what was listed')
    const listed = text(paths.events).replace(
      contentHash((JSON.parse(first) as ExportLine).stored) ?? '',
      contentHash(forged.stored) ?? '',
    )
    expect(await wrongWith({ [paths.messages]: other, [paths.events]: listed })).to.include('does not fit its own hash')
    expect(await wrongWith({ 'media/000001.gif': undefined })).to.include('media/000001.gif')
    expect(await wrongWith({ [paths.page]: 'x' }, { files: manifest.files })).to.include('index.html is not the file')
    expect(await wrongWith({}, { request: { ...manifest.request, approved_by: '@eve:h' } })).to.include('approved it')
    const entries = text(paths.entries).trim().split('\n')
    const approval = entries.findIndex(e => e.includes('export.approve'))
    const bent = entries.map((e, i) => (i === approval ? e.replace('@carl:h', '@eve:h') : e)).join('\n')
    expect(await wrongWith({ [paths.entries]: bent })).to.include('is not in the log')
    expect(await wrongWith({ [paths.entries]: '' })).to.include('asked for it')
    const stranger = testAuditLog(
      bridge.db.store,
      generateSigningKey('test.example/audit', 'note', bridge.db.store.random),
    )
    const keys = JSON.stringify([{ vkey: stranger.key.verifier.vkey, handover: null }])
    expect(await wrongWith({ [paths.keys]: keys })).to.include('not signed by a key of the log')
  })

  it("leaves out of the patient's own copy what was taken back, and what is for staff alone", async () => {
    const id = await approved(true)
    await exportTold(bridge.db.store, id)
    const file = join(folder, 'copy.age')
    const shares = await splitRecovery(bridge.privateKeys.recovery, 2, 3)
    for (const s of shares) writeKeyFile(join(folder, `${s.number}.json`), s)
    const share = (n: number) => ['--share', join(folder, `${n}.json`)]
    const config = ['--config', await configuration()]
    expect(await explained('run', id, ...share(2), '--out', file, ...config)).to.include(
      '2 different shares are needed',
    )
    expect(await wardroom('run', id, ...share(3), ...share(1), '--out', file, ...config)).to.match(/^0 .*SHA-256/s)
    const { texts, byId, manifest } = await readExport(file, identity)
    expect(byId(ids.edit)?.content?.['m.new_content']).to.deep.include({ body: 'Please come on Monday' })
    for (const gone of [ids.recalled, ids.removed, ids.again])
      expect(byId(gone)).to.include({ content: null, stored: null, source: 'gone' })
    const all = Object.values(texts).join()
    expect(all)
      .not.to.include('Recalled under a hold')
      .and.not.include('Removed in the client')
      .and.not.include('claim 7')
    expect(Object.keys(texts).filter(path => path.startsWith('audit/'))).to.deep.equal([])
    expect(manifest.request.reason).to.equal(null)
    writeFileSync(join(folder, 'key.txt'), `# created: today\n${identity}\n`)
    const key = ['--identity', join(folder, 'key.txt')]
    expect(await wardroom('check', file, ...key, ...config)).to.match(/^0 .*stores now.*VERIFIED/s)
    expect(await bridge.db.store.db('audit_queue').where({ action: 'export.check', outcome: 'done' })).to.have.lengthOf(
      1,
    )
    writeFileSync(file, readFileSync(file).subarray(0, -1))
    expect(await explained('check', file, ...key)).to.include('damaged, cut off')
  })

  it('refuses before the rooms are told and after its time, and says a broken run into the log', async () => {
    const { store } = bridge.db
    const id = await approved(false)
    const out = join(folder, 'never.age')
    const again = { id, recovery: bridge.privateKeys.recovery, shares: '1-2', by: 'cli/test', out }
    await store.db('export_room').where({ export_id: id }).update({ told_at: null })
    expect(await runExport(await deps(), again)).to.include({ code: 'not-told' })
    await store.db('export_room').where({ export_id: id }).update({ told_at: 1 })
    const { recovery } = await generateKeys(store.random)
    const broken = await runExport(await deps(), { ...again, recovery }).catch(() => 'another key')
    expect(broken).to.equal('another key')
    expect(readdirSync(folder).filter(name => name.startsWith('never'))).to.deep.equal([])
    const failed = await store.db('audit_queue').where({ action: 'export.done', outcome: 'failed' })
    expect(failed.map(e => e.object.id)).to.deep.equal([id])
    store.clock.advance(hours(73))
    expect(await runExport(await deps(), again)).to.include({ refused: true })
  })

  it('finds in the key backup what the dehydrated device has no more', async () => {
    const { homeserver, store } = bridge.deps
    const { ghost, room } = patient
    const person = await personById(store.db, patient.person)
    const k = await openK(bridge.privateKeys.keeper, ghost, person?.k ?? '')
    const deviceId = newDeviceId(store.random)
    await putDevice(homeserver, ghost, deviceId, 'a visit')
    const visit = await openMemoryClient({ homeserver, userId: ghost, deviceId, rooms: [], secretStorageKey: () => k })
    const crypto = visit.crypto
    backUpAtOnce(crypto)
    await crypto.userHasCrossSigningKeys(ghost, true)
    await crypto.bootstrapCrossSigning({})
    await dehydrationOf(crypto).rehydrateDeviceIfAvailable()
    await crypto.loadSessionBackupPrivateKeyFromSecretStorage()
    await crypto.checkKeyBackupAndEnable()
    await flushBackup(crypto)
    visit.stop()
    await deleteDevice(homeserver, ghost, deviceId)
    const from = { homeserver, userId: ghost, k, rooms: [room] }
    const before = await keysOfGhost({ ...from, deviceId: newDeviceId(store.random) })
    await homeserver.request('DELETE', '/_matrix/client/unstable/org.matrix.msc3814.v1/dehydrated_device', {
      userId: ghost,
    })
    const after = await keysOfGhost({ ...from, deviceId: newDeviceId(store.random) })
    expect(before.problems).to.deep.equal([])
    expect(after.problems).to.deep.equal(['no-dehydrated-device'])
    const sessions = (found: typeof before) => found.keys.map(key => key.session_id).sort()
    expect(sessions(after)).to.deep.equal(sessions(before)).and.have.lengthOf.at.least(2)
  })
})
