import { hostname } from 'node:os'
import { join } from 'node:path'
import express from 'express'
import type { Alerts } from '../core/alerts.ts'
import { healthRouter } from '../core/http/health.ts'
import { listen } from '../core/http/listen.ts'
import type { Log } from '../core/log.ts'
import { logOrigin } from '../core/log-keys.ts'
import { createHomeserver } from '../core/matrix/homeserver.ts'
import { createMetrics } from '../core/metrics.ts'
import { queueGauges } from '../core/queues/gauges.ts'
import { createSeal, type SealingKeys } from '../core/seal.ts'
import type { Secret } from '../core/secret.ts'
import { startParts } from '../core/start-parts.ts'
import { durableAlerts } from '../core/store/alerts/durable-alerts.ts'
import { serviceLife } from '../core/store/audit/sources/service-life.ts'
import { openDb, reach } from '../core/store/db.ts'
import type { StoreDeps } from '../core/store/tx.ts'
import { systemClock, systemRandom } from '../core/system.ts'
import type { SigningKey } from '../core/tlog/key.ts'
import type { AuditDeps, AuditPart } from './deps.ts'
import { parts as allParts } from './parts.ts'
import { startSequencer } from './sequencer.ts'

type Address = { host: string; port: number }

export type AuditOptions = {
  databaseUrl: Secret
  homeserver: { url: string; serverName: string }
  /** The bots' as_token. */
  asToken: Secret
  keys: SealingKeys
  /** The log's keys as they are now, oldest first; asked again before each checkpoint. */
  logKeys: () => readonly SigningKey[]
  publicUrl: string
  adminUrl: string
  proxies?: number
  /** `audit`: health and metrics. */
  listen: { audit: Address; admin: Address }
  dataDir: string
  /** Where checkpoints are written once; `pins` in the data folder when left out. */
  pinFolder?: string
  /** File sinks write here; `audit/sinks` in the data folder when left out. */
  sinkFolder?: string
  log: Log
  /** Tests move the clock, choose the parts, and see the alerts. */
  clock?: StoreDeps['clock']
  parts?: readonly AuditPart[]
  alert?: Alerts
  /** Ends the process when another one leads the log. */
  die?: (reason: string) => void
}

/**
 * Starts the audit process: the sequencer and what reads the log. Resolves when this process leads; a second one waits here until the first is gone.
 * `stop` ends everything in reverse order.
 */
export const startAudit = (o: AuditOptions): Promise<{ deps: AuditDeps; stop(): Promise<void> }> =>
  startParts(async started => {
    const { log } = o
    const { serverName } = o.homeserver
    const db = openDb(o.databaseUrl.reveal(), { max: 8, name: 'wardroom-audit' })
    started({ stop: () => db.destroy() })
    const store: StoreDeps = { db, clock: o.clock ?? systemClock, random: systemRandom, seal: createSeal(o.keys) }
    const metrics = createMetrics()
    queueGauges(metrics, store, { inbox: [], outbox: ['audit'] })
    const homeserver = createHomeserver({ url: o.homeserver.url, asToken: o.asToken })
    const alert = o.alert ?? durableAlerts(store, log)
    const app = express().use(healthRouter({ checks: { database: () => reach(db) }, metrics }))
    started(await listen(app, o.listen.audit))
    const sequencer = started(
      await startSequencer({
        store,
        keys: o.logKeys,
        origin: logOrigin(serverName),
        holder: `${hostname()}:${process.pid}`,
        log,
        metrics,
        alert,
        onLost: reason => {
          log.fatal(reason)
          if (o.die) o.die(reason)
          else process.exit(70)
        },
      }),
    )
    const deps: AuditDeps = {
      store,
      homeserver,
      serverName,
      publicUrl: o.publicUrl,
      adminUrl: o.adminUrl,
      proxies: o.proxies,
      listen: { admin: o.listen.admin },
      dataDir: o.dataDir,
      pinFolder: o.pinFolder ?? join(o.dataDir, 'pins'),
      sinkFolder: o.sinkFolder ?? join(o.dataDir, 'audit', 'sinks'),
      origin: logOrigin(serverName),
      vkeys: () => o.logKeys().map(k => k.verifier.vkey),
      log,
      metrics,
      alert,
      onSequenced: sequencer.onSequenced,
    }
    for (const part of o.parts ?? allParts) started(await part.start(deps))
    started(await serviceLife(store, 'audit'))
    return { deps }
  })
