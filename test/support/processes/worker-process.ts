// A process of its own that a test kills: the appservice endpoint, the inbox worker and the outbox worker, on the same code as the services.
import express, { type Express } from 'express'
import { listen } from '../../../core/http/listen.ts'
import { transactionsRouter } from '../../../core/http/transactions.ts'
import { createLog } from '../../../core/log.ts'
import { startInbox } from '../../../core/queues/inbox-worker.ts'
import { type JobHandler, startOutbox } from '../../../core/queues/outbox-worker.ts'
import { createSeal, type SealingKeys } from '../../../core/seal.ts'
import { secret } from '../../../core/secret.ts'
import { openDb } from '../../../core/store/db.ts'
import type { StoreDeps } from '../../../core/store/tx.ts'
import { systemClock, systemRandom } from '../../../core/system.ts'
import { peerHas, sendTo } from '../peer.ts'

/** What the parent gives in the environment variable WORKER. */
export type WorkerOptions = {
  url: string
  keys: SealingKeys
  hsToken: string
  port: number
  peerUrl: string
  /** Tell the parent (`committed` on standard output) instead of answering a transaction. */
  silentAfterCommit?: boolean
}

/** Sends each job's reference to the peer, once whatever was killed when. */
export const sayHandler =
  (peerUrl: string): JobHandler =>
  async (job, ctx) => {
    const { ref } = job.payload as { ref: string }
    if ((await ctx.step('send')) === 'first' || !(await peerHas(peerUrl, ref))) await sendTo(peerUrl, ref)
    return {
      kind: 'done',
      apply: tx =>
        tx.audit({
          actor: { kind: 'service', id: 'test' },
          action: 'text.send',
          object: { kind: 'text', id: ref },
          outcome: 'done',
        }),
    }
  }

/** The services of a worker; each event enqueues one job with the event's id as its reference. */
export const startWorker = async (
  store: StoreDeps,
  o: WorkerOptions,
  log = createLog('worker', 'error'),
): Promise<{ stop(): Promise<void>; idle(): Promise<void> }> => {
  const app: Express = express()
  if (o.silentAfterCommit)
    app.use((_req, res, next) => {
      res.json = () => {
        process.stdout.write('committed\n')
        return res
      }
      next()
    })
  app.use(transactionsRouter({ source: 'ghosts', hsToken: secret(o.hsToken), store, log }))
  const inbox = await startInbox({
    source: 'ghosts',
    store,
    log,
    handle: async e => ({
      kind: 'done',
      apply: async tx => {
        await tx.audit({
          actor: { kind: 'user', id: e.sender },
          action: 'message.notice',
          object: { kind: 'event', id: e.eventId },
          outcome: 'done',
        })
        // No key on purpose: an event handled twice would show as two messages.
        await tx.enqueue({
          queue: 'sms',
          kind: 'say',
          lane: e.roomId,
          payload: { ref: e.eventId, body: e.content.body },
        })
      },
    }),
  })
  const outbox = await startOutbox({ queue: 'sms', store, log, handlers: { say: sayHandler(o.peerUrl) } })
  const server = await listen(app, { port: o.port })
  return {
    idle: async () => {
      await inbox.idle()
      await outbox.idle()
    },
    stop: async () => {
      await server.stop()
      await inbox.stop()
      await outbox.stop()
    },
  }
}

if (process.env.WORKER) {
  const o = JSON.parse(process.env.WORKER) as WorkerOptions
  const store = { db: openDb(o.url), clock: systemClock, random: systemRandom, seal: createSeal(o.keys) }
  await startWorker(store, o)
  process.stdout.write('ready\n')
}
