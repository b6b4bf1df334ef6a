import { readdirSync, readFileSync, readlinkSync } from 'node:fs'

const listen = '0A'

/**
 * Whether process `pid` itself listens on the TCP `port` (from /proc): tells our server from another program that took the port first.
 * False as well when the process is gone.
 */
export const listensOn = (pid: number, port: number): boolean => {
  const wanted = port.toString(16).toUpperCase().padStart(4, '0')
  const sockets = new Set(
    ['/proc/net/tcp', '/proc/net/tcp6'].flatMap(file => {
      const rows = read(file).split('\n').slice(1)
      return rows
        .map(row => row.trim().split(/\s+/))
        .flatMap(fields => {
          const [, local = '', , state] = fields
          return state === listen && local.endsWith(`:${wanted}`) ? [`socket:[${fields[9]}]`] : []
        })
    }),
  )
  try {
    return readdirSync(`/proc/${pid}/fd`).some(fd => sockets.has(link(`/proc/${pid}/fd/${fd}`)))
  } catch {
    return false
  }
}

const read = (file: string): string => {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return '' // no IPv6 here
  }
}

const link = (path: string): string => {
  try {
    return readlinkSync(path)
  } catch {
    return '' // closed meanwhile
  }
}
