// A process of its own that a test kills: the runner of the audit sinks, on the same code as the service.
import { startSinks } from '../../../audit/sinks/runner.ts'
import { createLog } from '../../../core/log.ts'
import { createMetrics } from '../../../core/metrics.ts'
import { createSeal, type SealingKeys } from '../../../core/seal.ts'
import { openDb } from '../../../core/store/db.ts'
import { systemClock, systemRandom } from '../../../core/system.ts'

/** What the parent gives in the environment variable SINKS. */
export type SinksOptions = { url: string; keys: SealingKeys; sinkFolder: string }

const o = JSON.parse(process.env.SINKS ?? '{}') as SinksOptions
const log = createLog('sinks', 'fatal')
await startSinks({
  store: { db: openDb(o.url), clock: systemClock, random: systemRandom, seal: createSeal(o.keys) },
  sinkFolder: o.sinkFolder,
  serverName: 'clinic.example',
  publicUrl: 'https://chat.clinic.example',
  log,
  metrics: createMetrics(),
  alert: () => undefined,
  onSequenced: () => () => undefined,
})
process.stdout.write('ready\n')
