import type { Router } from 'express'
import type { Refusals } from '../../core/http/refusals.ts'
import type { Log } from '../../core/log.ts'
import type { Homeserver } from '../../core/matrix/homeserver.ts'
import type { StoreDeps } from '../../core/store/tx.ts'
import type { KeeperClient } from '../keeper/client.ts'
import type { LinkLimits } from '../links/deps.ts'

/** What the public application needs. */
export type PublicDeps = {
  store: StoreDeps
  /** With the ghosts' token. */
  homeserver: Homeserver
  keeper: Pick<KeeperClient, 'release'>
  log: Log
  /** Where links point, e.g. `https://chat.clinic.example`. */
  publicUrl: string
  /** The built page: `dist/patient`. */
  pageFolder: string
  /** The default installation on one machine, where PUBLIC_URL may be plain http. */
  embedded: boolean
  /** Origins that may show the page in a frame: the handset of the embedded installation, otherwise nobody. */
  frameAncestors?: readonly string[]
  /** Puts what is refused into the audit log. */
  refusals: Refusals
  /** SVG, PNG or WebP; served as the clinic's logo. */
  logoFile?: string
  /** The SMS provider's webhooks, mounted at /sms. */
  smsWebhooks?: Router
  /** The provider's questions and reports about pages, mounted at /voice. */
  pageWebhooks?: Router
  /** Alarms of the clinic's systems, mounted at /alarms. */
  alarms?: Router
  /** Express' `trust proxy`: hops or addresses whose X-Forwarded-For counts. */
  trustProxy?: number | string | string[] | boolean
  limits?: Partial<LinkLimits>
  /** Requests a minute from one address that are looked at at all. */
  requestsPerMinute?: number
  /** What a patient may upload at once, in bytes. */
  uploadBytes?: number
  /** Answers that must not tell by their time what a token is take at least this long, in milliseconds. */
  neutralMs?: number
}

export const defaultUploadBytes = 25 * 1024 * 1024
export const maxTextBytes = 32 * 1024
