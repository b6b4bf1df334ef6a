import { userInfo } from 'node:os'
import { loadConfig } from '../../config/load.ts'
import { readRegistration } from '../../config/registration.ts'
import { serviceConfig } from '../../config/service.ts'
import type { UserId } from '../../core/domain/ids.ts'
import { readKeyFile } from '../../core/keys.ts'
import { shownIdentity } from '../../core/matrix/bot/device-list.ts'
import { createHomeserver } from '../../core/matrix/homeserver.ts'
import { createSeal, type SealingKeys } from '../../core/seal.ts'
import { secret } from '../../core/secret.ts'
import { openDb } from '../../core/store/db.ts'
import { grantAdminFromHost } from '../../core/store/staff/roles.ts'
import { transact } from '../../core/store/tx.ts'
import { systemClock, systemRandom } from '../../core/system.ts'
import { type CliCommand, Explained, parseOptions } from '../command.ts'

/** `wardroom grant-admin @ann:server`: an administrator again, when the only one is suspended or gone. Pinned to the identity that the homeserver shows. */
export const grantAdmin: CliCommand = {
  name: 'grant-admin',
  usage: 'grant-admin @USER:SERVER [--anyway] [--config FILE]',
  about: 'make a person administrator when the only one is suspended; audited, and other administrators are told',
  run: async args => {
    const { values, flags, rest } = parseOptions(args, { values: ['config'], flags: ['anyway'] })
    const config = serviceConfig(loadConfig({ file: values.config }))
    if ('missing' in config)
      throw new Explained(
        `This needs ${config.missing.join(' and ')}; the embedded installation's file is data/run/wardroom.yaml.`,
      )
    const { url, serverName, registrations } = config.homeserver
    const userId = rest[0] as UserId | undefined
    if (!userId?.startsWith('@') || !userId.endsWith(`:${serverName}`))
      throw new Explained(`Say who: wardroom grant-admin @somebody:${serverName}`)
    const homeserver = createHomeserver({ url, asToken: secret(readRegistration(registrations.bots).as_token) })
    const identity = await shownIdentity(homeserver, `@wardroom:${serverName}` as UserId, userId).catch(cause => {
      throw new Explained(`The homeserver did not say who ${userId} is: ${(cause as Error).message}.`, { cause })
    })
    if (identity === null)
      throw new Explained(
        `${userId} has no cross-signing yet: sign in with Element once, set up the recovery, then try again.`,
      )
    const db = openDb(config.database.url.reveal(), { max: 2, name: 'wardroom-grant-admin' })
    try {
      const seal = createSeal(readKeyFile<SealingKeys>(config.keys.file))
      const by = userInfo().username
      const refused = await transact({ db, clock: systemClock, random: systemRandom, seal }, tx =>
        grantAdminFromHost(tx, { userId, identity, by, anyway: flags.has('anyway') }),
      )
      if (refused) throw new Explained(refused.sentence)
      console.log(`${userId} is administrator now, bound to the identity ${identity}.`)
      console.log('Compare it with what their app shows. Their other roles are granted again by another administrator.')
      return 0
    } finally {
      await db.destroy()
    }
  },
}
