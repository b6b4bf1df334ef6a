import { type Config, schema } from '../../config/schema.ts'
import { Explained } from '../command.ts'
import { portIsFree, portNear } from '../stack/ports.ts'

/** Which parts this start brings itself. */
export type Embedded = { synapse: boolean; postgres: boolean }

/** What is to listen where, and what had to move. */
export type PortPlan = Pick<Config, 'listen' | 'embedded'> & { moved: string[] }

const standard = schema.parse({})

/**
 * Decides every port of this start: an address that the configuration names must be free, one that has its default moves to the next free port.
 * @throws Explained naming the configured address that is busy.
 */
export const planPorts = async (config: Config, embedded: Embedded, local: boolean): Promise<PortPlan> => {
  const taken = new Set<number>()
  const moved: string[] = []
  const choose = async (entry: string, host: string, wanted: number, usual: number): Promise<number> => {
    if (wanted !== usual) {
      if (await portIsFree(wanted, host)) return wanted
      throw new Explained(
        `${entry} is ${host}:${wanted}, where another program listens: stop that one, or configure another port.`,
      )
    }
    const port = await portNear(wanted, taken)
    taken.add(port)
    if (port !== wanted) moved.push(`${entry}: port ${wanted} is busy, ${port} is used`)
    return port
  }
  const ports = { ...config.embedded }
  for (const name of ['postgres', 'synapse'] as const)
    if (embedded[name])
      ports[name] = await choose(`embedded.${name}`, '127.0.0.1', ports[name], standard.embedded[name])
  const listen = { ...config.listen }
  for (const name of Object.keys(listen) as (keyof typeof listen)[]) {
    if (name === 'local' && !local) continue
    const { host, port } = listen[name]
    const usual = host === standard.listen[name].host ? standard.listen[name].port : -1
    listen[name] = { host, port: await choose(`listen.${name}`, host, port, usual) }
  }
  return { listen, embedded: ports, moved }
}
