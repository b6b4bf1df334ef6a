import express from 'express'
import type { Registration } from '../config/registration.ts'
import { hours, minutes, seconds } from '../core/domain/clock.ts'
import { healthRouter } from '../core/http/health.ts'
import { listen } from '../core/http/listen.ts'
import { refusalLog, refusedHere } from '../core/http/refusals.ts'
import { transactionsRouter } from '../core/http/transactions.ts'
import type { Log } from '../core/log.ts'
import { createHomeserver } from '../core/matrix/homeserver.ts'
import { watchOwnUsers } from '../core/matrix/own-users-watch.ts'
import { keepDeliveries } from '../core/matrix/ping.ts'
import { createMetrics } from '../core/metrics.ts'
import { startChatWatch } from '../core/oncall/pages/chat-watch.ts'
import { clinicDuty } from '../core/oncall/pages/clinic-duty.ts'
import { endOldPages } from '../core/oncall/pages/old-pages.ts'
import { startPager } from '../core/oncall/pages/pager.ts'
import { queueGauges } from '../core/queues/gauges.ts'
import { startInbox } from '../core/queues/inbox-worker.ts'
import { startOutbox } from '../core/queues/outbox-worker.ts'
import { startSweeps } from '../core/queues/sweeps.ts'
import { startDeletion } from '../core/records/deletion-sweeps.ts'
import { exitRun } from '../core/records/exit.ts'
import { createSeal, type SealingKeys } from '../core/seal.ts'
import { type Secret, secret } from '../core/secret.ts'
import { startParts } from '../core/start-parts.ts'
import { serviceLife } from '../core/store/audit/sources/service-life.ts'
import { openDb, reach } from '../core/store/db.ts'
import { sweepInbox } from '../core/store/queues/inbox.ts'
import type { StoreDeps } from '../core/store/tx.ts'
import { systemClock, systemRandom } from '../core/system.ts'
import { careDeletion } from './care/deletion.ts'
import type { CareDeps } from './care/deps.ts'
import { careGivenUp, careJobs } from './care/index.ts'
import { remind } from './care/notices/reminders.ts'
import { publishStaff, staffListTimes } from './care/room/staff-list.ts'
import { onRoomEvent } from './care/room-events.ts'
import { openGhosts } from './ghosts/intents.ts'
import { alarmsRouter } from './http/alarms.ts'
import { publicApp } from './http/public-app.ts'
import { keeperClient } from './keeper/client.ts'
import { startSessionSweep } from './links/devices.ts'
import { renewalDoor } from './renewal/door.ts'
import { renewalSweepMs, sweepRenewals } from './renewal/renew.ts'
import { pageJobs, pageWebhooks, smsJobs, smsProviders, smsWebhooks, twilioPhones } from './sms/index.ts'
import type { TwilioOptions } from './sms/twilio.ts'

type Address = { host: string; port: number }

export type BridgeOptions = {
  databaseUrl: Secret
  homeserver: { url: string; serverName: string }
  registration: Registration
  keys: SealingKeys
  publicUrl: string
  listen: { bridge: Address; public: Address }
  keeper: { url: string; secret: Secret }
  sms: { provider: 'local' | 'twilio' } & Omit<TwilioOptions, 'statusCallback'>
  page: { folder: string; logo?: string }
  /** Reverse proxies before the page. */
  proxies: number
  /** The default installation on one machine. */
  embedded: boolean
  /** Origins that may frame the patient page: the handset of the embedded installation. */
  frameAncestors?: readonly string[]
  log: Log
}

/** Starts the SMS bridge: care rooms, links, the patient page with its proxy, and texts. `stop` ends everything in reverse order. */
export const startBridge = (o: BridgeOptions): Promise<{ stop(): Promise<void> }> =>
  startParts(async started => {
    const { log, publicUrl } = o
    const db = openDb(o.databaseUrl.reveal(), { max: 12, name: 'wardroom-bridge' })
    started({ stop: () => db.destroy() })
    const store: StoreDeps = { db, clock: systemClock, random: systemRandom, seal: createSeal(o.keys) }
    const refusals = started(refusalLog({ store, log }))
    const metrics = createMetrics()
    queueGauges(metrics, store, { inbox: ['ghosts'], outbox: ['bridge', 'sms', 'pages'] })
    const homeserver = createHomeserver({ url: o.homeserver.url, asToken: secret(o.registration.as_token) })
    const ghosts = started(
      await openGhosts({ homeserver, registration: o.registration, serverName: o.homeserver.serverName }),
    )
    // Before whatever waits for the homeserver.
    started(startChatWatch({ store, duty: clinicDuty, homeserver, log }))
    const keeper = started(keeperClient({ url: o.keeper.url }, o.keeper.secret))
    const care: CareDeps = { store, homeserver, ghosts, keys: o.keys, publicUrl, log }
    const { accountSid, authToken } = o.sms
    const provider = smsProviders[o.sms.provider]({ ...o.sms, statusCallback: `${publicUrl}/sms/status` })

    started(await startOutbox({ queue: 'bridge', store, handlers: careJobs(care), givenUp: careGivenUp, log, metrics }))
    started(
      await startOutbox({ queue: 'sms', store, handlers: smsJobs({ store, provider, log, publicUrl }), log, metrics }),
    )
    const duty = clinicDuty
    const phones = twilioPhones({ ...o.sms, publicUrl })
    const paging = pageJobs({ store, duty, phones, log })
    started(await startOutbox({ queue: 'pages', store, handlers: paging, log, metrics, concurrency: 12 }))
    started(startPager({ store, duty, log }))
    started(startSweeps({ store, name: 'old-pages', every: minutes(10), run: () => endOldPages(store, duty), log }))
    started(await startInbox({ source: 'ghosts', store, handle: onRoomEvent(care), log, metrics }))
    started(startSweeps({ store, name: 'reminders', every: seconds(10), run: () => remind(care), log }))
    const { everyMs } = staffListTimes
    started(startSweeps({ store, name: 'staff-list', every: everyMs, run: () => publishStaff(care), log }))
    started(startSweeps({ store, name: 'inbox', every: minutes(30), run: () => sweepInbox(store, hours(24 * 7)), log }))
    started(startDeletion(careDeletion(care), 'care'))
    const endRecords = () => exitRun({ store, homeserver, log })
    started(startSweeps({ store, name: 'exits', every: minutes(1), run: endRecords, log }))
    started(startSessionSweep({ store, homeserver, log }))
    started(watchOwnUsers({ store, homeserver, log }))
    const renewals = new AbortController()
    const renew = { store, homeserver, keeper, log, signal: renewals.signal }
    started(startSweeps({ store, name: 'renewals', every: renewalSweepMs, run: () => sweepRenewals(renew), log }))
    started({ stop: async () => renewals.abort() })

    const checks = {
      database: () => reach(db),
      homeserver: () => homeserver.request('GET', '/_matrix/client/versions', { timeoutMs: 2000 }),
    }
    const deliveries = keepDeliveries({ homeserver, registrationId: o.registration.id, log })
    const onTransaction = deliveries.arrived
    const transactions = express()
      .use(refusals.watch(refusedHere))
      .use(healthRouter({ checks, metrics }))
      .use('/renewal', renewalDoor({ store, homeserver, log }))
      .use(
        transactionsRouter({ source: 'ghosts', hsToken: secret(o.registration.hs_token), store, log, onTransaction }),
      )
    started(await listen(transactions, o.listen.bridge))
    await started(deliveries).begin()
    const app = publicApp({
      store,
      homeserver,
      keeper,
      log,
      refusals,
      publicUrl,
      pageFolder: o.page.folder,
      logoFile: o.page.logo,
      embedded: o.embedded,
      frameAncestors: o.frameAncestors,
      smsWebhooks: smsWebhooks({ store, accountSid, authToken, publicUrl, log }),
      pageWebhooks: pageWebhooks({ store, accountSid, authToken, publicUrl, log, duty }),
      alarms: alarmsRouter({ store, duty }),
      trustProxy: o.proxies > 0 ? o.proxies : undefined,
    })
    started(await listen(app, o.listen.public))
    started(await serviceLife(store, 'bridge'))
    return {}
  })
