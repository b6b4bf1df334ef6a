import { randomBytes } from 'node:crypto'
import {
  DecryptionSettings,
  DeviceId,
  EncryptionSettings,
  OlmMachine,
  TrustRequirement,
  RoomId as WasmRoomId,
  UserId as WasmUserId,
} from '@matrix-org/matrix-sdk-crypto-wasm'
import type { RoomId, UserId } from '../../core/domain/ids.ts'
import { createLog } from '../../core/log.ts'
import { type Bot, startBot } from '../../core/matrix/bot/bot.ts'
import type { RawRoomEvent } from '../../core/matrix/bot/decrypt.ts'
import { encryptFor } from '../../core/matrix/encrypt.ts'
import { createHomeserver, type Homeserver } from '../../core/matrix/homeserver.ts'
import { secret } from '../../core/secret.ts'
import { systemClock } from '../../core/system.ts'
import { clinician } from '../../test/support/clinician.ts'
import { database } from '../../test/support/database.ts'
import { eventually } from '../../test/support/eventually.ts'
import { ownPostgres } from '../../test/support/own-postgres.ts'
import { stack, stopStack } from '../../test/support/stack.ts'
import { afterRun } from '../after-run.ts'
import type { Bench } from '../bench.ts'
import { figure, median } from '../figure.ts'

const rounds = 9
// A room key serves 100 messages.
const messages = 90
const decrypts = 3 * messages
const rooms = 8
const sendsPerRoom = 10

const perSecond = async (count: number, work: () => Promise<void>): Promise<number> => {
  const from = performance.now()
  await work()
  return count / ((performance.now() - from) / 1000)
}

/** The crypto library alone, with its store in memory: encrypts for itself, and decrypts. */
const bareLibrary = async (): Promise<() => Promise<void>> => {
  const roomId = '!bare:bench.test'
  const machine = await OlmMachine.initialize(new WasmUserId('@bare:bench.test'), new DeviceId('BARE'))
  await machine.shareRoomKey(new WasmRoomId(roomId), [], new EncryptionSettings())
  const events: string[] = []
  for (let n = 0; n < messages; n++) {
    const text = JSON.stringify({ msgtype: 'm.text', body: `message ${n}` })
    const content = JSON.parse(await machine.encryptRoomEvent(new WasmRoomId(roomId), 'm.room.message', text))
    const event = {
      sender: '@bare:bench.test',
      event_id: `$${n}`,
      type: 'm.room.encrypted',
      origin_server_ts: n,
      content,
    }
    events.push(JSON.stringify({ ...event, room_id: roomId }))
  }
  return async () => {
    for (const event of [...events, ...events, ...events])
      await machine.decryptRoomEvent(event, new WasmRoomId(roomId), new DecryptionSettings(TrustRequirement.Untrusted))
  }
}

/** Puts what the bot once sent, finished ciphertext, into the same rooms: what the homeserver itself can do. */
const bareSends = async (homeserver: Homeserver, bot: Bot, all: readonly RoomId[], content: object) => {
  await Promise.all(
    all.map(async room => {
      for (let n = 0; n < sendsPerRoom; n++)
        await homeserver.request(
          'PUT',
          `/_matrix/client/v3/rooms/${encodeURIComponent(room)}/send/m.room.encrypted/${randomBytes(8).toString('hex')}`,
          { userId: bot.userId, deviceId: bot.deviceId, body: content },
        )
    }),
  )
}

const words = { msgtype: 'm.text', body: 'A message as long as most of them are.' }

const botSends = async (bot: Bot, all: readonly RoomId[]) => {
  await Promise.all(
    all.map(async room => {
      for (let n = 0; n < sendsPerRoom; n++)
        await bot.send(room, 'm.room.message', words, { txnId: randomBytes(8).toString('hex') })
    }),
  )
}

/** A bot's encrypted sends a second against the homeserver's own, and its decrypts (sender checked, store journaled) against the bare crypto library. */
export const bots: Bench = {
  area: 'bots',
  figures: ['encrypted_sends_per_s', 'decrypts_per_s'],
  run: async say => {
    say(`bots: ${rounds} rounds of ${rooms * sendsPerRoom} sends in ${rooms} rooms, and of ${decrypts} decrypts`)
    afterRun(stopStack)
    const s = await stack()
    // The homeserver's database may forget in a power cut and so is quicker; the journal's may not.
    const journal = await ownPostgres({})
    const d = await database({ url: journal.url })
    const log = createLog('bench', 'error')
    const homeserver = createHomeserver({ url: s.synapse.url, asToken: secret(s.bots.asToken) })
    const userId = `@wardroom_${randomBytes(4).toString('hex')}:${s.synapse.serverName}` as UserId
    const ann = await clinician('ann')
    const bot = await startBot({
      homeserver,
      store: { ...d.store, clock: systemClock },
      userId,
      displayName: 'Bench',
      log,
    })
    try {
      const all: RoomId[] = []
      for (let n = 0; n < rooms; n++) {
        const room = (await ann.createRoom({ invite: [bot.userId] })) as RoomId
        await bot.join(room)
        all.push(room)
      }
      const room = all[0] as RoomId
      await ann.waitFor(e => e.roomId === room && e.stateKey === bot.userId && e.content.membership === 'join')
      await ann.send(room, 'shares the room key')
      const crypto = ann.client.getCrypto()
      if (!crypto) throw new Error('the clinician has no encryption')
      const events: RawRoomEvent[] = []
      for (let n = 0; n < messages; n++) {
        const content = await encryptFor(ann.client, crypto, room, 'm.room.message', { body: `message ${n}` })
        const event = { event_id: `$${n}`, type: 'm.room.encrypted', origin_server_ts: n, content }
        events.push({ ...event, room_id: room, sender: ann.userId })
      }
      await eventually(async () => (await bot.decrypt(events[0] as RawRoomEvent)).kind === 'read')
      const bare = await bareLibrary()
      const once = await bot.send(room, 'm.room.message', words, { txnId: 'once' })
      const event = `/_matrix/client/v3/rooms/${encodeURIComponent(room)}/event/${encodeURIComponent(once)}`
      const { content } = await homeserver.request<RawRoomEvent>('GET', event, { userId })
      await ann.stop() // what her client does with each message would weigh on both
      const figures = {
        bareSends: [] as number[],
        sends: [] as number[],
        bare: [] as number[],
        decrypts: [] as number[],
      }
      // Taking turns, so that whatever else the machine does weighs on both; the first round warms up and does not count.
      for (let r = 0; r <= rounds; r++) {
        const a = await perSecond(rooms * sendsPerRoom, () => bareSends(homeserver, bot, all, content))
        const b = await perSecond(rooms * sendsPerRoom, () => botSends(bot, all))
        const c = await perSecond(decrypts, bare)
        const e = await perSecond(decrypts, async () => {
          for (const event of [...events, ...events, ...events]) {
            const { kind } = await bot.decrypt(event)
            if (kind !== 'read') throw new Error(`a message could not be read: ${kind}`)
          }
        })
        if (r === 0) continue
        figures.bareSends.push(a)
        figures.sends.push(b)
        figures.bare.push(c)
        figures.decrypts.push(e)
      }
      return [
        figure({
          name: 'bots.encrypted_sends_per_s',
          value: median(figures.sends),
          unit: 'messages/s',
          baseline: median(figures.bareSends),
          goal: { ratioAtLeast: 0.95 },
          note: `${rooms} rooms at once, from one bot`,
        }),
        figure({
          name: 'bots.decrypts_per_s',
          value: median(figures.decrypts),
          unit: 'messages/s',
          baseline: median(figures.bare),
          goal: { ratioAtLeast: 0.8 },
          note: 'one after the other; baseline: OlmMachine with its store in memory, which checks no sender',
        }),
      ]
    } finally {
      await bot.stop()
      await ann.stop()
      await d.drop()
      await journal.end()
    }
  },
}
