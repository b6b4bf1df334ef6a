import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { startAudit } from '../../audit/main.ts'
import { freePort } from '../../cli/stack/ports.ts'
import { seconds } from '../../core/domain/clock.ts'
import type { UserId } from '../../core/domain/ids.ts'
import { createLog } from '../../core/log.ts'
import { logOrigin } from '../../core/log-keys.ts'
import { createHomeserver } from '../../core/matrix/homeserver.ts'
import { deleteDevice, putDevice } from '../../core/matrix/our-users.ts'
import { secret } from '../../core/secret.ts'
import { grantRole, revokeRole } from '../../core/store/staff/roles.ts'
import { complianceRoom } from '../../core/store/staff/rooms.ts'
import { transact } from '../../core/store/tx.ts'
import { systemRandom } from '../../core/system.ts'
import { generateSigningKey } from '../../core/tlog/key.ts'
import { type Clinician, clinician } from '../support/clinician.ts'
import { eventually } from '../support/eventually.ts'
import { stack } from '../support/stack.ts'
import { type Desk, desk } from '../support/worlds/desk.ts'

describe('the compliance room', function () {
  this.timeout(180_000)
  let d: Desk
  let audit: Awaited<ReturnType<typeof startAudit>>
  let officer: Clinician
  let nurse: Clinician
  let room: string
  const folder = mkdtempSync(join(tmpdir(), 'wardroom-audit-'))

  before(async () => {
    officer = await clinician('officer')
    nurse = await clinician('nurse')
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
    room = await eventually(() => complianceRoom(d.store.db), { what: 'the compliance room' })
    await eventually(() => officer.client.getRoom(room)?.getMyMembership() === 'join', { timeout: 30_000 })
  })

  after(async () => {
    for (const p of [officer, nurse]) await p?.stop()
    await audit?.stop()
    await d?.stop()
    rmSync(folder, { recursive: true, force: true })
  })

  it('gets an alert within five seconds of the event, which an officer can decrypt', async () => {
    const begin = performance.now()
    await transact(d.store, tx =>
      grantRole(tx, { userId: nurse.userId as UserId, role: 'admin', by: '@somebody:wardroom.test', identity: 'key' }),
    )
    const committed = performance.now()
    const said = await officer.waitFor(s => s.roomId === room && s.body.includes(`${nurse.userId} was made admin`))
    const took = performance.now() - committed
    console.log(`      alert decrypted ${Math.round(took)} ms after the commit (${Math.round(committed - begin)} ms)`)
    expect(took).to.be.lessThan(seconds(5))
    expect(said.encrypted).to.equal(true)
    expect(await officer.shield(said)).to.equal('none')
    expect(said.body).to.match(/new-admin: .*\nEntry #\d+\. /)
  })

  it('obeys commands of an officer', async () => {
    const list = await d.ask(officer, room, '!audit alerts list')
    expect(list.mark).to.equal('✅')
    expect(list.body).to.include('new-admin')
  })

  it('hears of a device of the bot that nobody of us made, within a minute', async () => {
    const { synapse, registrations } = await stack()
    const homeserver = createHomeserver({ url: synapse.url, asToken: secret(registrations.bots.as_token) })
    const begin = performance.now()
    await putDevice(homeserver, d.bot, 'INTRUDER' as never, 'not ours')
    const said = await officer.waitFor(s => s.roomId === room && s.body.includes('INTRUDER'), { timeout: 60_000 })
    console.log(`      foreign device reported after ${Math.round(performance.now() - begin)} ms`)
    expect(said.body).to.include('critical')
    await deleteDevice(homeserver, d.bot, 'INTRUDER' as never)
  })

  it('is left by whoever loses the role', async () => {
    await transact(d.store, tx => revokeRole(tx, { userId: officer.userId as UserId, role: 'compliance', by: 'test' }))
    await eventually(() => officer.client.getRoom(room)?.getMyMembership() === 'leave', { timeout: 30_000 })
  })
})
