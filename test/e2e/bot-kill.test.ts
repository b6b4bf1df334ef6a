import { setTimeout as pause } from 'node:timers/promises'
import { expect } from 'chai'
import type { RoomId } from '../../core/domain/ids.ts'
import { type BotChild, type BotWorld, botWorld } from '../support/bot-world.ts'
import { type Clinician, clinician } from '../support/clinician.ts'
import { eventually } from '../support/eventually.ts'
import { seededRandom } from '../support/random.ts'

const random = seededRandom('bot-kill')
const kills = process.env.WARDROOM_LONG === '1' ? 100 : 5

const repeated = (list: string[]) => list.filter((x, i) => list.indexOf(x) !== i)
const textsOf = (ann: Clinician, w: BotWorld, room: RoomId) =>
  ann
    .seen(room)
    .filter(s => s.sender === w.userId && s.type === 'm.room.message')
    .map(s => s.body)

describe('a bot that is killed at random moments under traffic both ways', () => {
  let w: BotWorld
  let ann: Clinician
  let room: RoomId
  let bot: BotChild
  const identities: string[] = []
  const asked: string[] = []
  const told: string[] = []

  before(async function () {
    this.timeout(180_000)
    w = await botWorld()
    ann = await clinician('ann', { onlySigned: true })
    bot = w.start()
    const first = await bot.leads()
    identities.push(`${first.deviceId} ${first.masterKey}`)
    room = await w.roomWith(ann)
  })
  after(async () => {
    await ann?.stop()
    await w?.stop()
  })

  it(`answers each message once and says each of its own once, over ${kills} kills`, async function () {
    this.timeout(120_000 + kills * 12_000)
    let traffic = true
    const talk = async () => {
      for (let n = 0; traffic; n++) {
        const text = `question ${n}`
        await ann.send(room, text)
        asked.push(text)
        if (n % 3 === 0) {
          told.push(`news ${n}`)
          await w.say(room, `news ${n}`)
        }
        await pause(40 + random.int(160))
      }
    }
    const talking = talk()
    try {
      for (let kill = 0; kill < kills; kill++) {
        // From before its first words (it still starts) to a second of work.
        if (kill % 4 === 3) await pause(random.int(600))
        else {
          await bot.leads()
          await pause(random.int(1200))
        }
        await bot.kill()
        bot = w.start()
      }
    } finally {
      traffic = false
      await talking
    }
    const last = await bot.leads()
    identities.push(`${last.deviceId} ${last.masterKey}`)
    const expected = [...asked.map(text => `echo: ${text}`), ...told]
    await eventually(() => expected.every(text => textsOf(ann, w, room).includes(text)), {
      timeout: 60_000 + expected.length * 250,
      what: `all ${expected.length} answers`,
    }).catch(err => {
      const missing = expected.filter(text => !textsOf(ann, w, room).includes(text))
      throw new Error(`missing: ${missing.join(', ')}`, { cause: err })
    })
    expect(repeated(textsOf(ann, w, room)), 'said twice').to.deep.equal([])
    expect(asked.length).to.be.greaterThan(kills)
  })

  it('has kept its device and its cross-signing identity', async () => {
    expect(new Set(identities).size).to.equal(1)
    const [deviceId = ''] = (identities[0] ?? '').split(' ')
    const { devices } = await w.homeserver.request<{ devices: { device_id: string }[] }>(
      'GET',
      '/_matrix/client/v3/devices',
      { userId: w.userId },
    )
    expect(devices.map(d => d.device_id)).to.deep.equal([deviceId])
    const status = await ann.client.getCrypto()?.getDeviceVerificationStatus(w.userId, deviceId)
    expect(status?.signedByOwner).to.equal(true)
  })

  it('has left nothing undecryptable on either side', async () => {
    expect(ann.seen(room).filter(s => s.failure !== undefined)).to.deep.equal([])
    const states = await w.store.db('inbox').whereNot({ state: 'done' }).select('event_id', 'state', 'reason')
    expect(states).to.deep.equal([])
    expect(bot.news().filter(n => n.news === 'unsigned')).to.deep.equal([])
  })

  it('sent nothing in plaintext', () => {
    const plain = ann.seen(room).filter(s => s.sender === w.userId && s.type === 'm.room.message' && !s.encrypted)
    expect(plain).to.deep.equal([])
  })
})
