import { closeSync, openSync, readSync } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { isRefusal, type Refusal } from '../../core/domain/refusal.ts'
import { parseTilePath, tileWidth, widthOf } from '../../core/tlog/tile.ts'
import { followCertificates } from './certificates.ts'
import { folderLog } from './folder-log.ts'
import type { Problem, Tell } from './log-keys.ts'
import { layout } from './stored-log.ts'
import { judged, type Verdict, type VerifyOptions, verifyLog } from './verify-log.ts'

/** Follows `entries.jsonl` beside the bundles: each line must be the very bytes of its entry. Tells of the first difference only. */
const followLines = (fd: number, tell: Tell) => {
  let at = 0
  let broken = false
  let buffer = Buffer.alloc(2 ** 18)
  const differs = (line: number, what: string) => {
    broken = true
    tell(layout.entries, `Line ${line}: ${what}`)
  }
  /** Valid until it is called again. */
  const read = (length: number): Buffer => {
    if (length > buffer.length) buffer = Buffer.alloc(length)
    const count = readSync(fd, buffer, 0, length, at)
    at += count
    return buffer.subarray(0, count)
  }
  return {
    compare: (entries: readonly Buffer[], first: number, skipped: number): void => {
      if (broken) return
      const found = read(entries.reduce((sum, e) => sum + e.length + 1, 0))
      let end = 0
      const i = entries.findIndex(e => {
        const start = end
        end += e.length + 1
        return end > found.length || e.compare(found, start, end - 1) !== 0 || found[end - 1] !== newline
      })
      if (i >= 0) differs(first + i - skipped + 1, `It is not entry ${first + i} of the log.`)
    },
    end: (entries: number): void => {
      if (!broken && read(1).length > 0) differs(entries + 1, 'There are more lines than entries.')
    },
  }
}

const newline = 0x0a

const pruneMark = Buffer.from('"action":"audit.prune"')

/** Up to which index the log itself says that its entries were pruned: each pruning is an entry. */
const recordedPruning = (entries: readonly Buffer[]): number => {
  const said = entries
    .filter(e => e.includes(pruneMark))
    .map(e => {
      try {
        const { action, detail } = JSON.parse(e.toString()) as { action?: unknown; detail?: { before?: unknown } }
        return action === 'audit.prune' ? Number(detail?.before ?? 0) : 0
      } catch {
        return 0 // no entry of ours
      }
    })
  return Math.max(0, ...said)
}

/** Tells of every file beside the log's own among tiles, bundles and handovers: nothing there goes unverified. */
const tellStrays = async (dir: string, size: number, first: number, handovers: number, tell: Tell): Promise<void> => {
  const from = Math.floor(first / tileWidth)
  for (const folder of ['tile', 'handover']) {
    const found = await readdir(join(dir, folder), { recursive: true, withFileTypes: true }).catch(() => [])
    for (const f of found.filter(entry => !entry.isDirectory())) {
      const path = relative(dir, join(f.parentPath, f.name))
      const tile = parseTilePath(path)
      const belongs = tile
        ? tile.width === widthOf(size, Math.max(0, tile.level), tile.n) && (tile.level > 0 || tile.n >= from)
        : Array.from({ length: handovers }, (_, i) => layout.handover(i + 1)).includes(path)
      if (!belongs) tell(path, `It does not belong to a log of ${size} entries.`)
    }
  }
}

/**
 * Verifies an exported folder, with nothing but the folder: recomputes it from its entries (`verifyLog`), compares `entries.jsonl` with them, checks
 * each deletion certificate against the entries of its run, and looks for files that do not belong and for entries that are missing without an entry about
 * their pruning. Refuses what is no exported folder.
 */
export const verifyFolder = async (dir: string, options: VerifyOptions = {}): Promise<Verdict | Refusal> => {
  const log = folderLog(dir)
  if (isRefusal(log)) return log
  const problems: Problem[] = []
  const tell: Tell = (where, what) => void problems.push({ where, what })
  const first = Math.floor(log.first / tileWidth) * tileWidth
  const fd = openIfThere(join(dir, layout.entries))
  if (fd === undefined) tell(layout.entries, 'It is missing.')
  try {
    const lines = fd === undefined ? undefined : followLines(fd, tell)
    let count = 0
    let pruned = 0
    const certificates = followCertificates()
    const onEntries = (entries: Buffer[], from: number) => {
      count += entries.length
      if (first > 0) pruned = Math.max(pruned, recordedPruning(entries))
      lines?.compare(entries, from, first)
      certificates.see(entries, from)
    }
    const verdict = await verifyLog(log, options, onEntries, problems)
    if (count === verdict.size - first) lines?.end(count)
    if (first > pruned) tell(layout.first, `No entry says that the entries before ${first} were pruned.`)
    if (verdict.origin !== '') await tellStrays(dir, verdict.size, log.first, log.handovers.length, tell)
    // What was not read to its end proves nothing about what should be in it.
    const read = count === verdict.size - first
    const counted = read ? certificates.end(first, tell, verdict.unchecked) : undefined
    return { ...verdict, ...(counted ? { certificates: counted } : {}), ...judged(problems) }
  } finally {
    if (fd !== undefined) closeSync(fd)
  }
}

const openIfThere = (file: string): number | undefined => {
  try {
    return openSync(file, 'r')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}
