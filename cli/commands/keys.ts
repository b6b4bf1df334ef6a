import { existsSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import type { JWK } from 'jose'
import { generateKeys, readKeyFile, writeKeyFile } from '../../core/keys.ts'
import { logOrigin, newLogKeys } from '../../core/log-keys.ts'
import { joinRecovery, type RecoveryShare, splitRecovery } from '../../core/recovery.ts'
import { systemRandom } from '../../core/system.ts'
import { isKeyName } from '../../core/tlog/key.ts'
import { type CliCommand, Explained, parseOptions } from '../command.ts'

type Options = Record<string, string>

const number = (text: string | undefined, name: string, otherwise: number): number => {
  const n = Number(text ?? otherwise)
  if (!Number.isInteger(n)) throw new Explained(`--${name} must be a whole number.`)
  return n
}

const explained = async <T>(work: () => T | Promise<T>): Promise<T> => {
  try {
    return await work()
  } catch (cause) {
    throw new Explained(`${(cause as Error).message}.`, { cause })
  }
}

const make = async ([folder]: string[], { server }: Options): Promise<void> => {
  if (!folder || !server)
    throw new Explained('Say into which folder and for which homeserver: wardroom keys make FOLDER --server NAME.')
  const origin = logOrigin(server)
  if (!isKeyName(origin)) throw new Explained(`${server} is no name of a homeserver.`)
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  const made = await generateKeys(systemRandom)
  const files = {
    'sealing.json': made.sealing,
    'keeper.json': made.keeper,
    'recovery.json': made.recovery,
    'audit.json': newLogKeys(origin, systemRandom),
  }
  const present = Object.keys(files).find(name => existsSync(join(folder, name)))
  if (present) throw new Explained(`${join(folder, present)} is there already; keys are never replaced.`)
  for (const [name, content] of Object.entries(files)) writeKeyFile(join(folder, name), content)
  console.log(
    `Made ${Object.keys(files).join(', ')} in ${folder}. Split recovery.json among your officers (wardroom keys split); only the keeper needs keeper.json, only the audit process audit.json.`,
  )
}

const split = async ([file]: string[], { into, need, of }: Options): Promise<void> => {
  if (!file || !into)
    throw new Explained('Say which key and where to: wardroom keys split data/keys/recovery.json --into /media/usb')
  // Made on the spot, it would not be the medium that was meant.
  if (!existsSync(into)) throw new Explained(`${into} is no folder here; shares go onto a medium that is there.`)
  const key = await explained(() => readKeyFile<JWK>(file))
  const shares = await explained(() => splitRecovery(key, number(need, 'need', 2), number(of, 'of', 3)))
  for (const s of shares) await explained(() => writeKeyFile(join(into, `${s.kid}-share-${s.number}.json`), s))
  console.log(
    `${shares.length} shares are in ${into}; any ${shares[0]?.need} rebuild the key. Give each to another person, then delete ${file}: Wardroom does not need it.`,
  )
}

const rejoin = async (files: string[], { to }: Options): Promise<void> => {
  if (!to || files.length === 0)
    throw new Explained(
      'Say where to and from which shares: wardroom keys join --to recovery.json share-1.json share-3.json',
    )
  const key = await explained(() => joinRecovery(files.map(f => readKeyFile<RecoveryShare>(f))))
  await explained(() => writeKeyFile(to, key))
  console.log(`The recovery key is in ${to}. Delete it when you are done.`)
}

const verbs = { make, split, join: rejoin }

/** `wardroom keys make | split | join`: key files of a new installation; the officers' recovery key, so split that no single person can open a care room. */
export const keys: CliCommand = {
  name: 'keys',
  usage: 'keys make FOLDER --server NAME | split KEY --into FOLDER [--need 2] [--of 3] | join --to KEY SHARE…',
  about: "make a new installation's key files; split the officers' recovery key into shares, or rebuild it from enough",
  run: async args => {
    const { values, rest } = parseOptions(args, { values: ['need', 'of', 'into', 'to', 'server'] })
    const [verb = '', ...files] = rest
    const act = Object.entries(verbs).find(([name]) => name === verb)?.[1]
    if (!act) throw new Explained('Say what: wardroom keys make, split or join.')
    await act(files, values)
    return 0
  },
}
