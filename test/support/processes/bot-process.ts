// A bot in a process of its own that a test kills: it answers each encrypted message once with `echo: …`, joins what it is invited to, and says what
// the parent puts into the outbox as `test.say`.
import { OlmMachine } from '@matrix-org/matrix-sdk-crypto-wasm'
import type { EventId, RoomId, UserId } from '../../../core/domain/ids.ts'
import { createLog } from '../../../core/log.ts'
import { startBot } from '../../../core/matrix/bot/bot.ts'
import { createHomeserver, type Homeserver } from '../../../core/matrix/homeserver.ts'
import { type Effects, startInbox } from '../../../core/queues/inbox-worker.ts'
import { type JobHandler, startOutbox, txnIdFor } from '../../../core/queues/outbox-worker.ts'
import { createSeal, type SealingKeys } from '../../../core/seal.ts'
import { secret } from '../../../core/secret.ts'
import { openDb } from '../../../core/store/db.ts'
import type { InboxEvent } from '../../../core/store/queues/inbox.ts'
import { systemClock, systemRandom } from '../../../core/system.ts'
import { tellOfKeys } from '../key-traffic.ts'

/** What the parent gives in the environment variable BOT. */
export type BotProcessOptions = {
  databaseUrl: string
  keys: SealingKeys
  homeserverUrl: string
  asToken: string
  userId: string
  /** The crypto library throws at a sync that brings something for it, as when its store fails. */
  failsOnKeys?: boolean
}

/** One line of standard output each. */
export type BotNews =
  | { news: 'leads'; deviceId: string; masterKey: string; ms: number }
  | { news: 'ends'; reason: string }
  | { news: 'unsigned'; eventId: string; reason: string }
  | { news: 'keys'; line: string }

const tell = (news: BotNews) => process.stdout.write(`${JSON.stringify(news)}\n`)

const failOnKeys = () => {
  const { receiveSyncChanges } = OlmMachine.prototype
  OlmMachine.prototype.receiveSyncChanges = function (events, ...rest) {
    if ((JSON.parse(events) as unknown[]).length > 0) throw new Error('the store failed')
    return receiveSyncChanges.call(this, events, ...rest)
  }
}

const run = async (o: BotProcessOptions) => {
  if (o.failsOnKeys) failOnKeys()
  const begin = performance.now()
  const log = createLog('bot', process.env.WARDROOM_LOG_LEVEL ?? 'warn')
  const store = { db: openDb(o.databaseUrl), clock: systemClock, random: systemRandom, seal: createSeal(o.keys) }
  const plain = createHomeserver({ url: o.homeserverUrl, asToken: secret(o.asToken) })
  const homeserver: Homeserver = {
    ...plain,
    fetchAs: as => async (input, init) => {
      const response = await plain.fetchAs(as)(input, init)
      await tellOfKeys(line => tell({ news: 'keys', line }), input, init, response)
      return response
    },
  }
  const userId = o.userId as UserId
  const bot = await startBot({
    homeserver,
    store,
    userId,
    displayName: 'Echo',
    log,
    die: reason => {
      tell({ news: 'ends', reason })
      process.exit(70)
    },
  })

  const handle = async (e: InboxEvent): Promise<Effects> => {
    if (e.type === 'm.room.member' && e.stateKey === userId && e.content.membership === 'invite')
      return {
        kind: 'done',
        apply: async tx =>
          void (await tx.enqueue({
            queue: 'bots',
            kind: 'test.join',
            key: `join:${e.eventId}`,
            lane: e.roomId,
            payload: { room: e.roomId },
          })),
      }
    if (e.sender === userId || e.type !== 'm.room.encrypted') return { kind: 'ignore' }
    const read = await bot.decrypt(e.raw)
    if (read.kind === 'missing-key') return { kind: 'park', reason: 'no key', until: systemClock.now() + 60_000 }
    if (read.kind === 'unsigned') {
      tell({ news: 'unsigned', eventId: e.eventId, reason: read.reason })
      const payload = { room: e.roomId, event: e.eventId }
      return {
        kind: 'done',
        apply: async tx =>
          void (await tx.enqueue({
            queue: 'bots',
            kind: 'test.refuse',
            key: `no:${e.eventId}`,
            lane: e.roomId,
            payload,
          })),
      }
    }
    if (read.kind !== 'read') return { kind: 'give-up', reason: read.kind }
    if (read.type !== 'm.room.message' || read.masterKey === null) return { kind: 'ignore' }
    // No key on purpose: a message handled twice would show as two answers.
    const payload = { room: e.roomId, text: `echo: ${String(read.content.body)}` }
    return {
      kind: 'done',
      apply: async tx => void (await tx.enqueue({ queue: 'bots', kind: 'test.say', lane: e.roomId, payload })),
    }
  }
  const say: JobHandler = async job => {
    const { room, text } = job.payload as { room: RoomId; text: string }
    await bot.send(room, 'm.room.message', { msgtype: 'm.text', body: text }, { txnId: txnIdFor(job.id, 'say') })
    return { kind: 'done' }
  }
  const joins: JobHandler = async job => {
    await bot.join((job.payload as { room: RoomId }).room)
    return { kind: 'done' }
  }
  const refuse: JobHandler = async job => {
    const { room, event } = job.payload as { room: RoomId; event: EventId }
    await bot.react(room, event, '⛔', { txnId: txnIdFor(job.id, 'react') })
    return { kind: 'done' }
  }
  const inbox = await startInbox({ source: 'bots', store, handle, log })
  bot.keyArrived(room => void inbox.wake(room).catch(err => log.warn({ err }, 'not woken')))
  await startOutbox({
    queue: 'bots',
    store,
    log,
    handlers: { 'test.say': say, 'test.join': joins, 'test.refuse': refuse },
  })
  tell({ news: 'leads', deviceId: bot.deviceId, masterKey: bot.masterKey, ms: performance.now() - begin })
}

if (process.env.BOT) {
  run(JSON.parse(process.env.BOT) as BotProcessOptions).catch((err: Error) => {
    tell({ news: 'ends', reason: `${err.name}: ${err.message}` })
    process.exit(71)
  })
}
