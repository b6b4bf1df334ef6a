import type { Log } from '../../core/log.ts'
import type { Homeserver } from '../../core/matrix/homeserver.ts'
import type { SealingKeys } from '../../core/seal.ts'
import type { StoreDeps } from '../../core/store/tx.ts'
import type { Ghosts } from '../ghosts/intents.ts'

/** What the care-room code needs from outside. */
export type CareDeps = {
  store: StoreDeps
  homeserver: Homeserver
  ghosts: Ghosts
  keys: Pick<SealingKeys, 'release' | 'recovery'>
  /** Where patients' links point, without a slash at the end. */
  publicUrl: string
  log: Log
}
