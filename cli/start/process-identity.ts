import { readFileSync } from 'node:fs'

/**
 * What tells a process from a later one with the same number: the boot's id and the start time (field 22 of /proc/PID/stat);
 * undefined when no such process runs (one that has ended but was not yet collected by its parent counts as gone).
 */
export const processIdentity = (pid: number): string | undefined => {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    // The command's name stands in brackets and may hold anything; fields are counted from behind it.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    if (fields[0] === 'Z' || fields[0] === 'X') return undefined
    return `${readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()}:${fields[19]}`
  } catch {
    return undefined
  }
}
