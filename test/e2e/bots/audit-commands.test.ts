import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { startAudit } from '../../../audit/main.ts'
import { postDigest } from '../../../bots/commands/audit/digest.ts'
import { days } from '../../../core/domain/clock.ts'
import { createLog } from '../../../core/log.ts'
import { logOrigin } from '../../../core/log-keys.ts'
import { secret } from '../../../core/secret.ts'
import { findEntries } from '../../../core/store/audit/log/entries.ts'
import { complianceRoom } from '../../../core/store/staff/rooms.ts'
import { transact } from '../../../core/store/tx.ts'
import { systemRandom } from '../../../core/system.ts'
import { generateSigningKey } from '../../../core/tlog/key.ts'
import { audited } from '../../support/audit-log.ts'
import { type Clinician, clinician } from '../../support/clinician.ts'
import { eventually } from '../../support/eventually.ts'
import { freePort } from '../../support/free-port.ts'
import { stack } from '../../support/stack.ts'
import { type Desk, desk } from '../../support/worlds/desk.ts'

describe('the audit log by chat, on a real homeserver', function () {
  this.timeout(180_000)
  let d: Desk
  let audit: Awaited<ReturnType<typeof startAudit>>
  let officer: Clinician
  let chat: string
  const folder = mkdtempSync(join(tmpdir(), 'wardroom-audit-'))

  before(async () => {
    officer = await clinician('officer')
    d = await desk({ firstAdmin: officer.userId })
    const { synapse, registrations } = await stack()
    const key = generateSigningKey(logOrigin(synapse.serverName), 'note', systemRandom)
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
    chat = await d.chatWith(officer)
  })

  after(async () => {
    await officer?.stop()
    await audit?.stop()
    await d?.stop()
    rmSync(folder, { recursive: true, force: true })
  })

  it('answers in the thread, encrypted, with what the officer did just now', async () => {
    await d.ask(officer, chat, '!whoami')
    await eventually(
      async () =>
        (await findEntries(d.store.db, { actor: officer.userId, actions: ['command.run'], limit: 1 })).length === 1,
      { what: 'the entry of the command' },
    )
    const said = await d.ask(officer, chat, '!audit user me')
    expect(said.mark).to.equal('✅')
    expect(said.body).to.match(/• \d\d:\d\d:\d\d · @officer.* gave the command !whoami\. · #\d+/)
    expect(said.html).to.include('<li>').and.include('!whoami')
    const seen = await officer.waitFor(s => s.thread === said.eventId && s.body === said.body)
    expect(seen.encrypted).to.equal(true)
  })

  it('verifies and exports in the audit process, and says in the same thread what came of it', async () => {
    const later = (thread: string, begins: string) =>
      officer.waitFor(s => s.thread === thread && s.body.startsWith(begins), { timeout: 60_000, what: begins })
    const verify = await d.ask(officer, chat, '!audit verify')
    const { body } = await later(verify.eventId, 'Verified')
    expect(body).to.match(/\d+ entries of \S+\.\nRoot: [A-Za-z0-9+/]{43}=/)
    const order = await d.ask(officer, chat, '!audit export')
    const dir =
      /on the server in (\S+)\. /.exec((await later(order.eventId, 'The log is on the server')).body)?.[1] ?? ''
    expect(existsSync(join(dir, 'checkpoint')), dir).to.equal(true)
  })

  it('sends the weekly digest to the compliance room', async () => {
    const long = { ...d.store, clock: { now: () => Date.now() - days(9) } }
    await audited(long, { action: 'patient.view', object: { kind: 'patient', id: 'pt_1' }, patient: 'pt_1' })
    await eventually(async () => (await findEntries(d.store.db, { actor: '@ann:test', limit: 1 })).length === 1)
    expect(await transact(d.store, postDigest)).to.equal(true)
    const room = await eventually(() => complianceRoom(d.store.db), { what: 'the compliance room' })
    const digest = await officer.waitFor(s => s.roomId === room && s.body.includes('Audit digest'), { timeout: 60_000 })
    expect(digest.encrypted).to.equal(true)
    expect(digest.body).to.include('What happened').and.not.include('pt_1')
  })
})
