import { dirname, join, resolve } from 'node:path'
import type { Secret } from '../core/secret.ts'
import { type Config, smsProvider } from './schema.ts'

/** A configuration in which every part has its address: what a service is started with. Paths are absolute. */
export type ServiceConfig = Config & {
  publicUrl: string
  adminUrl: string
  homeserver: Config['homeserver'] & { url: string; registrations: { bots: string; ghosts: string } }
  database: { url: Secret; keeperUrl: Secret }
  keys: { file: string; keeper: string; audit: string; keeperSecret: Secret }
  audit: { pinFolder: string; sinkFolder: string }
  oncall: { printFile: string }
  sms: Config['sms'] & { provider: 'local' | 'twilio' }
}

/** Where the data folder keeps what the configuration does not name. */
export const defaultFiles = (dataDir: string) => ({
  bots: resolve(dataDir, 'registrations/wardroom-bots.yaml'),
  ghosts: resolve(dataDir, 'registrations/wardroom-ghosts.yaml'),
  keys: resolve(dataDir, 'keys/sealing.json'),
  keeper: resolve(dataDir, 'keys/keeper.json'),
  recovery: resolve(dataDir, 'keys/recovery.json'),
  audit: resolve(dataDir, 'keys/audit.json'),
  pins: resolve(dataDir, 'pins'),
  sinks: resolve(dataDir, 'audit/sinks'),
  oncallPage: resolve(dataDir, 'oncall/on-call.html'),
  /** Demo accounts of the embedded homeserver: localpart → { userId, password }. */
  accounts: resolve(dataDir, 'accounts.json'),
  /** What the supervisor hands to the services. */
  effective: resolve(dataDir, 'run/wardroom.yaml'),
})

const here = ({ host, port }: Config['listen']['public']) =>
  `http://${host === '127.0.0.1' ? 'localhost' : host}:${port}`

/** Fills in what has a default place, or gives the entries that a service cannot do without. */
export const serviceConfig = (config: Config): ServiceConfig | { missing: string[] } => {
  const files = defaultFiles(config.dataDir)
  const { url } = config.homeserver
  const database = config.database.url
  const { keeperSecret } = config.keys
  const missing = [
    ...(url ? [] : ['homeserver.url (HOMESERVER_URL)']),
    ...(database ? [] : ['database.url (DATABASE_URL)']),
    ...(keeperSecret ? [] : ['keys.keeperSecret (WARDROOM_KEEPER_SECRET)']),
  ]
  if (!url || !database || !keeperSecret) return { missing }
  const { bots, ghosts } = config.homeserver.registrations
  const keyFile = resolve(config.keys.file ?? files.keys)
  return {
    ...config,
    dataDir: resolve(config.dataDir),
    publicUrl: config.publicUrl ?? here(config.listen.public),
    adminUrl: (config.adminUrl ?? here(config.listen.admin)).replace(/\/+$/, ''),
    homeserver: {
      ...config.homeserver,
      url,
      registrations: { bots: resolve(bots ?? files.bots), ghosts: resolve(ghosts ?? files.ghosts) },
    },
    database: { url: database, keeperUrl: config.database.keeperUrl ?? database },
    keys: {
      file: keyFile,
      keeper: resolve(config.keys.keeper ?? join(dirname(keyFile), 'keeper.json')),
      audit: resolve(config.keys.audit ?? join(dirname(keyFile), 'audit.json')),
      keeperSecret,
    },
    audit: {
      pinFolder: resolve(config.audit.pinFolder ?? files.pins),
      sinkFolder: resolve(config.audit.sinkFolder ?? files.sinks),
    },
    oncall: { printFile: resolve(config.oncall.printFile ?? files.oncallPage) },
    sms: { ...config.sms, provider: smsProvider(config) },
  }
}
