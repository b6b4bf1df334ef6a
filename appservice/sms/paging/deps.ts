import type { Log } from '../../../core/log.ts'
import type { Duty } from '../../../core/oncall/pages/duty.ts'
import type { StoreDeps } from '../../../core/store/tx.ts'
import type { PagePhones } from './provider.ts'

/** What calls about pages need from outside. */
export type PagingDeps = {
  store: StoreDeps
  duty: Duty
  phones: PagePhones
  log: Log
  /** After no answer, how long the provider gets before it is asked whether it has the text or the call (2 s). */
  uncertainMs?: number
  /** How long an outage of the provider is waited out before the next way is tried (40 s). */
  patienceMs?: number
}
