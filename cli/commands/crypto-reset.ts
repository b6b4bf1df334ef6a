import { userInfo } from 'node:os'
import { loadConfig } from '../../config/load.ts'
import { readRegistration } from '../../config/registration.ts'
import { serviceConfig } from '../../config/service.ts'
import type { UserId } from '../../core/domain/ids.ts'
import { readKeyFile } from '../../core/keys.ts'
import { createLog } from '../../core/log.ts'
import { resetCrypto } from '../../core/matrix/bot/bot.ts'
import { createHomeserver } from '../../core/matrix/homeserver.ts'
import { createSeal, type SealingKeys } from '../../core/seal.ts'
import { secret } from '../../core/secret.ts'
import { openDb } from '../../core/store/db.ts'
import { systemClock, systemRandom } from '../../core/system.ts'
import { type CliCommand, Explained, parseOptions } from '../command.ts'

/** `wardroom crypto-reset @wardroom:server`: a bot whose keys no longer match the homeserver's gets a new device. */
export const cryptoReset: CliCommand = {
  name: 'crypto-reset',
  usage: 'crypto-reset @wardroom:SERVER [--config FILE]',
  about:
    "give a bot a new device when its keys and the homeserver's no longer match; run it while the bots are stopped",
  run: async args => {
    const { values, rest } = parseOptions(args, { values: ['config'] })
    const [userId] = rest
    const config = serviceConfig(loadConfig({ file: values.config }))
    if ('missing' in config)
      throw new Explained(
        `This needs ${config.missing.join(' and ')}; the embedded installation's file is data/run/wardroom.yaml.`,
      )
    const { url, serverName, registrations } = config.homeserver
    if (!userId?.startsWith('@') || !userId.endsWith(`:${serverName}`))
      throw new Explained(`Say which bot: wardroom crypto-reset @wardroom:${serverName}`)
    const log = createLog('crypto-reset', config.log.level)
    const db = openDb(config.database.url.reveal(), { max: 4, name: 'wardroom-crypto-reset' })
    try {
      const outcome = await resetCrypto({
        homeserver: createHomeserver({ url, asToken: secret(readRegistration(registrations.bots).as_token) }),
        store: {
          db,
          clock: systemClock,
          random: systemRandom,
          seal: createSeal(readKeyFile<SealingKeys>(config.keys.file)),
        },
        userId: userId as UserId,
        log,
        by: userInfo().username,
      }).catch(cause => {
        throw new Explained(`${(cause as Error).message}.`, { cause })
      })
      console.log(
        outcome === 'identity-kept'
          ? `${userId} gets a new device at its next start; its identity is the same, so nobody has to do anything.`
          : `${userId} gets a new device and a new identity at its next start; people who verified it see that once.`,
      )
      return 0
    } finally {
      await db.destroy()
    }
  },
}
