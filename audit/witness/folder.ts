import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { mkdir, open, readdir, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Random } from '../../core/domain/clock.ts'
import { isRefusal, type Refusal, refuse } from '../../core/domain/refusal.ts'
import { readKeyFile, writeKeyFile } from '../../core/keys.ts'
import { type Checkpoint, parseCheckpoint } from '../../core/tlog/checkpoint.ts'
import {
  encodeSigningKey,
  generateSigningKey,
  isKeyName,
  parseSigningKey,
  parseVkey,
  type SigningKey,
  type VerifierKey,
} from '../../core/tlog/key.ts'
import { parseNote } from '../../core/tlog/note.ts'

/** What a witness keeps, all in one folder of its own host. */
export const witnessFiles = {
  /** Its private key, for its owner alone. */
  key: 'key.json',
  /** Its verifier key, to be given to the logs that it follows and to auditors. */
  vkey: 'vkey',
  /** The verifier keys of the logs that it follows, one a line; read at every submission. */
  logs: 'logs',
  /** For every log, the newest checkpoint that it cosigned, as a note. */
  state: 'state.json',
  /** Checkpoints that a log signed without a proof that they continue what it had signed before: perhaps a fork. */
  evidence: 'evidence',
} as const

/** Makes a new witness's folder; gives its vkey. Refuses to replace one. */
export const makeWitness = (folder: string, name: string, random: Random): string | Refusal => {
  if (!isKeyName(name))
    return refuse('bad-name', 'The name of a witness has no spaces and no plus, for example witness.example/w1.')
  const file = join(folder, witnessFiles.key)
  if (existsSync(file)) return refuse('witness-exists', `${file} is there already; keys are never replaced.`)
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  const key = generateSigningKey(name, 'cosignature', random)
  writeKeyFile(file, { key: encodeSigningKey(key) })
  writeFileSync(join(folder, witnessFiles.vkey), `${key.verifier.vkey}\n`)
  return key.verifier.vkey
}

export const readWitnessKey = (folder: string): SigningKey | Refusal => {
  const file = join(folder, witnessFiles.key)
  if (!existsSync(file))
    return refuse('no-witness', `${folder} is no witness’s folder: make one with wardroom witness make.`)
  const key = parseSigningKey(String(readKeyFile<{ key?: unknown }>(file).key))
  if (isRefusal(key) || key.verifier.type === 'cosignature') return key
  return refuse('wrong-key', `${file} has a log’s key, not a witness’s.`)
}

const textIfThere = (file: string): string => (existsSync(file) ? readFileSync(file, 'utf8') : '')

/** The keys of the logs that the witness follows. @throws when a line is no log's key. */
export const readTrusted = (folder: string): VerifierKey[] =>
  textIfThere(join(folder, witnessFiles.logs))
    .split('\n')
    .filter(line => line.trim() !== '')
    .map(line => {
      const key = parseVkey(line.trim())
      if (isRefusal(key) || key.type !== 'note') throw new Error(`${witnessFiles.logs} has a line that is no log's key`)
      return key
    })

/** Follows a log, or one of its later keys as well. */
export const trust = (folder: string, vkey: string): VerifierKey | Refusal => {
  const key = parseVkey(vkey)
  if (isRefusal(key)) return key
  if (key.type !== 'note') return refuse('wrong-key', 'That is a witness’s key, not a log’s.')
  const known = readTrusted(folder)
  const lines = [...known.filter(k => k.vkey !== vkey), key].map(k => `${k.vkey}\n`)
  writeFileSync(join(folder, witnessFiles.logs), lines.join(''))
  return key
}

/** The newest cosigned checkpoint of a log. */
export type Latest = Checkpoint & { note: string }

export type WitnessState = {
  latest(origin: string): Latest | undefined
  /** Resolves when the checkpoint would survive a power cut. */
  remember(origin: string, note: string): Promise<void>
  /** Keeps what a log perhaps should not have signed; at most a hundred checkpoints. */
  keepEvidence(signed: { size: number; note: string }): Promise<void>
}

const latestOf = (note: string): Latest => {
  const parsed = parseNote(note)
  const checkpoint = isRefusal(parsed) ? parsed : parseCheckpoint(parsed.text)
  if (isRefusal(checkpoint)) throw new Error(`${witnessFiles.state} cannot be used: ${checkpoint.sentence}`)
  return { ...checkpoint, note }
}

const durably = async (folder: string, name: string, content: string): Promise<void> => {
  const file = await open(join(folder, `${name}.new`), 'w', 0o600)
  try {
    await file.writeFile(content)
    await file.sync()
  } finally {
    await file.close()
  }
  await rename(join(folder, `${name}.new`), join(folder, name))
  const directory = await open(folder, 'r')
  try {
    await directory.sync()
  } finally {
    await directory.close()
  }
}

const mostEvidence = 100

/** Opens what the witness remembers. @throws when its state cannot be read: it must not begin anew, or it would cosign a rollback. */
export const openWitnessState = (folder: string): WitnessState => {
  const text = textIfThere(join(folder, witnessFiles.state))
  const notes = new Map(Object.entries(text === '' ? {} : (JSON.parse(text) as Record<string, string>)))
  const latest = new Map([...notes].map(([origin, note]) => [origin, latestOf(note)]))
  return {
    latest: origin => latest.get(origin),
    remember: async (origin, note) => {
      const next = new Map(notes).set(origin, note)
      await durably(folder, witnessFiles.state, `${JSON.stringify(Object.fromEntries(next), null, 2)}\n`)
      notes.set(origin, note)
      latest.set(origin, latestOf(note))
    },
    keepEvidence: async ({ size, note }) => {
      const home = join(folder, witnessFiles.evidence)
      await mkdir(home, { recursive: true })
      if ((await readdir(home)).length >= mostEvidence) return
      const name = `${size}-${createHash('sha256').update(note).digest('hex').slice(0, 16)}`
      await writeFile(join(home, name), note)
    },
  }
}
