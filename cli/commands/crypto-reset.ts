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
import { botUsers } from '../../core/store/bots/bot-devices.ts'
import { openDb } from '../../core/store/db.ts'
import { systemClock, systemRandom } from '../../core/system.ts'
import { type CliCommand, Explained, parseOptions } from '../command.ts'

/** `wardroom crypto-reset @wardroom:server`: a bot whose keys no longer match the homeserver's gets a new device; with `--all` every one, as after the restore of a backup. */
export const cryptoReset: CliCommand = {
  name: 'crypto-reset',
  usage: 'crypto-reset @wardroom:SERVER | --all [--config FILE]',
  about:
    "give a bot, or all of them, a new device when their keys and the homeserver's no longer match; run it while the bots are stopped",
  run: async args => {
    const { values, flags, rest } = parseOptions(args, { values: ['config'], flags: ['all'] })
    const [named] = rest
    const all = flags.has('all')
    const config = serviceConfig(loadConfig({ file: values.config }))
    if ('missing' in config)
      throw new Explained(
        `This needs ${config.missing.join(' and ')}; the embedded installation's file is data/run/wardroom.yaml.`,
      )
    const { url, serverName, registrations } = config.homeserver
    if (all ? named !== undefined : !named?.startsWith('@') || !named.endsWith(`:${serverName}`))
      throw new Explained(`Say which bot: wardroom crypto-reset @wardroom:${serverName}, or --all`)
    const log = createLog('crypto-reset', config.log.level)
    const homeserver = createHomeserver({ url, asToken: secret(readRegistration(registrations.bots).as_token) })
    const seal = createSeal(readKeyFile<SealingKeys>(config.keys.file))
    const db = openDb(config.database.url.reveal(), { max: 4, name: 'wardroom-crypto-reset' })
    const store = { db, clock: systemClock, random: systemRandom, seal }
    const reset = async (userId: UserId) => {
      const outcome = await resetCrypto({ homeserver, store, userId, log, by: userInfo().username }).catch(cause => {
        throw new Explained(`${(cause as Error).message}.`, { cause })
      })
      console.log(
        outcome === 'identity-kept'
          ? `${userId} gets a new device at its next start; its identity is the same, so nobody has to do anything.`
          : `${userId} gets a new device and a new identity at its next start; people who verified it see that once.`,
      )
    }
    try {
      const users = all ? await botUsers(db) : [named as UserId]
      if (users.length === 0) console.log('No bot has a device yet: there is nothing to reset.')
      for (const userId of users) await reset(userId)
      return 0
    } finally {
      await db.destroy()
    }
  },
}
