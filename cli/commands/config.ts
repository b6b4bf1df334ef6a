import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { commandsMarkdown } from '../../bots/framework/reference.ts'
import { loadConfig } from '../../config/load.ts'
import { referenceMarkdown, sampleYaml } from '../../config/reference.ts'
import { auditEventsMarkdown } from '../../core/domain/audit/reference.ts'
import { settingWarnings } from '../../core/domain/settings/warnings.ts'
import { type CliCommand, Explained, parseOptions } from '../command.ts'

const root = join(import.meta.dirname, '../..')

/** The generated files and how each is made; a test compares them with what is committed. */
export const generated: Record<string, () => string> = {
  'config/wardroom.sample.yaml': sampleYaml,
  'docs/configuration.md': referenceMarkdown,
  'docs/commands.md': commandsMarkdown,
  'docs/audit-events.md': auditEventsMarkdown,
}

/** `wardroom config check | sample | docs | write`. */
export const config: CliCommand = {
  name: 'config',
  usage: 'config check|sample|docs|write [--config FILE]',
  about: 'check the configuration, print the sample or the reference page, or write both into the source tree',
  run: async args => {
    const { values, rest } = parseOptions(args, { values: ['config'] })
    switch (rest[0]) {
      case 'check':
        for (const sentence of settingWarnings(loadConfig({ file: values.config }).settings))
          console.log(`Unless it was set by chat: ${sentence}`)
        console.log('The configuration is good.')
        return 0
      case 'sample':
        process.stdout.write(sampleYaml())
        return 0
      case 'docs':
        process.stdout.write(referenceMarkdown())
        return 0
      case 'write':
        mkdirSync(join(root, 'docs'), { recursive: true })
        for (const [file, make] of Object.entries(generated)) writeFileSync(join(root, file), make())
        return 0
      default:
        throw new Explained('Say what: wardroom config check, sample, docs or write.')
    }
  },
}
