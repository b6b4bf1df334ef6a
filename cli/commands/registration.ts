import { join } from 'node:path'
import { stringify } from 'yaml'
import { loadConfig } from '../../config/load.ts'
import { reliedOn } from '../../config/synapse/homeserver.ts'
import { type CliCommand, parseOptions } from '../command.ts'
import { makeDataFolder } from '../start/data-folder.ts'
import { writeRegistrations } from '../start/prepare.ts'

const modulesFolder = join(import.meta.dirname, '../../config/synapse')

/** `wardroom registration`: the files and settings that a homeserver of one's own needs. */
export const registration: CliCommand = {
  name: 'registration',
  usage: 'registration [--config FILE]',
  about:
    'write both application service registrations for a homeserver of your own, and print the settings that it needs',
  run: async args => {
    const { values } = parseOptions(args, { values: ['config'] })
    const config = loadConfig({ file: values.config })
    makeDataFolder(config.dataDir)
    const { bots, ghosts } = writeRegistrations(config)
    const settings = { app_service_config_files: [bots, ghosts], ...reliedOn() }
    console.log(`# Set these in homeserver.yaml, beside what your homeserver has there, and restart it.
# The modules are looked for on PYTHONPATH: add ${modulesFolder}, or copies of its *.py.
# What each setting is for: ${join(modulesFolder, 'homeserver.ts')}
${stringify(settings)}`)
    return 0
  },
}
