import { randomBytes } from 'node:crypto'
import { expect } from 'chai'
import type { Alert } from '../../../core/alerts.ts'
import type { UserId } from '../../../core/domain/ids.ts'
import { type Bot, startBot } from '../../../core/matrix/bot/bot.ts'
import { newIdentity } from '../../../core/matrix/cross-signing.ts'
import { createHomeserver, type Homeserver } from '../../../core/matrix/homeserver.ts'
import { openMemoryClient } from '../../../core/matrix/memory-client.ts'
import { deleteDevice, newDeviceId, putDevice } from '../../../core/matrix/our-users.ts'
import { secret } from '../../../core/secret.ts'
import { systemClock, systemRandom } from '../../../core/system.ts'
import { database, type TestDatabase } from '../../support/database.ts'
import { eventually } from '../../support/eventually.ts'
import { stack } from '../../support/stack.ts'
import { testLog } from '../../support/test-log.ts'

/** Design §8: any change of our own users' devices or keys that we did not make is told within a minute. */
const promised = 60_000

describe('a bot whose account somebody else uses', function () {
  this.timeout(promised + 30_000)
  let homeserver: Homeserver
  let db: TestDatabase
  let bot: Bot
  let userId: UserId
  const alerts: Alert[] = []
  const codes = () => alerts.map(a => a.code)

  before(async function () {
    this.timeout(180_000)
    const { synapse, bots } = await stack()
    db = await database()
    homeserver = createHomeserver({ url: synapse.url, asToken: secret(bots.asToken) })
    userId = `@wardroom_${randomBytes(5).toString('hex')}:${synapse.serverName}` as UserId
    const store = { ...db.store, clock: systemClock }
    const die = (reason: string): never => {
      throw new Error(`the bot ended: ${reason}`)
    }
    bot = await startBot({
      ...{ homeserver, store, userId, displayName: 'Wardroom', log: testLog(), die },
      alert: a => void alerts.push(a),
    })
  })
  after(async () => {
    await bot?.stop()
    await db?.drop()
  })

  it('is silent about its own device and keys', () => {
    expect(codes()).to.deep.equal([])
  })

  it('says so when there is a device that Wardroom did not make, and when its cross-signing keys were replaced', async () => {
    const deviceId = newDeviceId(systemRandom)
    await putDevice(homeserver, userId, deviceId, 'not ours')
    const k = new Uint8Array(randomBytes(32))
    const thief = await openMemoryClient({ homeserver, userId, deviceId, rooms: [], secretStorageKey: () => k })
    try {
      await eventually(() => codes().includes('bot.foreign-device'), { timeout: promised, what: 'the first alert' })
      expect(codes()).not.to.include('bot.identity')
      await newIdentity(thief.crypto, userId, k, false)
      await eventually(() => codes().includes('bot.identity'), { timeout: promised, what: 'the second alert' })
      expect(new Set(alerts.map(a => a.ref))).to.deep.equal(new Set([userId]))
    } finally {
      thief.stop()
      await deleteDevice(homeserver, userId, deviceId)
    }
  })
})
