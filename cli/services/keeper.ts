import type { JWK } from 'jose'
import { startKeeper } from '../../appservice/keeper/keeper.ts'
import { readKeyFile } from '../../core/keys.ts'
import { systemClock, systemRandom } from '../../core/system.ts'
import type { StartService } from './service.ts'

/** `wardroom run keeper`: the only process that reads the release key. */
export const keeper: StartService = (config, log) =>
  startKeeper({
    databaseUrl: config.database.keeperUrl.reveal(),
    releaseKey: readKeyFile<JWK>(config.keys.keeper),
    secret: config.keys.keeperSecret,
    listen: config.listen.keeper,
    renewals: { door: `http://${config.listen.bridge.host}:${config.listen.bridge.port}/renewal` },
    clock: systemClock,
    random: systemRandom,
    log,
  })
