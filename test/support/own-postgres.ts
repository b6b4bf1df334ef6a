import { chmodSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Postgres, startPostgres } from '../../cli/stack/postgres.ts'
import { freePort } from './free-port.ts'

export type OwnPostgres = {
  url: string
  kill(): Promise<void>
  start(): Promise<void>
  restart(): Promise<void>
  /** Stops it and removes its folder. */
  end(): Promise<void>
}

/** A PostgreSQL for one test that breaks it; the shared one stays whole for the others. */
export const ownPostgres = async (settings: Record<string, string> = { fsync: 'off' }): Promise<OwnPostgres> => {
  const dataDir = mkdtempSync(join(tmpdir(), 'wardroom-own-'))
  chmodSync(dataDir, 0o711) // the database's own user passes through
  const port = await freePort()
  const launch = () => startPostgres({ dataDir, port, log: () => undefined, settings })
  let server: Postgres = await launch()
  const killAtExit = () => void process.kill(server.pid, 'SIGKILL')
  process.once('exit', killAtExit)
  const start = async () => {
    server = await launch()
  }
  return {
    url: server.url('wardroom'),
    start,
    kill: () => server.kill(),
    restart: async () => {
      await server.stop()
      await start()
    },
    end: async () => {
      process.off('exit', killAtExit)
      await server.stop()
      rmSync(dataDir, { recursive: true, force: true })
    },
  }
}
