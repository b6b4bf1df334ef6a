import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { defaultFiles } from '../../config/service.ts'
import { generateKeys, writeKeyFile } from '../../core/keys.ts'
import { logOrigin, makeLogKeyFile } from '../../core/log-keys.ts'
import { systemRandom } from '../../core/system.ts'

/**
 * Makes the data folder: only its owner may list it. As root, others may pass through (mode 711), since PostgreSQL then runs as another
 * user below it; every folder inside stays closed.
 */
export const makeDataFolder = (dataDir: string): void => {
  mkdirSync(dataDir, { recursive: true })
  chmodSync(dataDir, process.getuid?.() === 0 ? 0o711 : 0o700)
  for (const name of ['run', 'logs', 'keys', 'registrations'])
    mkdirSync(join(dataDir, name), { recursive: true, mode: 0o700 })
}

/** Makes the sealing keys that the configuration does not name: the services', the keeper's, and the officers' (to be moved offline). */
export const makeKeys = async (dataDir: string, given: { file?: string; keeper?: string }): Promise<void> => {
  const files = defaultFiles(dataDir)
  if (given.file || existsSync(files.keys)) return
  const keys = await generateKeys(systemRandom)
  // The services' file is written last: while it is missing, no sealed row exists and the set is made anew.
  const write = (file: string, content: unknown) => {
    if (existsSync(file)) writeFileSync(file, `${JSON.stringify(content, null, 2)}\n`, { mode: 0o600 })
    else writeKeyFile(file, content)
  }
  write(files.recovery, keys.recovery)
  write(files.keeper, keys.keeper)
  write(files.keys, keys.sealing)
}

/** Makes the audit log's signing key where the configuration says that it is, or in the data folder. */
export const makeLogKey = (file: string, serverName: string): void => {
  if (!existsSync(file)) makeLogKeyFile(file, logOrigin(serverName), systemRandom)
}

/** Reads a JSON file of the data folder, or makes it with `fresh` and mode 600. */
export const keptJson = <T>(file: string, fresh: () => T): T => {
  if (!existsSync(file)) writeFileSync(file, `${JSON.stringify(fresh(), null, 2)}\n`, { mode: 0o600 })
  return JSON.parse(readFileSync(file, 'utf8')) as T
}
