import { ConfigError } from '../config/load.ts'
import { Explained } from './command.ts'
import { commands } from './commands/index.ts'

const overview = async (): Promise<string> => {
  const all = await Promise.all(Object.values(commands).map(load => load()))
  const width = Math.max(...all.map(({ usage }) => usage.length))
  return ['wardroom COMMAND', '', ...all.map(({ usage, about }) => `  ${usage.padEnd(width)}  ${about}`)].join('\n')
}

const main = async ([name, ...args]: string[]): Promise<number> => {
  const load = name === undefined ? undefined : commands[name]
  if (load) return (await load()).run(args)
  console.log(await overview())
  return name === undefined || name === 'help' || name === '--help' ? 0 : 1
}

try {
  process.exitCode = await main(process.argv.slice(2))
  process.disconnect?.()
} catch (error) {
  // What a person can mend is one sentence; a bug shows its stack.
  const explained = error instanceof Explained || error instanceof ConfigError
  console.error(explained ? `\n${error.message}` : error)
  process.exit(1)
}
