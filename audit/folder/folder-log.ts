import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { isRefusal, type Refusal, refuse } from '../../core/domain/refusal.ts'
import { decodeBundle, entryLimit } from '../../core/tlog/bundle.ts'
import { hashBytes } from '../../core/tlog/hash.ts'
import { noteLimit } from '../../core/tlog/note.ts'
import { entriesPath, tilePath, tileWidth } from '../../core/tlog/tile.ts'
import { layout, type StoredLog } from './stored-log.ts'

const missing = refuse('missing', 'It is missing.')

// Four calls to the system take less time than four trips to another thread and back; `verifyLog` lets others run between bundles.
const readPart = (file: string, most: number): Buffer | Refusal => {
  try {
    const { size } = statSync(file)
    return size > most
      ? refuse('too-long', `It has ${size} bytes; ${most} is the most that it can have.`)
      : readFileSync(file)
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code
    if (code === 'ENOENT' || code === 'ENOTDIR') return missing
    if (code === 'EISDIR') return refuse('not-a-file', 'It is not a file.')
    throw error
  }
}

const mostText = 16 * noteLimit
const mostBundle = tileWidth * (2 + entryLimit)

/** A text of a folder; undefined when there is no such file, and one that no verifier accepts when it is far too long. */
const readText = (dir: string, path: string): string | undefined => {
  const bytes = readPart(join(dir, path), mostText)
  if (isRefusal(bytes)) return bytes === missing ? undefined : ''
  return bytes.toString('utf8')
}

// A line that does not end is followed by an empty one, which is no key.
const lines = (text: string): string[] => (text.endsWith('\n') ? text.slice(0, -1) : `${text}\n`).split('\n')

/** Reads an exported folder as it lies there, synchronously. Refuses only what has neither checkpoint nor keys, or says nonsense about pruning. */
export const folderLog = (dir: string): StoredLog | Refusal => {
  const text = (path: string) => readText(dir, path)
  const [note, vkeys, first] = [text(layout.checkpoint), text(layout.vkeys), text(layout.first)]
  if (note === undefined || vkeys === undefined)
    return refuse(
      'not-an-export',
      `${dir} is not an exported log: it has no file ${note === undefined ? layout.checkpoint : layout.vkeys}.`,
    )
  if (first !== undefined && (!/^[1-9]\d{0,14}\n$/.test(first) || Number(first) % tileWidth !== 0))
    return refuse('bad-minimum-index', `${layout.first}: This is not a multiple of ${tileWidth} in one line.`)
  const handovers: string[] = []
  for (let i = 1; ; i++) {
    const handover = text(layout.handover(i))
    if (handover === undefined) break
    handovers.push(handover)
  }
  return {
    note,
    vkeys: lines(vkeys),
    handovers,
    cosigned: text(layout.cosigned),
    first: Number(first ?? 0),
    tile: async name => {
      const bytes = readPart(join(dir, tilePath(name)), tileWidth * hashBytes)
      if (isRefusal(bytes) || bytes.length === name.width * hashBytes) return bytes
      return refuse('wrong-length', `It has ${bytes.length} bytes, not ${name.width * hashBytes}.`)
    },
    entries: async (n, width) => {
      const bytes = readPart(join(dir, entriesPath(n, width)), mostBundle)
      const entries = isRefusal(bytes) ? bytes : decodeBundle(bytes)
      if (isRefusal(entries) || entries.length === width) return entries
      return refuse('wrong-count', `It has ${entries.length} entries, not ${width}.`)
    },
  }
}
