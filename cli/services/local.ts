import { randomBytes } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { startLocal } from '../../appservice/sms/local/main.ts'
import { type TryItConfig, tryItRouter } from '../../appservice/sms/local/try-it.ts'
import { defaultFiles, type ServiceConfig } from '../../config/service.ts'
import { readKeyFile } from '../../core/keys.ts'
import { createSeal, type SealingKeys } from '../../core/seal.ts'
import { secret } from '../../core/secret.ts'
import { openDb } from '../../core/store/db.ts'
import { systemClock, systemRandom } from '../../core/system.ts'
import { keptJson } from '../start/data-folder.ts'
import type { StartService } from './service.ts'

const pageFolder = join(import.meta.dirname, '../../dist/tryit')

/** The local SMS server: texts are kept in the data folder, so that a restart shows the same telephones. With demo accounts, the try-it page as well. */
export const local: StartService = async (config, log) => {
  const store = {
    db: openDb(config.database.url.reveal(), { max: 2, name: 'wardroom local' }),
    clock: systemClock,
    random: systemRandom,
    seal: createSeal(readKeyFile<SealingKeys>(config.keys.file)),
  }
  const server = await startLocal({
    authToken: config.sms.local.authToken ?? secret('local'),
    publicUrl: config.publicUrl,
    clock: systemClock,
    log,
    host: config.listen.local.host,
    port: config.listen.local.port,
    stateFile: join(config.dataDir, 'sms-local.json'),
    routers: demoClinician(config, store).map(tryItRouter),
  })
  return {
    stop: async () => {
      await server.stop()
      await store.db.destroy()
    },
  }
}

type Accounts = Record<string, { userId: string; password: string }>

/** None with a homeserver of one's own: there are no demo accounts then. */
const demoClinician = (config: ServiceConfig, store: TryItConfig['store']): TryItConfig[] => {
  const file = defaultFiles(config.dataDir).accounts
  const accounts = existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Accounts) : {}
  const account = accounts.drlee
  if (!account || !existsSync(join(pageFolder, 'index.html'))) return []
  const kept = keptJson(join(config.dataDir, 'try-it.json'), () => ({
    recoveryKey: randomBytes(32).toString('base64'),
  }))
  return [{ store, homeserverUrl: config.homeserver.url, account, pageFolder, recoveryKey: kept.recoveryKey }]
}
