// A process of its own that a test kills while it sends texts, on the same code as the service.
import { smsJobs } from '../../../appservice/sms/index.ts'
import { localAccount } from '../../../appservice/sms/local/main.ts'
import { twilioProvider } from '../../../appservice/sms/twilio.ts'
import { createLog } from '../../../core/log.ts'
import { startOutbox } from '../../../core/queues/outbox-worker.ts'
import { createSeal, type SealingKeys } from '../../../core/seal.ts'
import { secret } from '../../../core/secret.ts'
import { openDb } from '../../../core/store/db.ts'
import { systemRandom } from '../../../core/system.ts'

/** What the parent gives in the environment variable SMS_WORKER; `now` is the test's time. */
export type SmsWorkerOptions = {
  url: string
  keys: SealingKeys
  localUrl: string
  publicUrl: string
  token: string
  now: number
}

const o = JSON.parse(process.env.SMS_WORKER ?? '{}') as SmsWorkerOptions
const offset = o.now - Date.now()
const store = {
  db: openDb(o.url),
  clock: { now: () => Date.now() + offset },
  random: systemRandom,
  seal: createSeal(o.keys),
}
const log = createLog('sms', 'fatal')
const provider = twilioProvider({
  ...localAccount,
  authToken: secret(o.token),
  statusCallback: `${o.publicUrl}/sms/status`,
  origin: o.localUrl,
  ratePerSecond: 1000,
})
const handlers = smsJobs({ store, provider, log, publicUrl: o.publicUrl, uncertainMs: 50 })
await startOutbox({ queue: 'sms', store, log, handlers })
process.stdout.write('ready\n')
