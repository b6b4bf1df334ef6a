import { existsSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { waitUntil } from './wait-until.ts'

/**
 * Makes a data folder startable after a kill. PostgreSQL refuses to start while the process number in postmaster.pid is alive,
 * also when that number now belongs to another program: then the file is removed. A server that still runs on this very folder
 * is an orphan of a killed run (the caller holds the data folder's lock) and is shut down.
 */
export const clearStalePid = async (data: string, log: (line: string) => void): Promise<void> => {
  const file = join(data, 'postmaster.pid')
  if (!existsSync(file)) return
  const pid = Number(readFileSync(file, 'utf8').split('\n')[0])
  if (Number.isInteger(pid) && runsOn(pid, data)) {
    log('Stopping the PostgreSQL that an earlier run left behind')
    process.kill(pid, 'SIGINT')
    await waitUntil(async () => (runsOn(pid, data) ? undefined : true), {
      what: 'The end of the earlier PostgreSQL',
      timeoutMs: 60_000,
    })
  }
  rmSync(file, { force: true })
}

/** Whether process `pid` is a PostgreSQL server whose arguments name the data folder. */
const runsOn = (pid: number, data: string): boolean => {
  try {
    const args = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0')
    return (args[0] ?? '').endsWith('postgres') && args.includes(data)
  } catch {
    return false // no such process, or one that we may not look at and therefore did not start
  }
}
