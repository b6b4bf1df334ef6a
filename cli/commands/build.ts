import { type CliCommand, parseOptions } from '../command.ts'
import { step } from '../progress.ts'
import { buildPages } from '../start/build-page.ts'

/** `wardroom build`: the web pages, as a container image needs them. */
export const build: CliCommand = {
  name: 'build',
  usage: 'build',
  about: 'build the web pages when their sources changed',
  run: async args => {
    parseOptions(args, {})
    await step('Pages', buildPages)
    return 0
  },
}
