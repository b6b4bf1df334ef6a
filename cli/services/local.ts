import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { startLocal } from '../../appservice/sms/local/main.ts'
import { tryItRouter } from '../../appservice/sms/local/try-it.ts'
import { defaultFiles, type ServiceConfig } from '../../config/service.ts'
import type { Log } from '../../core/log.ts'
import { secret } from '../../core/secret.ts'
import { systemClock, systemRandom } from '../../core/system.ts'
import { keptJson } from '../start/data-folder.ts'
import type { StartService } from './service.ts'

const pageFolder = join(import.meta.dirname, '../../dist/tryit')

/** The local SMS server: texts are kept in the data folder, so that a restart shows the same telephones. With demo accounts, the try-it page as well. */
export const local: StartService = (config, log) =>
  startLocal({
    authToken: config.sms.local.authToken ?? secret('local'),
    publicUrl: config.publicUrl,
    clock: systemClock,
    log,
    host: config.listen.local.host,
    port: config.listen.local.port,
    stateFile: join(config.dataDir, 'sms-local.json'),
    routers: tryIt(config, log),
  })

const loopback = new Set(['localhost', '127.0.0.1', '[::1]'])
const clinicians = ['drlee', 'nurse_kim']

/**
 * The try-it page, where the demo accounts are. A data folder still has them after its embedded homeserver was replaced: another homeserver is never asked
 * to log them in.
 */
const tryIt = (config: ServiceConfig, log: Log) => {
  const { url, serverName } = config.homeserver
  const file = defaultFiles(config.dataDir).accounts
  if (!loopback.has(new URL(url).hostname) || !existsSync(file) || !existsSync(join(pageFolder, 'index.html')))
    return []
  const known = JSON.parse(readFileSync(file, 'utf8')) as Record<string, { userId: string; password: string }>
  const mine = clinicians.flatMap(name => known[name] ?? []).filter(({ userId }) => userId.endsWith(`:${serverName}`))
  if (mine.length === 0) return []
  const keys = keptJson(join(config.dataDir, 'keys/try-it.json'), () =>
    Object.fromEntries(mine.map(({ userId }) => [userId, Buffer.from(systemRandom.bytes(32)).toString('base64')])),
  )
  const accounts = mine.map(({ userId, password }) => ({
    userId,
    password: secret(password),
    recoveryKey: secret(keys[userId] ?? ''),
  }))
  const { publicUrl } = config
  return [tryItRouter({ serverName, homeserverUrl: url, publicUrl, accounts, pageFolder, random: systemRandom, log })]
}
