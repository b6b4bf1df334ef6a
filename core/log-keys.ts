import { renameSync, statSync, writeFileSync } from 'node:fs'
import type { Random } from './domain/clock.ts'
import { readKeyFile, writeKeyFile } from './keys.ts'
import { encodeSigningKey, generateSigningKey, parseSigningKey, type SigningKey } from './tlog/key.ts'

/** The audit log's private keys (`PRIVATE+KEY+…`), oldest first: the last one signs, the one before it is needed until the handover is signed. */
export type LogKeyFile = { keys: string[] }

/** The log's name: the first line of its checkpoints and the name of its keys. */
export const logOrigin = (serverName: string): string => `${serverName}/audit`

/** The key file of a new log. */
export const newLogKeys = (origin: string, random: Random): LogKeyFile => ({
  keys: [encodeSigningKey(generateSigningKey(origin, 'note', random))],
})

/** Reads the log's keys, oldest first. @throws with a sentence that names the file, never a key. */
export const readLogKeys = (file: string, origin: string): [SigningKey, ...SigningKey[]] => {
  const { keys } = readKeyFile<Partial<LogKeyFile>>(file)
  const read = (Array.isArray(keys) ? keys : []).map(text => {
    const key = parseSigningKey(String(text))
    if ('refused' in key) throw new Error(`the key file ${file} cannot be used: ${key.sentence}`)
    if (key.verifier.name !== origin)
      throw new Error(`the key file ${file} is for the log ${key.verifier.name}, not for ${origin}`)
    return key
  })
  const [first, ...rest] = read
  if (!first) throw new Error(`the key file ${file} has no keys`)
  return [first, ...rest]
}

/** Gives the file's keys, read again whenever it was replaced, so that a new key signs without a restart. @throws as `readLogKeys` */
export const watchLogKeys = (file: string, origin: string): (() => readonly SigningKey[]) => {
  const version = () => {
    const { ino, mtimeMs } = statSync(file)
    return `${ino} ${mtimeMs}`
  }
  let keys = readLogKeys(file, origin)
  let seen = version()
  return () => {
    const now = version()
    if (now !== seen) {
      keys = readLogKeys(file, origin)
      seen = now
    }
    return keys
  }
}

/** Writes the key file of a new log, for its owner alone; refuses to replace one. */
export const makeLogKeyFile = (file: string, origin: string, random: Random): void =>
  writeKeyFile(file, newLogKeys(origin, random))

/**
 * Adds a new key to the file, in one step, and gives its vkey. The key that signed until now stays as the only other one, for the handover checkpoint that the
 * running sequencer signs with both: `rotateAuditKey` (core/store/audit/log/rotate.ts) looks first whether an earlier one is over.
 */
export const addLogKey = (file: string, origin: string, random: Random): string => {
  const last = readLogKeys(file, origin).at(-1) as SigningKey
  const next = generateSigningKey(origin, 'note', random)
  const content: LogKeyFile = { keys: [last, next].map(encodeSigningKey) }
  writeFileSync(`${file}.new`, `${JSON.stringify(content, null, 2)}\n`, { mode: 0o600 })
  renameSync(`${file}.new`, file)
  return next.verifier.vkey
}
