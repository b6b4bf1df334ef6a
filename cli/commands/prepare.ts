import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { elementConfig } from '../../config/element/files.ts'
import { loadConfig } from '../../config/load.ts'
import { generateKeys, writeKeyFile } from '../../core/keys.ts'
import { logOrigin, makeLogKeyFile } from '../../core/log-keys.ts'
import { systemRandom } from '../../core/system.ts'
import { type CliCommand, Explained, parseOptions } from '../command.ts'
import { writeSynapseConfig } from '../stack/synapse-config.ts'
import { federationPartners } from '../start/partners.ts'
import { writeRegistrations } from '../start/prepare.ts'
import { migrate } from './migrate.ts'

const required = (name: string): string => {
  const value = process.env[name]
  if (!value) throw new Explained(`${name} is not set.`)
  return value
}

/** `wardroom prepare`: what the containers of docker-compose.yml need before they start; what is there already stays. */
export const prepare: CliCommand = {
  name: 'prepare',
  usage: 'prepare --folder FOLDER [--config FILE]',
  about:
    'make keys, registrations, the configurations of Synapse and Element, and the database, for docker-compose.yml',
  run: async args => {
    const { values } = parseOptions(args, { values: ['folder', 'config'] })
    const folder = values.folder
    if (!folder) throw new Explained('Say into which folder: wardroom prepare --folder FOLDER.')
    const config = loadConfig({ file: values.config })
    const { bots, ghosts } = config.homeserver.registrations
    if (!bots || !ghosts) throw new Explained('homeserver.registrations must name both files.')
    const homeserverUrl = required('MATRIX_URL')
    await makeKeys(folder)
    makeAuditKey(join(folder, 'audit/audit.json'), config.homeserver.serverName)
    const files = writeRegistrations(config, { bots: resolve(bots), ghosts: resolve(ghosts) })
    writeSynapseConfig({
      folder: join(folder, 'synapse'),
      serverName: config.homeserver.serverName,
      publicBaseUrl: `${homeserverUrl}/`,
      listen: { host: '0.0.0.0', port: 8008 },
      databaseUrl: required('SYNAPSE_DATABASE_URL'),
      registrations: [files.bots, files.ghosts],
      federateWith: config.database.url ? await federationPartners(config.database.url, config.settings) : [],
    })
    mkdirSync(join(folder, 'element'), { recursive: true })
    const element = elementConfig({ homeserverUrl, serverName: config.homeserver.serverName })
    writeFileSync(join(folder, 'element/config.json'), JSON.stringify(element, null, 2), { mode: 0o644 })
    return migrate.run(values.config ? ['--config', values.config] : [])
  },
}

/** The audit log's signing key: for the audit container alone. */
const makeAuditKey = (file: string, serverName: string): void => {
  if (existsSync(file)) return
  mkdirSync(join(file, '..'), { recursive: true, mode: 0o700 })
  makeLogKeyFile(file, logOrigin(serverName), systemRandom)
}

/** Three files in three folders, so that each container is given only its own. The sealing keys are written last: while they are missing, nothing is sealed. */
const makeKeys = async (folder: string): Promise<void> => {
  const file = (part: string) => join(folder, part)
  if (existsSync(file('keys/sealing.json'))) return
  const made = await generateKeys(systemRandom)
  const write = (path: string, content: unknown) => {
    mkdirSync(join(file(path), '..'), { recursive: true, mode: 0o700 })
    if (existsSync(file(path)))
      throw new Explained(`${file(path)} is there, but keys/sealing.json is not: put it back.`)
    writeKeyFile(file(path), content)
  }
  write('recovery/recovery.json', made.recovery)
  write('keeper/keeper.json', made.keeper)
  write('keys/sealing.json', made.sealing)
  console.log(`Made new keys. Move ${file('recovery/recovery.json')} offline, then delete it there.`)
}
