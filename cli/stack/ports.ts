import { createServer } from 'node:net'
import { Explained } from '../command.ts'

const tryPort = (port: number, host: string) =>
  new Promise<number | undefined>(resolve => {
    const server = createServer()
    server.once('error', () => resolve(undefined))
    server.listen({ port, host, exclusive: true }, () => {
      const address = server.address()
      server.close(() => resolve(address && typeof address === 'object' ? address.port : undefined))
    })
  })

/** A TCP port on which nothing listens at the moment, chosen by the system. */
export const freePort = async (host = '127.0.0.1'): Promise<number> => {
  const port = await tryPort(0, host)
  if (port === undefined) throw new Explained(`No free TCP port on ${host}.`)
  return port
}

/** Whether `port` can be listened on. */
export const portIsFree = async (port: number, host = '127.0.0.1'): Promise<boolean> =>
  (await tryPort(port, host)) !== undefined

/** The first free port from `wanted` upwards that is not in `taken`; throws after `tries` busy ones. */
export const portNear = async (
  wanted: number,
  taken: ReadonlySet<number> = new Set(),
  tries = 200,
): Promise<number> => {
  for (let port = wanted; port < wanted + tries && port < 65_536; port++)
    if (!taken.has(port) && (await portIsFree(port))) return port
  throw new Explained(`Ports ${wanted} to ${wanted + tries - 1} are all busy.`)
}
