import type { Alerts } from '../core/alerts.ts'
import type { Log } from '../core/log.ts'
import type { Homeserver } from '../core/matrix/homeserver.ts'
import type { Metrics } from '../core/metrics.ts'
import type { Stoppable } from '../core/start-parts.ts'
import type { StoreDeps } from '../core/store/tx.ts'

type Address = { host: string; port: number }

/** What every part of the audit process gets. Settings that are changed by chat: `readSettings(store.db)`. */
export type AuditDeps = {
  store: StoreDeps
  /** Acts as our bots' users (`@wardroom`). */
  homeserver: Homeserver
  serverName: string
  /** Where patients reach their page. */
  publicUrl: string
  /** Where administrators reach the admin page, as their browser names it; no slash at the end. */
  adminUrl: string
  /** How many reverse proxies stand before that page. */
  proxies?: number
  listen: { admin: Address }
  /** The folder for what is kept outside the database (pinned checkpoints, exports). */
  dataDir: string
  /** The folder to which checkpoints are written, each once. */
  pinFolder: string
  /** The only folder in which file sinks write; certificates and keys of sinks lie in its folder `tls`. */
  sinkFolder: string
  /** The log's name, the first line of every checkpoint. */
  origin: string
  /** The log's verifier keys (C2SP vkey) that its key file has now, oldest first; `verifiersOf` adds those that handed over to them. */
  vkeys: () => string[]
  log: Log
  metrics: Metrics
  alert: Alerts
  /**
   * Calls `listener` after entries `from` (inclusive) to `to` (exclusive) were committed with their checkpoint. Only a hint to look now: whoever must not miss
   * an entry keeps a cursor, and looks at its start as well. Returns how to stop it.
   */
  onSequenced(listener: (from: number, to: number) => void): () => void
}

/** One part of the audit process: a file of its own and a line in `parts.ts`. It starts once this process leads the log, and is stopped before the sequencer. */
export type AuditPart = { name: string; start(deps: AuditDeps): Promise<Stoppable> }
