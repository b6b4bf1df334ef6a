import { type FileHandle, mkdir, open, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { isRefusal, type Refusal, refuse } from '../../core/domain/refusal.ts'
import { decodeBundle, encodeBundle } from '../../core/tlog/bundle.ts'
import { type Checkpoint, parseCheckpoint } from '../../core/tlog/checkpoint.ts'
import { hashBytes } from '../../core/tlog/hash.ts'
import { parseNote } from '../../core/tlog/note.ts'
import { entriesPath, nodesAt, type TileName, tilePath, tileWidth, widthOf } from '../../core/tlog/tile.ts'
import { layout, type StoredLog } from './stored-log.ts'

/** Makes each folder once, however many files are put into it. */
const folderMaker = () => {
  const made = new Set<string>()
  return async (file: string): Promise<void> => {
    const folder = dirname(file)
    if (made.has(folder)) return
    await mkdir(folder, { recursive: true, mode: 0o700 })
    made.add(folder)
  }
}

const readIfThere = async (file: string): Promise<Buffer | undefined> => {
  try {
    return await readFile(file)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

const exists = async (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    () => false,
  )

const headOf = (note: string): Checkpoint => {
  const parsed = parseNote(note)
  const head = isRefusal(parsed) ? parsed : parseCheckpoint(parsed.text)
  if (isRefusal(head)) throw new Error(head.sentence)
  return head
}

const orThrow = <T>(value: T | Refusal): T => {
  if (isRefusal(value)) throw new Error(value.sentence)
  return value
}

const firstText = (from: number): string => (from > 0 ? `${from}\n` : '')

/**
 * Looks at what an earlier attempt left: full tiles and bundles never change and stay; partial ones belong to a smaller log and go; of another log, or of one
 * that was pruned since, nothing stays.
 */
const takeUp = async (part: string, log: StoredLog, from: number): Promise<void> => {
  const text = async (path: string) => (await readIfThere(join(part, path)))?.toString() ?? ''
  const fits =
    (await text(layout.vkeys)).split('\n')[0] === log.vkeys[0] && (await text(layout.first)) === firstText(from)
  if (!fits) return rm(part, { recursive: true, force: true })
  const found = await readdir(part, { recursive: true, withFileTypes: true })
  for (const f of found)
    if (f.isDirectory() && f.name.endsWith('.p')) await rm(join(f.parentPath, f.name), { recursive: true })
}

const wholeBundle = (bytes: Buffer | undefined, width: number): Buffer[] | undefined => {
  const entries = bytes && decodeBundle(bytes)
  return entries && !isRefusal(entries) && entries.length === width ? entries : undefined
}

const newline = Buffer.from('\n')

/**
 * Writes a log and one of its checkpoints into a new folder that anybody can verify with tools of their own (C2SP tlog-tiles; docs/audit-verification.md):
 * `checkpoint`, `vkey`, `tile/…`, `entries.jsonl` (one entry a line, exactly the bytes that are hashed), and where they exist `handover/…`, `cosigned` and
 * `minimum-index`. It keeps one bundle in memory. It works in `DIR.part` and renames that at the end; called again after an interruption, it goes on there.
 * Only its owner can enter the folder. Refuses when `dir` exists. @throws when the log lacks something that its checkpoint needs.
 */
export const exportLog = async (
  log: StoredLog,
  dir: string,
  progress: (entries: number) => void = () => undefined,
): Promise<{ size: number; from: number } | Refusal> => {
  if (await exists(dir)) return refuse('folder-exists', `${dir} is there already; an export goes into a new folder.`)
  const { size } = headOf(log.note)
  const part = `${dir.replace(/\/+$/, '')}.part`
  const from = Math.floor(log.first / tileWidth) * tileWidth
  const makeFolder = folderMaker()
  const put = async (path: string, bytes: Uint8Array | string): Promise<void> => {
    await makeFolder(join(part, path))
    await writeFile(join(part, path), bytes)
  }
  await takeUp(part, log, from)
  await put(layout.vkeys, log.vkeys.map(vkey => `${vkey}\n`).join(''))
  if (from > 0) await put(layout.first, firstText(from))
  for (const [i, note] of log.handovers.entries()) await put(layout.handover(i + 1), note)
  if (log.cosigned !== undefined) await put(layout.cosigned, log.cosigned)

  for (let level = 0; nodesAt(size, level) > 0; level++) {
    const firstTile = level === 0 ? from / tileWidth : 0
    for (let n = firstTile; widthOf(size, level, n) > 0; n++)
      await putTile(log, part, { level, n, width: widthOf(size, level, n) }, put)
  }
  await makeFolder(join(part, layout.entries))
  const lines = await open(join(part, layout.entries), 'w')
  try {
    for (let n = from / tileWidth; widthOf(size, 0, n) > 0; n++) {
      await putBundle(log, part, n, widthOf(size, 0, n), put, lines)
      progress(Math.min(size, (n + 1) * tileWidth) - from)
    }
  } finally {
    await lines.close()
  }
  await put(layout.checkpoint, log.note)
  await rename(part, dir)
  return { size, from }
}

type Put = (path: string, bytes: Uint8Array) => Promise<void>

const putTile = async (log: StoredLog, part: string, tile: TileName, put: Put): Promise<void> => {
  const path = tilePath(tile)
  if ((await readIfThere(join(part, path)))?.length === tile.width * hashBytes) return
  await put(path, orThrow(await log.tile(tile)))
}

const putBundle = async (
  log: StoredLog,
  part: string,
  n: number,
  width: number,
  put: Put,
  lines: FileHandle,
): Promise<void> => {
  const path = entriesPath(n, width)
  const present = wholeBundle(await readIfThere(join(part, path)), width)
  const entries = present ?? orThrow(await log.entries(n, width))
  if (!present) await put(path, encodeBundle(entries))
  await lines.write(Buffer.concat(entries.flatMap(e => [e, newline])))
}
