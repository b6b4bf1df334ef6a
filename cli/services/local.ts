import { join } from 'node:path'
import { startLocal } from '../../appservice/sms/local/main.ts'
import { secret } from '../../core/secret.ts'
import { systemClock } from '../../core/system.ts'
import type { StartService } from './service.ts'

/** The local SMS server: texts are kept in the data folder, so that a restart shows the same telephones. */
export const local: StartService = (config, log) =>
  startLocal({
    authToken: config.sms.local.authToken ?? secret('local'),
    publicUrl: config.publicUrl,
    clock: systemClock,
    log,
    host: config.listen.local.host,
    port: config.listen.local.port,
    stateFile: join(config.dataDir, 'sms-local.json'),
  })
