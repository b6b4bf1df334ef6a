// Processes of their own for pages.ts: the provider's stand-in, and what the bridge runs for pages.
import { pageJobs, twilioPhones } from '../../appservice/sms/index.ts'
import { localAccount, localSender, startLocal } from '../../appservice/sms/local/main.ts'
import { createLog } from '../../core/log.ts'
import { clinicDuty as duty } from '../../core/oncall/pages/clinic-duty.ts'
import { startPager } from '../../core/oncall/pages/pager.ts'
import { startOutbox } from '../../core/queues/outbox-worker.ts'
import { createSeal, type SealingKeys } from '../../core/seal.ts'
import { secret } from '../../core/secret.ts'
import { openDb } from '../../core/store/db.ts'
import { systemClock, systemRandom } from '../../core/system.ts'

/** What the measurement gives in the environment variable BENCH_PAGES. */
export type PagesTask = { token: string } & (
  | { kind: 'provider' }
  | { kind: 'pages'; databaseUrl: string; keys: SealingKeys; providerUrl: string }
)

/** Where the provider reports: nobody listens, reports are no part of what is measured. */
const publicUrl = 'http://127.0.0.1:9'

const log = createLog('bridge', 'error')
const task = JSON.parse(process.env.BENCH_PAGES ?? '{}') as PagesTask
const authToken = secret(task.token)
if (task.kind === 'provider') {
  const local = await startLocal({ authToken, publicUrl, clock: systemClock, log: createLog('sms', 'fatal'), env: {} })
  console.log(JSON.stringify({ url: local.url }))
} else {
  const db = openDb(task.databaseUrl, { max: 12, name: 'bench-pages' })
  const store = { db, clock: systemClock, random: systemRandom, seal: createSeal(task.keys) }
  const phones = twilioPhones({
    ...localAccount,
    authToken,
    origin: task.providerUrl,
    publicUrl,
    voiceNumber: localSender,
  })
  // As appservice/main.ts does.
  await startOutbox({ queue: 'pages', store, handlers: pageJobs({ store, duty, phones, log }), log, concurrency: 12 })
  startPager({ store, duty, log })
  console.log(JSON.stringify({ url: '' }))
}
