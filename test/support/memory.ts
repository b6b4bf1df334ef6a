import { closeSync, openSync, readdirSync, readFileSync, readSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'

/** The forms in which a text may lie about: UTF-8, UTF-16 both ways, and base64 of UTF-8 at each of its three alignments. */
export const needles = (text: string): Buffer[] => {
  const utf8 = Buffer.from(text, 'utf8')
  const utf16 = Buffer.from(text, 'utf16le')
  // The characters of base64 that do not depend on what stands before and after.
  const base64 = [0, 1, 2].map(shift => {
    const shifted = Buffer.concat([Buffer.alloc(shift), utf8]).toString('base64')
    return Buffer.from(shifted.slice(shift === 0 ? 0 : 4, -4), 'latin1')
  })
  return [utf8, utf16, Buffer.from(utf16).swap16(), ...base64]
}

const finds = (where: Buffer, what: readonly Buffer[]): boolean => what.some(n => where.includes(n))

const pageSize = 4096
const chunkSize = 16 * 1024 * 1024
const overlap = pageSize

type Opened = { maps: string[]; mem: number; pages: number }

/** Null for a process that has ended, as a database's connections do. */
const open = (pid: number): Opened | null => {
  try {
    const maps = readFileSync(`/proc/${pid}/maps`, 'utf8').split('\n')
    return { maps, mem: openSync(`/proc/${pid}/mem`, 'r'), pages: openSync(`/proc/${pid}/pagemap`, 'r') }
  } catch (error) {
    if (['ENOENT', 'ESRCH'].includes((error as NodeJS.ErrnoException).code ?? '')) return null
    throw error
  }
}

/** The stretches of a region that exist, in memory or swapped out (proc(5), pagemap bits 63 and 62): a WebAssembly heap reserves gigabytes. */
const present = ({ pages }: Opened, start: bigint, end: bigint): { at: bigint; size: number }[] => {
  const count = Number((end - start) / BigInt(pageSize))
  const entries = Buffer.alloc(count * 8)
  const known = readSync(pages, entries, 0, entries.length, (start / BigInt(pageSize)) * 8n) / 8
  const runs: { at: bigint; size: number }[] = []
  for (let n = 0; n < known; n++) {
    if (((entries[n * 8 + 7] ?? 0) & 0xc0) === 0) continue
    const last = runs.at(-1)
    const at = start + BigInt(n * pageSize)
    if (last && last.at + BigInt(last.size) === at && last.size < chunkSize) last.size += pageSize
    else runs.push({ at, size: pageSize })
  }
  return runs
}

/**
 * Is it in the memory of one of these processes (/proc/PID/mem)? Gives those that have it. Memory that processes share is read once; pages that vanish
 * meanwhile are passed over.
 */
export const inMemory = (pids: readonly number[], what: readonly Buffer[]): number[] => {
  const shared = new Set<string>()
  const buffer = Buffer.alloc(chunkSize + pageSize + overlap)
  const holds = (opened: Opened, at: bigint, size: number): boolean => {
    try {
      return finds(
        buffer.subarray(0, readSync(opened.mem, buffer, 0, Math.min(size + overlap, buffer.length), at)),
        what,
      )
    } catch {
      try {
        return finds(buffer.subarray(0, readSync(opened.mem, buffer, 0, size, at)), what)
      } catch {
        return false
      }
    }
  }
  return pids.filter(pid => {
    const opened = open(pid)
    if (!opened) return false
    try {
      return opened.maps.some(line => {
        const region = /^([0-9a-f]+)-([0-9a-f]+) r..(.) \S+ (\S+) (\d+)/.exec(line)
        if (!region || line.endsWith('[vvar]') || line.endsWith('[vsyscall]')) return false
        const file = `${region[4]}:${region[5]}:${line.split(' ')[2]}`
        if (region[3] === 's' && shared.has(file)) return false
        if (region[3] === 's') shared.add(file)
        const [start, end] = [BigInt(`0x${region[1]}`), BigInt(`0x${region[2]}`)]
        return present(opened, start, end).some(run => holds(opened, run.at, run.size))
      })
    } finally {
      closeSync(opened.mem)
      closeSync(opened.pages)
    }
  })
}

/** The files below a folder that hold it; compressed ones are looked into as well. */
export const inFiles = (folder: string, what: readonly Buffer[]): string[] =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter(entry => entry.isFile())
    .map(entry => join(entry.parentPath, entry.name))
    .filter(file => {
      if (statSync(file).size === 0) return false
      const bytes = readFileSync(file)
      const opened = bytes[0] === 0x1f && bytes[1] === 0x8b ? gunzipSync(bytes) : bytes
      return finds(opened, what)
    })

/** A process and everything below it. */
export const descendants = (pid: number): number[] => {
  const parents = new Map<number, number[]>()
  for (const name of readdirSync('/proc').filter(n => /^\d+$/.test(n))) {
    try {
      const stat = readFileSync(`/proc/${name}/stat`, 'utf8')
      const parent = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1])
      parents.set(parent, [...(parents.get(parent) ?? []), Number(name)])
    } catch {
      // it has ended meanwhile
    }
  }
  const below = (p: number): number[] => (parents.get(p) ?? []).flatMap(child => [child, ...below(child)])
  return below(pid)
}
