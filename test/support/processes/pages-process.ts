// A process of its own that a test kills while it advances and sends pages, on the same code as the service.
import { pageJobs, twilioPhones } from '../../../appservice/sms/index.ts'
import { localAccount, localSender } from '../../../appservice/sms/local/main.ts'
import { pace } from '../../../appservice/sms/pace.ts'
import { createLog } from '../../../core/log.ts'
import { startPager } from '../../../core/oncall/pages/pager.ts'
import { startOutbox } from '../../../core/queues/outbox-worker.ts'
import { createSeal, type SealingKeys } from '../../../core/seal.ts'
import { secret } from '../../../core/secret.ts'
import { openDb } from '../../../core/store/db.ts'
import { systemRandom } from '../../../core/system.ts'
import { clinic, dutyOf } from '../oncall/test-clinic.ts'

/** What the parent gives in the environment variable PAGES_WORKER; `now` is the test's time. */
export type PagesWorkerOptions = {
  url: string
  keys: SealingKeys
  localUrl: string
  publicUrl: string
  token: string
  now: number
}

const o = JSON.parse(process.env.PAGES_WORKER ?? '{}') as PagesWorkerOptions
const offset = o.now - Date.now()
const store = {
  db: openDb(o.url),
  clock: { now: () => Date.now() + offset },
  random: systemRandom,
  seal: createSeal(o.keys),
}
const log = createLog('bridge', 'fatal')
const duty = dutyOf(clinic())
const authToken = secret(o.token)
const phones = twilioPhones(
  { ...localAccount, authToken, origin: o.localUrl, publicUrl: o.publicUrl, voiceNumber: localSender, timeoutMs: 1000 },
  pace(1000),
)
const handlers = pageJobs({ store, duty, phones, log, uncertainMs: 50 })
await startOutbox({ queue: 'pages', store, log, handlers, pollMs: 20 })
startPager({ store, duty, log, pollMs: 20, monotonic: () => store.clock.now(), host: 'child' })
process.stdout.write('ready\n')
