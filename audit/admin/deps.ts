import type { Refusals } from '../../core/http/refusals.ts'
import type { Log } from '../../core/log.ts'
import type { StoreDeps } from '../../core/store/tx.ts'

/** What the administrators' page's server needs. */
export type AdminDeps = {
  store: StoreDeps
  log: Log
  /** Notes what strangers are refused. */
  refusals: Pick<Refusals, 'watch'>
  /** Where administrators reach it, as their browser names it. */
  adminUrl: string
  /** The log's name. */
  origin: string
  /** The built page: `dist/admin`. */
  pageFolder: string
  /** Express' `trust proxy`: how many reverse proxies stand before it. */
  proxies?: number
  /** Requests a minute from one address that are looked at at all. */
  requestsPerMinute?: number
  /** How long an answer to a sign-in takes at least, in milliseconds, so that its time tells nothing. */
  neutralMs?: number
}
