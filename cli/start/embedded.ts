import { generousLimits } from '../../config/synapse/homeserver.ts'
import { portIsFree, portNear } from '../stack/ports.ts'
import { type Postgres, startPostgres } from '../stack/postgres.ts'
import { type Synapse, type SynapseOptions, startSynapse } from '../stack/synapse.ts'
import { type Running, type Supervised, supervise } from './supervise.ts'

type Common = {
  dataDir: string
  /** Where it listens; another program may take the port between plan and start. */
  port: number
  /** Whether the next free port will do as well: not when the configuration names this one. */
  mayMove: boolean
  /** Progress of this start. */
  log: (line: string) => void
  /** Later news: that it ended and is started again. */
  print: (line: string) => void
  record: (pid: number) => void
}

type Started<T> = { part: Supervised; server: T }

/** Starts PostgreSQL and keeps it running on the port of its first start. */
export const runPostgres = ({ dataDir, log, record, ...common }: Common): Promise<Started<Postgres>> =>
  runOnPort('postgres', common, port => startPostgres({ dataDir, port, log, onSpawn: record }))

type SynapseParts = Pick<SynapseOptions, 'python' | 'databaseUrl' | 'serverName' | 'registrations'> & {
  /** Asked at each of its starts. */
  partners: () => Promise<readonly string[]>
}

/** Starts Synapse and keeps it running on the port of its first start. */
export const runSynapse = (
  { partners, ...parts }: SynapseParts,
  { dataDir, log, record, ...common }: Common,
): Promise<Started<Synapse>> =>
  runOnPort('synapse', common, async port => {
    const publicBaseUrl = `http://localhost:${port}/`
    const federateWith = await partners()
    const here = { dataDir, log, port, publicBaseUrl, federateWith, extra: generousLimits(), onSpawn: record }
    return startSynapse({ ...parts, ...here })
  })

const attempts = 4

const runOnPort = async <T extends Running>(
  name: string,
  { port: planned, mayMove, print }: Pick<Common, 'port' | 'mayMove' | 'print'>,
  launch: (port: number) => Promise<T>,
): Promise<Started<T>> => {
  let port = planned
  let first: T | undefined
  for (let attempt = 1; !first; attempt++)
    first = await launch(port).catch(async error => {
      if (!mayMove || attempt === attempts || (await portIsFree(port))) throw error
      const next = await portNear(port + 1)
      print(`embedded.${name}: port ${port} was taken meanwhile, ${next} is used`)
      port = next
      return undefined
    })
  const server = first
  let running: T | undefined = first
  const part = await supervise({
    name,
    log: print,
    launch: async () => {
      const current = running ?? (await launch(port))
      running = undefined // the first start is handed over once
      return current
    },
  })
  return { part, server }
}
