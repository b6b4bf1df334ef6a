import { constants } from 'node:fs'
import { type FileHandle, mkdir, open } from 'node:fs/promises'
import { join } from 'node:path'
import type { Delivery, Entry, Sink } from './sink.ts'

type DailyFile = {
  folder: string
  name: string
  extension: string
  /** The first line of every file. */
  head?: string
  line(entry: Entry): string
}

const chunk = 64 * 1024

/** Cuts a last line that was not written to its end: its entry was never counted as sent, so it comes again whole. */
const mend = async (file: FileHandle): Promise<number> => {
  let { size } = await file.stat()
  const whole = size
  while (size > 0) {
    const from = Math.max(0, size - chunk)
    const buffer = Buffer.alloc(size - from)
    await file.read(buffer, 0, buffer.length, from)
    const end = buffer.lastIndexOf(10)
    size = from + end + 1
    if (end >= 0) break
  }
  if (size < whole) await file.truncate(size)
  return size
}

/**
 * Lines appended to one file for each day (UTC) of the entries, `<name>-2026-11-21.<extension>`, mode 600. A batch is on the disk (fsync) before it counts as
 * taken; it is written in one piece, so that two writers never mix inside a line.
 */
export const dailyFile = (o: DailyFile): Sink => {
  /** Files whose last line is known to be whole. */
  const whole = new Set<string>()
  const append = async (day: string, lines: string): Promise<void> => {
    const path = join(o.folder, `${o.name}-${day}.${o.extension}`)
    const flags = constants.O_RDWR | constants.O_APPEND | constants.O_CREAT | constants.O_NOFOLLOW
    const file = await open(path, flags, 0o600)
    try {
      const size = whole.delete(path) ? (await file.stat()).size : await mend(file)
      await file.appendFile(size === 0 && o.head ? `${o.head}\n${lines}` : lines)
      await file.sync()
      if (size === 0) await syncFolder(o.folder)
      whole.add(path)
    } finally {
      await file.close()
    }
  }
  return {
    send: async (entries): Promise<Delivery> => {
      await mkdir(o.folder, { recursive: true, mode: 0o700 })
      let from = 0
      while (from < entries.length) {
        const day = dayOf(entries[from])
        let to = from
        while (to < entries.length && dayOf(entries[to]) === day) to++
        await append(
          day,
          entries
            .slice(from, to)
            .map(e => `${o.line(e)}\n`)
            .join(''),
        )
        from = to
      }
      const lines = entries.length === 1 ? 'one line' : `${entries.length} lines`
      return { kind: 'taken', answer: `${lines} written to ${o.name}-${dayOf(entries.at(-1))}.${o.extension}` }
    },
    close: async () => undefined,
  }
}

const dayOf = (entry: Entry | undefined): string => new Date(entry?.record.at ?? 0).toISOString().slice(0, 10)

/** A new file's name is on the disk only when its folder is. */
const syncFolder = async (folder: string): Promise<void> => {
  const handle = await open(folder, constants.O_RDONLY)
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}
