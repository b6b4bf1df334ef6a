import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { setTimeout as pause } from 'node:timers/promises'
import { processIdentity } from './process-identity.ts'

type Entry = { name: string; pid: number; identity: string }

/** The list of the processes that we started, on disk, so that a start after a kill ends exactly those. */
export type Ledger = {
  record(name: string, pid: number): void
  /** Ends what an earlier run left behind, latest first, and gives the names. */
  endOrphans(): Promise<string[]>
}

/** Opens the ledger in `file`. The caller holds the data folder's lock. */
export const openLedger = (file: string): Ledger => {
  let entries: Entry[] = existsSync(file) ? read(file) : []
  const save = () => {
    writeFileSync(`${file}.new`, JSON.stringify(entries), { mode: 0o600 })
    renameSync(`${file}.new`, file)
  }
  return {
    record: (name, pid) => {
      const identity = processIdentity(pid)
      if (!identity) return // it ended at once; whoever awaits it reports that
      entries = [...entries.filter(entry => processIdentity(entry.pid) === entry.identity), { name, pid, identity }]
      save()
    },
    endOrphans: async () => {
      const living = entries.filter(entry => processIdentity(entry.pid) === entry.identity)
      for (const entry of living.toReversed()) await end(entry)
      entries = []
      save()
      return living.map(entry => entry.name)
    },
  }
}

const read = (file: string): Entry[] => {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as Entry[]
  } catch {
    return [] // a power cut may have left half a file; a rename never does
  }
}

/** PostgreSQL's fast shutdown is SIGINT; with SIGTERM it would wait for its clients. */
const end = async ({ name, pid, identity }: Entry): Promise<void> => {
  const alive = () => processIdentity(pid) === identity
  process.kill(pid, name === 'postgres' ? 'SIGINT' : 'SIGTERM')
  for (const deadline = performance.now() + 10_000; alive() && performance.now() < deadline; ) await pause(20)
  if (alive()) process.kill(pid, 'SIGKILL')
  while (alive()) await pause(20)
}
