import { loadConfig } from '../../config/load.ts'
import { type CliCommand, parseOptions } from '../command.ts'
import { makeDataFolder } from '../start/data-folder.ts'
import { writeRegistrations } from '../start/prepare.ts'

/** `wardroom registration`: the files that a homeserver of one's own needs. */
export const registration: CliCommand = {
  name: 'registration',
  usage: 'registration [--config FILE]',
  about: 'write both application service registrations for a homeserver of your own',
  run: async args => {
    const { values } = parseOptions(args, { values: ['config'] })
    const config = loadConfig({ file: values.config })
    makeDataFolder(config.dataDir)
    const { bots, ghosts } = writeRegistrations(config)
    console.log(`Add both files to app_service_config_files in homeserver.yaml:\n${bots}\n${ghosts}`)
    return 0
  },
}
