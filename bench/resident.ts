import { readFileSync } from 'node:fs'

/** Resident memory of these processes together, in MB: proportional (PSS), so that what they share counts once. @throws when one has ended. */
export const residentMb = (pids: readonly number[]): number => {
  const kb = pids.map(pid => Number(/^Pss:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'))?.[1]))
  return kb.reduce((sum, one) => sum + one, 0) / 1024
}
