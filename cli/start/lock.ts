import { linkSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { Explained } from '../command.ts'
import { processIdentity } from './process-identity.ts'

type Holder = { pid: number; identity: string; since: string }

/** A second name for a file, or a copy where the file system knows no second names; throws EEXIST where there is one. */
const place = (from: string, to: string): void => {
  try {
    linkSync(from, to)
  } catch (error) {
    if (!['EPERM', 'ENOTSUP', 'ENOSYS'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error
    writeFileSync(to, readFileSync(from), { flag: 'wx', mode: 0o600 })
  }
}

/** Makes this process the only holder of a lock file and gives its release, or says who holds it. A lock whose process is gone, also when its number was reused, is taken over. */
export const tryLock = (file: string): { release: () => void } | { holder: Holder } => {
  const identity = processIdentity(process.pid)
  if (!identity) throw new Error('/proc cannot be read')
  const mine: Holder = { pid: process.pid, identity, since: new Date().toISOString() }
  // Linked into place, so that nobody finds it empty and takes it for one that a crash left.
  const written = `${file}.${process.pid}`
  writeFileSync(written, JSON.stringify(mine), { mode: 0o600 })
  try {
    for (;;) {
      try {
        place(written, file)
        return { release: () => rmSync(file, { force: true }) }
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
      }
      const holder = read(file)
      if (holder && processIdentity(holder.pid) === holder.identity) return { holder }
      rmSync(file, { force: true })
    }
  } finally {
    rmSync(written, { force: true })
  }
}

/**
 * Makes this process the only one on a data folder; gives the release.
 * @throws Explained when Wardroom already runs there.
 */
export const lockDataFolder = (dataDir: string, file: string): (() => void) => {
  const lock = tryLock(file)
  if ('release' in lock) return lock.release
  const { pid, since } = lock.holder
  throw new Explained(
    `Wardroom already runs on ${dataDir} (process ${pid}, since ${since}): stop that one with Ctrl-C, or give this one a folder of its own with --data.`,
  )
}

const read = (file: string): Holder | undefined => {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as Holder
  } catch {
    return undefined
  }
}
