import { join } from 'node:path'
import { startBridge } from '../../appservice/main.ts'
import { localAccount, localSender } from '../../appservice/sms/local/main.ts'
import { readRegistration } from '../../config/registration.ts'
import type { ServiceConfig } from '../../config/service.ts'
import { readKeyFile } from '../../core/keys.ts'
import type { SealingKeys } from '../../core/seal.ts'
import { secret } from '../../core/secret.ts'
import { Explained } from '../command.ts'
import type { StartService } from './service.ts'

const sms = (config: ServiceConfig) => {
  if (config.sms.provider === 'local') {
    const { host, port } = config.listen.local
    return {
      provider: 'local' as const,
      ...localAccount,
      authToken: config.sms.local.authToken ?? secret('local'),
      origin: `http://${host}:${port}`,
      ratePerSecond: 100,
      voiceNumber: localSender,
    }
  }
  if (!config.sms.twilio) throw new Explained('sms.provider is twilio, but sms.twilio is missing.')
  return { provider: 'twilio' as const, ...config.sms.twilio }
}

/** As a browser on this machine names the handset's server. */
const handsetOrigins = ({ listen: { local } }: ServiceConfig) =>
  ['localhost', '127.0.0.1'].map(host => `http://${host}:${local.port}`)

/** `wardroom run bridge`. */
export const bridge: StartService = (config, log) =>
  startBridge({
    databaseUrl: config.database.url,
    homeserver: { url: config.homeserver.url, serverName: config.homeserver.serverName },
    registration: readRegistration(config.homeserver.registrations.ghosts),
    keys: readKeyFile<SealingKeys>(config.keys.file),
    publicUrl: config.publicUrl.replace(/\/+$/, ''),
    listen: { bridge: config.listen.bridge, public: config.listen.public },
    keeper: {
      url: `http://${config.listen.keeper.host}:${config.listen.keeper.port}`,
      secret: config.keys.keeperSecret,
    },
    sms: sms(config),
    page: { folder: join(import.meta.dirname, '../../dist/patient'), logo: config.clinicLogo },
    proxies: config.proxies,
    embedded: config.sms.provider === 'local',
    frameAncestors: config.sms.provider === 'local' ? handsetOrigins(config) : [],
    log,
  })
