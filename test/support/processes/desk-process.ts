// The bots service in a process of its own that a test kills.
import { startBots } from '../../../bots/main.ts'
import type { Registration } from '../../../config/registration.ts'
import { createLog } from '../../../core/log.ts'
import type { SealingKeys } from '../../../core/seal.ts'
import { secret } from '../../../core/secret.ts'

/** What the parent gives in the environment variable DESK. */
export type DeskProcessOptions = {
  databaseUrl: string
  homeserver: { url: string; serverName: string }
  registration: Registration
  keys: SealingKeys
  port: number
  localpart: string
  firstAdmin: string
}

const o = JSON.parse(process.env.DESK ?? '{}') as DeskProcessOptions
await startBots({
  databaseUrl: secret(o.databaseUrl),
  homeserver: o.homeserver,
  registration: o.registration,
  keys: o.keys,
  publicUrl: 'https://chat.clinic.example',
  adminUrl: 'https://admin.clinic.example',
  listen: { bots: { host: '127.0.0.1', port: o.port } },
  firstAdmin: o.firstAdmin,
  settings: {},
  localpart: o.localpart,
  log: createLog('bots', process.env.WARDROOM_LOG_LEVEL ?? 'fatal'),
})
process.stdout.write('ready\n')
