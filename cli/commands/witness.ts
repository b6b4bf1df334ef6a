import { mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { makeWitness, openWitnessState, readTrusted, readWitnessKey, trust } from '../../audit/witness/folder.ts'
import { startWitness } from '../../audit/witness/server.ts'
import { isRefusal, type Refusal } from '../../core/domain/refusal.ts'
import { createLog } from '../../core/log.ts'
import { systemClock, systemRandom } from '../../core/system.ts'
import { type CliCommand, Explained, parseOptions } from '../command.ts'
import { lockDataFolder } from '../start/lock.ts'

type Options = Record<string, string>

const orExplain = <T>(value: T | Refusal): T => {
  if (isRefusal(value)) throw new Explained(value.sentence)
  return value
}

const folderOf = (folder: string | undefined, example: string): string => {
  if (!folder) throw new Explained(`Say in which folder: wardroom witness ${example}`)
  return folder
}

const make = async ([folder]: string[], { name }: Options): Promise<void> => {
  const home = folderOf(folder, 'make FOLDER --name witness.example/w1')
  if (!name) throw new Explained('Give the witness a name: --name witness.example/w1')
  const vkey = orExplain(makeWitness(home, name, systemRandom))
  console.log(`Made a witness in ${home}. Its verifier key, for the log's configuration and for auditors:\n${vkey}`)
  console.log(`Then: wardroom witness trust ${home} VKEY-FILE, wardroom witness run ${home}`)
}

const follow = async ([folder, file]: string[]): Promise<void> => {
  const home = folderOf(folder, 'trust FOLDER VKEY-FILE')
  if (!file) throw new Explained("Say which log: the file with its verifier keys, an export's vkey for example.")
  const lines = readFileSync(file, 'utf8')
    .split('\n')
    .filter(line => line.trim() !== '')
  for (const line of lines) {
    const key = orExplain(trust(home, line.trim()))
    console.log(`Follows ${key.name}, key ${key.id}.`)
  }
}

const listenAt = (text = '127.0.0.1:8090'): { host: string; port: number } => {
  const [, host = '', port = ''] = /^\[?(.+?)\]?:(\d{1,5})$/.exec(text) ?? []
  if (host === '' || Number(port) > 65_535) throw new Explained('--listen takes HOST:PORT, for example 0.0.0.0:8090.')
  return { host, port: Number(port) }
}

const ended = (): Promise<void> =>
  new Promise(resolve => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => resolve())
    process.once('disconnect', () => resolve())
    process.channel?.unref()
  })

const run = async ([folder]: string[], { listen }: Options): Promise<void> => {
  const home = folderOf(folder, 'run FOLDER [--listen HOST:PORT]')
  const address = listenAt(listen)
  const key = orExplain(readWitnessKey(home))
  mkdirSync(home, { recursive: true })
  const unlock = lockDataFolder(home, join(home, 'lock'))
  try {
    const stop = ended()
    const log = createLog('witness')
    const state = openWitnessState(home)
    const follows = new Set(readTrusted(home).map(k => k.name))
    const server = await startWitness({
      key,
      trusted: () => readTrusted(home),
      state,
      clock: systemClock,
      log,
      ...address,
    })
    console.log(
      `${key.verifier.name} listens at ${server.url} and follows ${[...follows].join(', ') || 'no log yet: wardroom witness trust'}.`,
    )
    process.send?.('ready')
    await stop
    await server.stop()
  } finally {
    unlock()
  }
}

const verbs = { make, trust: follow, run }

/** `wardroom witness make | trust | run`: a witness on a host of its own (C2SP tlog-witness), which cosigns only checkpoints that continue the last one. */
export const witness: CliCommand = {
  name: 'witness',
  usage: 'witness make FOLDER --name NAME | trust FOLDER VKEY-FILE | run FOLDER [--listen HOST:PORT]',
  about: "on another host: cosign an audit log's checkpoints, as long as none contradicts an earlier one",
  run: async args => {
    const { values, rest } = parseOptions(args, { values: ['name', 'listen'] })
    const [verb = '', ...others] = rest
    const act = Object.entries(verbs).find(([name]) => name === verb)?.[1]
    if (!act) throw new Explained('Say what: wardroom witness make, trust or run.')
    await act(others, values)
    return 0
  },
}
