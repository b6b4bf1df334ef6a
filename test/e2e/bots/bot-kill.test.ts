import { setTimeout as pause } from 'node:timers/promises'
import { expect } from 'chai'
import { Direction, type MatrixClient } from 'matrix-js-sdk'
import type { RoomId } from '../../../core/domain/ids.ts'
import { type Clinician, clinician } from '../../support/clinician.ts'
import { eventually } from '../../support/eventually.ts'
import { seededRandom } from '../../support/random.ts'
import { type BotChild, type BotWorld, botWorld } from '../../support/worlds/bot-world.ts'

const random = seededRandom('bot-kill')
const kills = process.env.WARDROOM_LONG === '1' ? 100 : 5

const repeated = (list: string[]) => list.filter((x, i) => list.indexOf(x) !== i)
type Page = Awaited<ReturnType<MatrixClient['createMessagesRequest']>>
type Said = { text: string; encrypted: boolean; failure: string | undefined }

/** Everything that the bot has said in the room, as the homeserver has it and as the clinician can read it. Her timeline has gaps after a burst. */
const saidBy = async (bot: string, ann: Clinician, room: RoomId): Promise<Said[]> => {
  const said: Said[] = []
  const toEvent = ann.client.getEventMapper({ preventReEmit: true, decrypt: false })
  let from: string | null = null
  for (;;) {
    const page: Page = await ann.client.createMessagesRequest(room, from, 200, Direction.Backward)
    for (const raw of page.chunk) {
      if (raw.sender !== bot || !raw.type.startsWith('m.room.') || 'state_key' in raw) continue
      const event = toEvent(raw)
      await ann.client.decryptEventIfNeeded(event)
      const failure = event.isDecryptionFailure() ? String(event.decryptionFailureReason) : undefined
      said.push({ text: String(event.getContent().body), encrypted: raw.type === 'm.room.encrypted', failure })
    }
    if (!page.end || page.chunk.length === 0) return said
    from = page.end
  }
}

describe('a bot that is killed at random moments under traffic both ways', () => {
  let w: BotWorld
  let ann: Clinician
  let room: RoomId
  let bot: BotChild
  const identities: string[] = []
  const asked: string[] = []
  const told: string[] = []
  const logged: unknown[] = []
  const traffic: string[] = []
  const remember = (child: BotChild) => {
    logged.push(...child.logged())
    for (const one of child.news()) if (one.news === 'keys') traffic.push(`${child.pid} ${one.line}`)
  }

  before(async function () {
    this.timeout(180_000)
    w = await botWorld()
    ann = await clinician('ann', { onlySigned: true, traffic: line => traffic.push(`ann ${line}`) })
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
    let busy = true
    const talk = async () => {
      for (let n = 0; busy; n++) {
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
        remember(bot)
        bot = w.start()
      }
    } finally {
      busy = false
      await talking
    }
    const last = await bot.leads()
    identities.push(`${last.deviceId} ${last.masterKey}`)
    const expected = [...asked.map(text => `echo: ${text}`), ...told]
    const unfinished = async () => {
      const { rows } = await w.store.db.raw(
        `select (select count(*)::int from inbox where room_id = ? and sender = ? and state = 'done') as read,
           (select count(*)::int from outbox where state = 'pending') as jobs`,
        [room, ann.userId],
      )
      return rows[0] as { read: number; jobs: number }
    }
    await eventually(
      async () => {
        const { read, jobs } = await unfinished()
        return read >= asked.length && jobs === 0
      },
      {
        timeout: 60_000 + expected.length * 500,
        interval: 500,
        what: async () => `all ${expected.length} answers (${JSON.stringify(await unfinished())})`,
      },
    )
    const all = (await saidBy(w.userId, ann, room)).map(s => s.text)
    expect(
      expected.filter(text => !all.includes(text)),
      'lost',
    ).to.deep.equal([])
    expect(repeated(all), 'said twice').to.deep.equal([])
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

  it('has left nothing undecryptable on either side, and nothing in plaintext', async () => {
    const said = await saidBy(w.userId, ann, room)
    expect(said.filter(s => s.failure !== undefined || !s.encrypted)).to.deep.equal([])
    expect(ann.seen(room).filter(s => s.failure !== undefined)).to.deep.equal([])
    remember(bot)
    // By room key, so that one that never came can be told from one that came late; what holds more than ciphertext is sealed, and says none. Of this room: the
    // homeserver brings this listener also what it still owes the application service from tests that had none.
    const { rows } = await w.store.db.raw(
      `select case when not sealed then event::json->'content'->>'session_id' end as session, min(id) as first, max(id) as last, state, reason, count(*)::int as events
       from inbox where type = 'm.room.encrypted' and room_id = ? group by 1, state, reason order by 2`,
      [room],
    )
    expect(rows.filter((r: { state: string }) => r.state !== 'done')).to.deep.equal(
      [],
      [JSON.stringify(rows), ...logged.map(line => JSON.stringify(line)), ...traffic].join('\n'),
    )
    expect(bot.news().filter(n => n.news === 'unsigned')).to.deep.equal([])
  })
})
