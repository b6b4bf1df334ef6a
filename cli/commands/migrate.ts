import { loadConfig } from '../../config/load.ts'
import { serviceConfig } from '../../config/service.ts'
import { readKeyFile } from '../../core/keys.ts'
import { createSeal, type SealingKeys } from '../../core/seal.ts'
import { systemClock, systemRandom } from '../../core/system.ts'
import { type CliCommand, Explained, parseOptions } from '../command.ts'
import { prepareDatabase } from '../start/prepare-database.ts'

/** `wardroom migrate`: brings the database up to date before the services start, where no supervisor does it. */
export const migrate: CliCommand = {
  name: 'migrate',
  usage: 'migrate [--config FILE]',
  about: 'bring the database up to date and set starting values',
  run: async args => {
    const { values } = parseOptions(args, { values: ['config'] })
    const config = serviceConfig(loadConfig({ file: values.config }))
    if ('missing' in config) throw new Explained(`A migration needs ${config.missing.join(' and ')}.`)
    const seal = createSeal(readKeyFile<SealingKeys>(config.keys.file))
    const deps = { clock: systemClock, random: systemRandom, seal }
    const applied = await prepareDatabase(config.database, deps, config.settings)
    console.log(applied.length > 0 ? applied.join('\n') : 'The database is up to date.')
    return 0
  },
}
