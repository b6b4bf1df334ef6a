import { randomBytes } from 'node:crypto'
import { expect } from 'chai'
import { EventType } from 'matrix-js-sdk'
import { type KeeperClient, keeperClient } from '../../../appservice/keeper/client.ts'
import { type Keeper, startKeeper } from '../../../appservice/keeper/keeper.ts'
import { stopSdkClient } from '../../../core/matrix/sdk-client.ts'
import { secret } from '../../../core/secret.ts'
import type { Session, VerifyAnswer } from '../../../web/contract.ts'
import { type Clinician, clinician } from '../../support/clinician.ts'
import { eventually } from '../../support/eventually.ts'
import { testLog } from '../../support/test-log.ts'
import { type TestBridge, testBridge } from '../../support/worlds/bridge.ts'
import { linkFor } from '../../support/worlds/enrolled.ts'
import { openPage, readable } from '../../support/worlds/page-client.ts'
import { type PublicServer, publicServer } from '../../support/worlds/public-http.ts'

describe('an encrypted conversation through the proxy', function () {
  this.timeout(120_000)
  let bridge: TestBridge
  let keeper: Keeper
  let keys: KeeperClient
  let server: PublicServer
  let lee: Clinician
  const log = testLog()

  before(async function () {
    this.timeout(180_000)
    bridge = await testBridge()
    lee = await clinician('lee')
    const { store, homeserver } = bridge.deps
    await bridge.grant(lee.userId)
    const shared = secret(randomBytes(16).toString('hex'))
    keeper = await startKeeper({
      databaseUrl: bridge.db.url,
      releaseKey: bridge.privateKeys.keeper,
      secret: shared,
      listen: { port: 0 },
      clock: store.clock,
      random: store.random,
      log,
    })
    keys = keeperClient(keeper.address, shared)
    server = await publicServer({ store, homeserver, keeper: keys })
  })
  after(async () => {
    await lee?.stop()
    await server?.stop()
    await keys?.stop()
    await keeper?.stop()
    await bridge?.stop()
    expect(log.problems()).to.deep.equal([])
  })

  const enrol = async () => {
    const { id, ...more } = await bridge.enrol(lee)
    return { patient: id, k: new Uint8Array(), ...more }
  }
  const signIn = async (p: Awaited<ReturnType<typeof enrol>>, browser = server.browser()) => {
    const { token } = await linkFor(bridge.deps.store, p)
    const answer = await browser.post('/api/link/verify', { token, factor: 'birth_date', value: p.dob })
    const verified = (await answer.json()) as VerifyAnswer
    if (verified.state !== 'session') throw new Error(JSON.stringify(verified))
    return { browser, session: verified.session, token }
  }

  it('reads what was written before anybody came, answers without a shield, and reads it again after a reload', async () => {
    const maria = await enrol()
    await lee.send(maria.room, 'Please take the tablet with food.')
    const { browser, session, token } = await signIn(maria)
    const client = await openPage(server.url, browser, session)
    await eventually(() => readable(client, maria.room).includes('Please take the tablet with food.'))
    await client.sendEvent(maria.room, EventType.RoomMessage, { msgtype: 'm.text', body: 'I will.' } as never)
    const seen = await lee.waitFor(s => s.body === 'I will.')
    expect(await lee.shield(seen)).to.equal('none')
    stopSdkClient(client)
    const answer = await browser.call('POST', '/api/session', { body: {}, headers: { 'x-wardroom-link': token } })
    const again = await openPage(server.url, browser, (await answer.json()) as Session)
    await eventually(() =>
      ['Please take the tablet with food.', 'I will.'].every(b => readable(again, maria.room).includes(b)),
    )
    stopSdkClient(again)
    const refused = server
      .logged()
      .split('\n')
      .filter(l => l.includes('"level":50'))
    expect(refused).to.deep.equal([])
  })
})
