import { accessSync, chmodSync, constants, existsSync, mkdtempSync, readdirSync, rmSync, statfsSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { availableMemory } from 'node:process'

const tmpfs = 0x01021994 // its number in statfs(2)
const plenty = 4 * 2 ** 30

/**
 * Makes the folder in which a run of the tests keeps its files, the servers' data among them: in memory where there is plenty of it (a database is made there in a
 * tenth of the time), else where temporary files go. Removes the folders of runs that were killed.
 */
export const scratchFolder = (): string => {
  const base = inMemory() ?? tmpdir()
  for (const name of readdirSync(base)) {
    const [, pid] = /^wardroom-run-(\d+)-/.exec(name) ?? []
    if (pid && !existsSync(`/proc/${pid}`)) rmSync(join(base, name), { recursive: true, force: true })
  }
  const made = mkdtempSync(join(base, `wardroom-run-${process.pid}-`))
  chmodSync(made, 0o711) // the database's own user passes through
  return made
}

/** A container's own 64 MB are not enough. */
const inMemory = (): string | undefined => {
  const folder = '/dev/shm'
  try {
    accessSync(folder, constants.W_OK)
    const { type, bavail, bsize } = statfsSync(folder)
    return type === tmpfs && bavail * bsize >= plenty && availableMemory() >= 2 * plenty ? folder : undefined
  } catch {
    return undefined // there is none, or it is not ours to write to
  }
}
