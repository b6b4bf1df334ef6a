import type { Log } from '../../core/log.ts'
import type { Duty } from '../../core/oncall/pages/duty.ts'
import type { StoreDeps } from '../../core/store/tx.ts'
import type { SmsProvider } from './provider.ts'

/** What the SMS service's jobs need from outside. */
export type SmsDeps = {
  store: StoreDeps
  provider: SmsProvider
  log: Log
  /** Where patients' links point, without a slash at the end. */
  publicUrl: string
  /** After no answer, how long the provider gets before it is asked whether it has the text (20 s). */
  uncertainMs?: number
  /** Whose numbers answer pages by text. */
  duty?: Duty
}
