import { startBots } from '../../bots/main.ts'
import { readRegistration } from '../../config/registration.ts'
import { readKeyFile } from '../../core/keys.ts'
import type { SealingKeys } from '../../core/seal.ts'
import type { StartService } from './service.ts'

/** `wardroom run bots`. */
export const bots: StartService = (config, log) =>
  startBots({
    databaseUrl: config.database.url,
    homeserver: { url: config.homeserver.url, serverName: config.homeserver.serverName },
    registration: readRegistration(config.homeserver.registrations.bots),
    keys: readKeyFile<SealingKeys>(config.keys.file),
    publicUrl: config.publicUrl.replace(/\/+$/, ''),
    adminUrl: config.adminUrl,
    listen: { bots: config.listen.bots },
    firstAdmin: config.firstAdmin,
    settings: config.settings,
    printFile: config.oncall.printFile,
    log,
  })
