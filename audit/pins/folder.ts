import { type FileHandle, mkdir, open, readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { isRefusal } from '../../core/domain/refusal.ts'
import { type Checkpoint, parseCheckpoint } from '../../core/tlog/checkpoint.ts'
import type { VerifierKey } from '../../core/tlog/key.ts'
import { noteLimit, openNote } from '../../core/tlog/note.ts'

/** `checkpoint-000000001234`: the size, so that names sort as the log grew. */
const fileOf = (size: number): string => `checkpoint-${String(size).padStart(12, '0')}`
const fileName = /^checkpoint-(\d{12,16})$/

const synced = async (handle: FileHandle, write: (h: FileHandle) => Promise<void>): Promise<void> => {
  try {
    await write(handle)
    await handle.sync()
  } finally {
    await handle.close()
  }
}

/**
 * Writes a checkpoint into the folder, once: an existing file is never touched. 'other': there is one of this size that says something else. Durable when it returns.
 * @throws the file system's error.
 */
export const writeOnce = async (
  folder: string,
  { size, note }: { size: number; note: string },
): Promise<'written' | 'there' | 'other'> => {
  await mkdir(folder, { recursive: true, mode: 0o700 })
  const file = join(folder, fileOf(size))
  try {
    await synced(await open(file, 'wx', 0o440), h => h.writeFile(note))
  } catch (e) {
    if ((e as NodeJS.ErrnoException).code !== 'EEXIST') throw e
    const text = (n: string) => n.slice(0, n.lastIndexOf('\n\n'))
    const known = await readFile(file, 'utf8')
    // A kill in the middle of the first try left the beginning of it.
    return text(known) === text(note) || note.startsWith(known) ? 'there' : 'other'
  }
  const directory = await open(folder, 'r')
  await directory.sync().finally(() => directory.close())
  return 'written'
}

/** Sizes of which the folder has a checkpoint, ascending; none where there is no folder. */
const sizesIn = async (folder: string): Promise<number[]> => {
  try {
    const names = await readdir(folder)
    return names
      .flatMap(n => fileName.exec(n)?.[1] ?? [])
      .map(Number)
      .sort((a, b) => a - b)
  } catch (e) {
    if ((e as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw e
  }
}

/** The newest ones, and some in between from the first on. */
const sample = (sizes: readonly number[], newest: number, others: number): number[] => {
  const old = sizes.slice(0, -newest)
  const step = Math.max(1, Math.ceil(old.length / others))
  return [...old.filter((_, i) => i % step === 0), ...sizes.slice(-newest)]
}

/** The checkpoint of a note that one of these keys signed; undefined for anything else. */
export const checkpointIn = (note: string, keys: readonly VerifierKey[]): Checkpoint | undefined => {
  const opened = openNote(note, keys)
  if (isRefusal(opened) || opened.signedBy.length === 0) return undefined
  const checkpoint = parseCheckpoint(opened.text)
  return isRefusal(checkpoint) ? undefined : checkpoint
}

/** Checkpoints of this log in the folder, with a signature that counts: the newest and a sample of the older ones. */
export const readFolder = async (
  folder: string,
  origin: string,
  keys: readonly VerifierKey[],
): Promise<{ size: number; root: Uint8Array }[]> => {
  const found: { size: number; root: Uint8Array }[] = []
  for (const size of sample(await sizesIn(folder), 20, 20)) {
    const note = await readFile(join(folder, fileOf(size)), 'utf8')
    const checkpoint = note.length <= noteLimit ? checkpointIn(note, keys) : undefined
    if (checkpoint?.origin === origin) found.push({ size: checkpoint.size, root: checkpoint.root })
  }
  return found
}
