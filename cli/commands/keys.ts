import { existsSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { generateKeys, writeKeyFile } from '../../core/keys.ts'
import { systemRandom } from '../../core/system.ts'
import { type CliCommand, Explained, parseOptions } from '../command.ts'

/** `wardroom keys FOLDER`: a new set of key files. */
export const keys: CliCommand = {
  name: 'keys',
  usage: 'keys FOLDER',
  about: 'make sealing.json, keeper.json and recovery.json for a new installation',
  run: async args => {
    const { rest } = parseOptions(args, {})
    const folder = rest[0]
    if (!folder) throw new Explained('Say into which folder: wardroom keys FOLDER.')
    mkdirSync(folder, { recursive: true, mode: 0o700 })
    const made = await generateKeys(systemRandom)
    const files = { 'sealing.json': made.sealing, 'keeper.json': made.keeper, 'recovery.json': made.recovery }
    const present = Object.keys(files).find(name => existsSync(join(folder, name)))
    if (present) throw new Explained(`${join(folder, present)} is there already; keys are never replaced.`)
    for (const [name, content] of Object.entries(files)) writeKeyFile(join(folder, name), content)
    console.log(
      `Made ${Object.keys(files).join(', ')} in ${folder}. Move recovery.json offline; only the keeper needs keeper.json.`,
    )
    return 0
  },
}
