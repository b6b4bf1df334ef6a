import { type ChildProcess, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { fileURLToPath } from 'node:url'
import express from 'express'
import type { RoomId, UserId } from '../../../core/domain/ids.ts'
import { listen } from '../../../core/http/listen.ts'
import { transactionsRouter } from '../../../core/http/transactions.ts'
import { createLog } from '../../../core/log.ts'
import { createHomeserver, type Homeserver } from '../../../core/matrix/homeserver.ts'
import { keepDeliveries } from '../../../core/matrix/ping.ts'
import { secret } from '../../../core/secret.ts'
import { type StoreDeps, transact } from '../../../core/store/tx.ts'
import { systemClock } from '../../../core/system.ts'
import type { Clinician } from '../clinician.ts'
import { database, type TestDatabase } from '../database.ts'
import { eventually } from '../eventually.ts'
import type { BotNews, BotProcessOptions } from '../processes/bot-process.ts'
import { stack } from '../stack.ts'

type Leading = Extract<BotNews, { news: 'leads' }>

export type BotChild = {
  readonly pid: number
  news(): BotNews[]
  /** What it logged: warnings and worse. */
  logged(): unknown[]
  /** Waits until it leads its bot; how long after its start. */
  leads(timeout?: number): Promise<Leading>
  /** Its exit code, once it has ended. */
  exited: Promise<number | null>
  signal(name: NodeJS.Signals): void
  /** SIGKILL; resolves when it is gone. */
  kill(): Promise<void>
}

/** A fresh database, the endpoint at which Synapse pushes events, and bot processes that a test starts and kills. */
export type BotWorld = {
  homeserver: Homeserver
  store: StoreDeps
  database: TestDatabase
  userId: UserId
  start(options?: Pick<BotProcessOptions, 'failsOnKeys'>): BotChild
  /** Queues a message of the bot's own; sent once. */
  say(roomId: string, text: string): Promise<void>
  /** A room with the bot in it. */
  roomWith(clinician: Clinician): Promise<RoomId>
  stop(): Promise<void>
}

const script = fileURLToPath(new URL('../processes/bot-process.ts', import.meta.url))

const startChild = (options: BotProcessOptions): BotChild => {
  const child: ChildProcess = spawn(process.execPath, [script], {
    env: { ...process.env, BOT: JSON.stringify(options) },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const exited = new Promise<number | null>(done => child.once('exit', code => done(code)))
  let output = ''
  child.stdout?.on('data', chunk => {
    output += String(chunk)
  })
  const killAtExit = () => void child.kill('SIGKILL')
  process.once('exit', killAtExit)
  void exited.then(() => process.off('exit', killAtExit))
  const lines = () =>
    output
      .split('\n')
      .slice(0, -1)
      .map(line => JSON.parse(line) as BotNews | { level: number })
  const news = () => lines().filter(line => 'news' in line)
  const logged = () => lines().filter(line => !('news' in line))
  return {
    pid: child.pid ?? 0,
    news,
    logged,
    exited,
    leads: timeout =>
      eventually(
        () => {
          const end = news().find(n => n.news === 'ends')
          if (end) throw new Error(`the bot ended: ${JSON.stringify(end)}`)
          return news().find(n => n.news === 'leads')
        },
        { timeout: timeout ?? 30_000, what: 'the bot process' },
      ),
    signal: name => void child.kill(name),
    kill: async () => {
      child.kill('SIGKILL')
      await exited
    },
  }
}

export const botWorld = async (): Promise<BotWorld> => {
  const { synapse, bots, ports, registrations } = await stack()
  const d = await database()
  const store: StoreDeps = { ...d.store, clock: systemClock }
  const log = createLog('world', 'error')
  const homeserver = createHomeserver({ url: synapse.url, asToken: secret(bots.asToken) })
  const deliveries = keepDeliveries({ homeserver, registrationId: registrations.bots.id, log })
  const onTransaction = deliveries.arrived
  const app = express().use(
    transactionsRouter({ source: 'bots', hsToken: secret(bots.hsToken), store, log, onTransaction }),
  )
  const server = await listen(app, { host: '127.0.0.1', port: ports.bots })
  // Synapse backs off from an endpoint that was away.
  await deliveries.begin()
  const userId = `@wardroom_${randomBytes(5).toString('hex')}:${synapse.serverName}` as UserId
  const children: BotChild[] = []
  return {
    homeserver,
    store,
    database: d,
    userId,
    start: options => {
      const child = startChild({
        databaseUrl: d.url,
        keys: d.keys,
        homeserverUrl: synapse.url,
        asToken: bots.asToken,
        userId,
        ...options,
      })
      children.push(child)
      return child
    },
    say: (roomId, text) =>
      transact(store, async tx => {
        await tx.enqueue({ queue: 'bots', kind: 'test.say', lane: roomId, payload: { room: roomId, text } })
      }),
    roomWith: async clinician => (await clinician.direct(userId, { timeout: 60_000 })) as RoomId,
    stop: async () => {
      for (const child of children) {
        child.signal('SIGCONT')
        await child.kill()
      }
      await deliveries.stop()
      await server.stop()
      await d.drop()
    },
  }
}
