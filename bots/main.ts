import express from 'express'
import type { Registration } from '../config/registration.ts'
import { receiptsIn } from '../core/domain/audit/room-event.ts'
import { hours, minutes, seconds } from '../core/domain/clock.ts'
import type { UserId } from '../core/domain/ids.ts'
import { healthRouter } from '../core/http/health.ts'
import { listen } from '../core/http/listen.ts'
import { refusalLog, refusedHere } from '../core/http/refusals.ts'
import { type News, transactionsRouter } from '../core/http/transactions.ts'
import type { Log } from '../core/log.ts'
import { startBot } from '../core/matrix/bot/bot.ts'
import { directKey } from '../core/matrix/bot/bot-rooms.ts'
import { createHomeserver } from '../core/matrix/homeserver.ts'
import { keepDeliveries } from '../core/matrix/ping.ts'
import { createMetrics } from '../core/metrics.ts'
import { renewStoredCopy, watchStoredCopy } from '../core/oncall/print/stored-copy.ts'
import { queueGauges } from '../core/queues/gauges.ts'
import { startInbox } from '../core/queues/inbox-worker.ts'
import { startOutbox } from '../core/queues/outbox-worker.ts'
import { startSweeps } from '../core/queues/sweeps.ts'
import { startDeletion } from '../core/records/deletion-sweeps.ts'
import { createSeal, type SealingKeys } from '../core/seal.ts'
import { type Secret, secret } from '../core/secret.ts'
import { startParts } from '../core/start-parts.ts'
import { namelessStaff } from '../core/store/alerts/alert-facts.ts'
import { settleStale } from '../core/store/alerts/states.ts'
import { recordNews } from '../core/store/audit/sources/homeserver-news.ts'
import { serviceLife } from '../core/store/audit/sources/service-life.ts'
import { openDb, reach } from '../core/store/db.ts'
import { noteRoleChats } from '../core/store/oncall/role-chats.ts'
import { putEvents, sweepInbox } from '../core/store/queues/inbox.ts'
import { sweepOutbox } from '../core/store/queues/outbox.ts'
import { coveredAmong, noteCoverage } from '../core/store/records/coverage.ts'
import { noteRecords } from '../core/store/records/note.ts'
import { firstAdmin, followRole } from '../core/store/staff/roles.ts'
import { noteOwnDirects } from '../core/store/staff/rooms.ts'
import { seedSettings } from '../core/store/staff/settings.ts'
import { type StoreDeps, type Tx, transact } from '../core/store/tx.ts'
import { systemClock, systemRandom } from '../core/system.ts'
import { postDigest } from './commands/audit/digest.ts'
import { commands } from './commands/index.ts'
import type { DeskDeps } from './desk/deps.ts'
import { onEvent } from './desk/events.ts'
import { deskJobs } from './desk/jobs.ts'
import { startImports } from './oncall/imports.ts'
import { settleSwaps } from './oncall/lapsed-swaps.ts'
import { staffDeletion } from './records/deletion.ts'
import { recordsBotOf, startRecords } from './records/index.ts'
import { startRoles } from './roles/index.ts'

export type BotsOptions = {
  databaseUrl: Secret
  homeserver: { url: string; serverName: string }
  registration: Registration
  keys: SealingKeys
  publicUrl: string
  adminUrl: string
  listen: { bots: { host: string; port: number } }
  /** Administrator while nobody is one yet. */
  firstAdmin?: string
  /** Starting values of settings, as the configuration file has them. */
  settings: Readonly<Record<string, string>>
  /** Where the printable page of who is on call is kept; left out: nowhere. */
  printFile?: string
  log: Log
  /** The bot's name before the colon: `wardroom`, or beginning with `wardroom_`. */
  localpart?: string
  /** Tests move the clock. */
  clock?: StoreDeps['clock']
}

/**
 * Starts `@wardroom`: its encrypted client, its inbox and its jobs; and the records bot where the clinic wants one. Resolves when it leads and listens; a second process waits here until the
 * first is gone. `stop` ends everything in reverse order.
 */
export const startBots = (o: BotsOptions): Promise<{ bot: UserId; stop(): Promise<void> }> =>
  startParts(async started => {
    const { log, publicUrl, adminUrl } = o
    const db = openDb(o.databaseUrl.reveal(), { max: 10, name: 'wardroom-bots' })
    started({ stop: () => db.destroy() })
    const store: StoreDeps = { db, clock: o.clock ?? systemClock, random: systemRandom, seal: createSeal(o.keys) }
    const refusals = started(refusalLog({ store, log }))
    const metrics = createMetrics()
    queueGauges(metrics, store, { inbox: ['bots', 'records', 'roles'], outbox: ['bots', 'roles'] })
    const { serverName } = o.homeserver
    const homeserver = createHomeserver({ url: o.homeserver.url, asToken: secret(o.registration.as_token) })
    const userId = `@${o.localpart ?? 'wardroom'}:${serverName}` as UserId
    const records = recordsBotOf(userId)
    await transact(store, async tx => {
      await seedSettings(tx, o.settings)
      if (o.firstAdmin) await firstAdmin(tx, o.firstAdmin as UserId)
      await tx.enqueue({ queue: 'bots', kind: 'desk.room', key: 'desk:main', payload: { unit: 'main' } })
      await tx.enqueue({ queue: 'bots', kind: 'compliance.room', key: 'compliance:room', payload: {} })
      for (const user of await namelessStaff(tx.sql)) await followRole(tx, user)
    })
    // Events are taken in and kept also while another process leads the bot.
    const checks = {
      database: () => reach(db),
      homeserver: () => homeserver.request('GET', '/_matrix/client/versions', { timeoutMs: 2000 }),
    }
    const onNews = async (tx: Tx, { events, edus, deviceLists }: News) => {
      const receipts = edus.flatMap(receiptsIn)
      await recordNews(tx, { events, receipts, deviceLists }, serverName)
      await noteOwnDirects(tx, events, userId, directKey)
      await noteCoverage(tx, records, events)
      await putEvents(tx, 'roles', await noteRoleChats(tx, events, serverName))
      await noteRecords(tx, { events, receipts })
      const encrypted = events.filter(e => e.type === 'm.room.encrypted' && e.state_key === undefined)
      const covered = await coveredAmong(tx.sql, [...new Set(encrypted.map(e => e.room_id))])
      await putEvents(
        tx,
        'records',
        encrypted.filter(e => covered.has(e.room_id)),
      )
    }
    const deliveries = keepDeliveries({ homeserver, registrationId: o.registration.id, log })
    const onTransaction = deliveries.arrived
    const transactions = express()
      .use(refusals.watch(refusedHere))
      .use(healthRouter({ checks, metrics }))
      .use(
        transactionsRouter({
          source: 'bots',
          hsToken: secret(o.registration.hs_token),
          store,
          log,
          onNews,
          onTransaction,
        }),
      )
    started(await listen(transactions, o.listen.bots))
    await started(deliveries).begin()
    const { printFile } = o
    if (printFile !== undefined) {
      const renew = () => renewStoredCopy(store, printFile)
      // Before the bot, which waits for the homeserver: this page is for when that is gone.
      started(startSweeps({ store, name: 'oncall-print', every: hours(1), run: renew, log }))
      const since = store.clock.now()
      const watch = () => watchStoredCopy(store, printFile, since)
      started(startSweeps({ store, name: 'oncall-print-stale', every: minutes(5), run: watch, log }))
    }

    const bot = started(await startBot({ homeserver, store, userId, displayName: 'Wardroom', log }))
    const desk: DeskDeps = { store, homeserver, bot, serverName, publicUrl, adminUrl, log }
    started(await startOutbox({ queue: 'bots', store, handlers: deskJobs(desk), log, metrics }))
    const inbox = started(
      await startInbox({ source: 'bots', store, handle: onEvent(desk, commands), refuseReplays: true, log, metrics }),
    )
    const deletion = staffDeletion({ store, homeserver, bot: userId, records })
    started(startDeletion({ store, homeserver, log, ...deletion }, 'staff'))
    started(await startRecords({ store, homeserver, serverName, bot: records, keys: o.keys, log, metrics }))
    started(await startRoles({ store, homeserver, log, metrics }))
    const deaf = bot.keyArrived(roomId => {
      inbox.wake(roomId).catch(err => log.warn({ err, roomId }, 'waiting events could not be woken; they wait on'))
    })
    started({ stop: async () => deaf() })
    const keep = hours(24 * 7)
    const digest = () => transact(store, postDigest)
    // The audit process raises this itself, unless it is what is gone.
    const stale = () => transact(store, settleStale)
    started(startSweeps({ store, name: 'audit-stale', every: seconds(4), run: stale, log }))
    started(startImports({ store, log }))
    started(startSweeps({ store, name: 'oncall-swaps', every: minutes(1), run: () => settleSwaps(store), log }))
    started(startSweeps({ store, name: 'audit-digest', every: minutes(10), run: digest, log }))
    started(startSweeps({ store, name: 'bots-inbox', every: minutes(30), run: () => sweepInbox(store, keep), log }))
    started(
      startSweeps({ store, name: 'outbox', every: minutes(30), run: () => sweepOutbox(store, hours(24 * 30)), log }),
    )
    started(await serviceLife(store, 'bots'))
    return { bot: userId }
  })
