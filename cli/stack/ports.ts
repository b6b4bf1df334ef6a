import { createServer } from 'node:net'
import { Explained } from '../command.ts'

/** Whether `port` can be listened on. */
export const portIsFree = (port: number, host = '127.0.0.1'): Promise<boolean> =>
  new Promise(resolve => {
    const server = createServer()
    server.once('error', () => resolve(false))
    server.listen({ port, host, exclusive: true }, () => server.close(() => resolve(true)))
  })

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
