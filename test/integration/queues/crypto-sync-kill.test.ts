import {
  DecryptionErrorCode,
  DecryptionSettings,
  DeviceId,
  DeviceLists,
  EncryptionSettings,
  initAsync,
  MegolmDecryptionError,
  OlmMachine,
  RequestType,
  RoomId,
  TrustRequirement,
  UserId,
} from '@matrix-org/matrix-sdk-crypto-wasm'
import { expect } from 'chai'
import { openJournal } from '../../../core/matrix/journal/journal.ts'
import { takeSyncsWhole } from '../../../core/matrix/olm-machine.ts'
import { tryLease } from '../../../core/store/bots/leases.ts'
import type { Db } from '../../../core/store/db.ts'
import { database, type TestDatabase } from '../../support/database.ts'
import { testLog } from '../../support/test-log.ts'

type Body = Record<string, Record<string, unknown>>
type Device = { userId: string; deviceId: string; machine: OlmMachine; keys: unknown; oneTimeKeys: [string, unknown][] }
type Request = { id?: string; body: string }

const room = '!ward:test'

/** The homeserver's part: keys go from one machine to the other, and what is asked is answered. */
const uploaded = async (userId: string, deviceId: string, machine: OlmMachine): Promise<Device> => {
  const requests = (await machine.outgoingRequests()) as (Request & { type: RequestType })[]
  const upload = requests.find(r => r.type === RequestType.KeysUpload)
  const { device_keys, one_time_keys } = JSON.parse(upload?.body ?? '') as Body
  const left = JSON.stringify({ one_time_key_counts: { signed_curve25519: 50 } })
  await machine.markRequestAsSent(upload?.id ?? '', RequestType.KeysUpload, left)
  return { userId, deviceId, machine, keys: device_keys, oneTimeKeys: Object.entries(one_time_keys ?? {}) }
}

/** `from` learns of the device of `to`. */
const learn = async (from: Device, to: Device) => {
  await from.machine.updateTrackedUsers([new UserId(to.userId)])
  const query = from.machine.queryKeysForUsers([new UserId(to.userId)])
  const answer = JSON.stringify({ device_keys: { [to.userId]: { [to.deviceId]: to.keys } }, failures: {} })
  await from.machine.markRequestAsSent(query.id, RequestType.KeysQuery, answer)
}

const claim = async (from: Device, to: Device) => {
  const request = await from.machine.getMissingSessions([new UserId(to.userId)])
  const key = Object.fromEntries(to.oneTimeKeys.splice(0, 1))
  const answer = JSON.stringify({ one_time_keys: { [to.userId]: { [to.deviceId]: key } }, failures: {} })
  await from.machine.markRequestAsSent(request?.id ?? '', RequestType.KeysClaim, answer)
}

/** Room keys for the device of `to`, as its next sync brings them. */
const shared = async (from: Device, to: Device): Promise<unknown[]> => {
  const requests = await from.machine.shareRoomKey(new RoomId(room), [new UserId(to.userId)], new EncryptionSettings())
  return (requests as unknown as { body: string; event_type: string; id: string }[]).map(r => ({
    sender: from.userId,
    type: r.event_type,
    content: (JSON.parse(r.body) as { messages: Body }).messages[to.userId]?.[to.deviceId],
  }))
}

const sync = (machine: OlmMachine, events: unknown[]) =>
  machine.receiveSyncChanges(
    JSON.stringify(events),
    new DeviceLists(),
    new Map([['signed_curve25519', 49]]),
    new Set(['signed_curve25519']),
  )

const read = async (machine: OlmMachine, userId: string, content: string): Promise<string> => {
  const event = {
    type: 'm.room.encrypted',
    event_id: '$one',
    room_id: room,
    sender: userId,
    origin_server_ts: 1,
    content: JSON.parse(content) as unknown,
  }
  const settings = new DecryptionSettings(TrustRequirement.Untrusted)
  try {
    const result = await machine.decryptRoomEvent(JSON.stringify(event), new RoomId(room), settings)
    return (JSON.parse(result.event) as { content: { body: string } }).content.body
  } catch (err) {
    if (!(err instanceof MegolmDecryptionError)) throw err
    return DecryptionErrorCode[err.code] ?? 'unreadable'
  }
}

describe('a bot that is killed while a sync brings the first room key of a device', () => {
  let d: TestDatabase
  let count = 0
  const log = testLog()

  before(async function () {
    this.timeout(120_000)
    await initAsync()
    d = await database()
  })
  after(async () => d?.drop())

  /** The bot's machine as a process finds it in the database, which goes away after so many more writes, and with it the process. */
  const start = async (userId: string) => {
    const lease = { name: userId, epoch: (await tryLease(d.store.db, userId, `process ${++count}`, -1)) ?? 0 }
    let left = Number.POSITIVE_INFINITY
    let cut = () => {}
    const over = new Promise<'killed'>(done => {
      cut = () => done('killed')
    })
    const pool = new Proxy(d.store.db, {
      get: (db, name) =>
        name !== 'raw'
          ? Reflect.get(db, name)
          : (...args: Parameters<Db['raw']>) => {
              if (left-- > 0) return db.raw(...args)
              cut()
              return new Promise(() => {})
            },
    })
    const prefix = `${userId}#${count}`
    const die = (reason: string) => expect.fail(reason)
    const journal = await openJournal({ store: d.store, pool, bot: userId, lease, prefix, log, die })
    const machine = await OlmMachine.initialize(new UserId(userId), new DeviceId('BOT'), prefix)
    takeSyncsWhole(machine, journal.whole)
    return {
      machine,
      /** Does the work in a process that dies with the write after so many. */
      within: async (writes: number, work: () => Promise<unknown>) => {
        left = writes
        return Promise.race([work().then(() => 'done'), over])
      },
    }
  }

  /** Kills at each write in turn, until none is left. Returns at how many. */
  const killAtEach = async (work: (bot: Device, ann: Device, events: unknown[]) => Promise<unknown>) => {
    for (let writes = 0; ; writes++) {
      const annId = `@writer${++count}:test`
      const botId = `@reader${count}:test`
      const first = await start(botId)
      const bot = await uploaded(botId, 'BOT', first.machine)
      const ann = await uploaded(
        annId,
        'ANN',
        await OlmMachine.initialize(new UserId(annId), new DeviceId('ANN'), undefined, undefined),
      )
      await learn(bot, ann)
      await learn(ann, bot)
      await claim(ann, bot)
      const events = await shared(ann, bot)
      const words = await ann.machine.encryptRoomEvent(new RoomId(room), 'm.room.message', '{"body":"help"}')
      const end = await first.within(writes, () => work(bot, ann, events))
      const { machine } = await start(botId)
      // The first process told the homeserver nothing, so that it gives the next one the same.
      await sync(machine, events)
      expect(await read(machine, annId, words), `after ${writes} writes`).to.equal('help')
      if (end === 'done') return writes
    }
  }

  it('reads what that key opens, whichever write was its last', async () => {
    const writes = await killAtEach((bot, _, events) => sync(bot.machine, events))
    expect(writes).to.be.greaterThan(0)
  })

  it('also when it was about to write to that device', async () => {
    const settings = new EncryptionSettings()
    await killAtEach((bot, ann, events) =>
      Promise.all([
        sync(bot.machine, events),
        bot.machine.shareRoomKey(new RoomId(room), [new UserId(ann.userId)], settings),
      ]),
    )
    await killAtEach((bot, ann, events) =>
      Promise.all([
        bot.machine.shareRoomKey(new RoomId(room), [new UserId(ann.userId)], settings),
        sync(bot.machine, events),
      ]),
    )
  })
})
