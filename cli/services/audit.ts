import { startAudit } from '../../audit/main.ts'
import { readRegistration } from '../../config/registration.ts'
import { readKeyFile } from '../../core/keys.ts'
import { logOrigin, watchLogKeys } from '../../core/log-keys.ts'
import type { SealingKeys } from '../../core/seal.ts'
import { secret } from '../../core/secret.ts'
import type { StartService } from './service.ts'

/** `wardroom run audit`: the only process that reads the log's private keys. */
export const audit: StartService = (config, log) =>
  startAudit({
    databaseUrl: config.database.url,
    homeserver: { url: config.homeserver.url, serverName: config.homeserver.serverName },
    asToken: secret(readRegistration(config.homeserver.registrations.bots).as_token),
    keys: readKeyFile<SealingKeys>(config.keys.file),
    logKeys: watchLogKeys(config.keys.audit, logOrigin(config.homeserver.serverName)),
    publicUrl: config.publicUrl.replace(/\/+$/, ''),
    adminUrl: config.adminUrl,
    proxies: config.proxies,
    listen: { audit: config.listen.audit, admin: config.listen.admin },
    dataDir: config.dataDir,
    pinFolder: config.audit.pinFolder,
    sinkFolder: config.audit.sinkFolder,
    log,
  })
