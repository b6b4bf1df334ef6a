import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { Explained } from '../command.ts'
import { processIdentity } from './process-identity.ts'

type Holder = { pid: number; identity: string; since: string }

/**
 * Makes this process the only one on a data folder; gives the release. A lock whose process is gone, also when its number was reused, is taken over.
 * @throws Explained when Wardroom already runs there.
 */
export const lockDataFolder = (dataDir: string, file: string): (() => void) => {
  const identity = processIdentity(process.pid)
  if (!identity) throw new Error('/proc cannot be read')
  const mine: Holder = { pid: process.pid, identity, since: new Date().toISOString() }
  for (;;) {
    try {
      writeFileSync(file, JSON.stringify(mine), { flag: 'wx', mode: 0o600 })
      return () => rmSync(file, { force: true })
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    }
    const holder = read(file)
    if (holder && processIdentity(holder.pid) === holder.identity)
      throw new Explained(
        `Wardroom already runs on ${dataDir} (process ${holder.pid}, since ${holder.since}): stop that one with Ctrl-C, or give this one a folder of its own with --data.`,
      )
    rmSync(file, { force: true })
  }
}

const read = (file: string): Holder | undefined => {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as Holder
  } catch {
    return undefined
  }
}
