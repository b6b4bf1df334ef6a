import { join } from 'node:path'
import type { JWK } from 'jose'
import { readKeyFile, writeKeyFile } from '../../core/keys.ts'
import { joinRecovery, type RecoveryShare, splitRecovery } from '../../core/recovery.ts'
import { type CliCommand, Explained, parseOptions } from '../command.ts'

const number = (text: string | undefined, name: string, otherwise: number): number => {
  const n = Number(text ?? otherwise)
  if (!Number.isInteger(n)) throw new Explained(`--${name} must be a whole number.`)
  return n
}

const explained = async <T>(work: () => Promise<T>): Promise<T> => {
  try {
    return await work()
  } catch (cause) {
    throw new Explained(`${cause instanceof Error ? cause.message : String(cause)}.`, { cause })
  }
}

/** `wardroom keys split | join`: the officers' recovery key, split so that no single person can open a care room. */
export const keys: CliCommand = {
  name: 'keys',
  usage: 'keys split RECOVERY.json --into FOLDER [--need 2] [--of 3] | keys join --to FILE SHARE.json SHARE.json …',
  about: "split the officers' recovery key into shares, or rebuild it from enough of them",
  run: async args => {
    const { values, rest } = parseOptions(args, { values: ['need', 'of', 'into', 'to'] })
    const [verb, ...files] = rest
    if (verb === 'split') {
      const [file] = files
      if (!file || !values.into)
        throw new Explained('Say which key and where to: wardroom keys split data/keys/recovery.json --into /media/usb')
      const folder = values.into
      const shares = await explained(() =>
        splitRecovery(readKeyFile<JWK>(file), number(values.need, 'need', 2), number(values.of, 'of', 3)),
      )
      for (const s of shares)
        await explained(async () => writeKeyFile(join(folder, `${s.kid}-share-${s.number}.json`), s))
      console.log(
        `${shares.length} shares are in ${folder}; any ${shares[0]?.need} rebuild the key. Give each to another person, then delete ${file}: Wardroom does not need it.`,
      )
      return 0
    }
    if (verb === 'join') {
      if (!values.to || files.length === 0)
        throw new Explained(
          'Say where to and from which shares: wardroom keys join --to recovery.json share-1.json share-3.json',
        )
      const to = values.to
      const key = await explained(() => joinRecovery(files.map(f => readKeyFile<RecoveryShare>(f))))
      await explained(async () => writeKeyFile(to, key))
      console.log(`The recovery key is in ${to}. Delete it when you are done.`)
      return 0
    }
    throw new Explained('Say what: wardroom keys split, or wardroom keys join.')
  },
}
