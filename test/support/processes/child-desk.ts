import { type ChildProcess, spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { ClinicianOptions } from '../clinician/client.ts'
import { type Clinician, clinician } from '../clinician.ts'
import { database, type TestDatabase } from '../database.ts'
import type { SeededRandom } from '../random.ts'
import { stack } from '../stack.ts'
import type { DeskProcessOptions } from './desk-process.ts'

export type ChildDesk = {
  db: TestDatabase
  /** The client of its first administrator. */
  admin: Clinician
  options: DeskProcessOptions
  /** Starts the process and waits until it is ready. */
  start(): Promise<void>
  /** SIGKILL; resolves when it is gone. */
  kill(): Promise<void>
  /** The process that was started last. */
  pid(): number | undefined
  stop(): Promise<void>
}

const script = fileURLToPath(new URL('./desk-process.ts', import.meta.url))

/** The bots service in a process that a test starts and kills, on a database of its own; not started yet. */
export const childDesk = async (
  admin: { localpart: string } & ClinicianOptions,
  random: SeededRandom,
): Promise<ChildDesk> => {
  const { synapse, registrations, ports } = await stack()
  const db = await database()
  const client = await clinician(admin.localpart, admin)
  const options: DeskProcessOptions = {
    databaseUrl: db.url,
    homeserver: { url: synapse.url, serverName: synapse.serverName },
    registration: registrations.bots,
    keys: db.keys,
    port: ports.bots,
    localpart: `wardroom_${Buffer.from(random.bytes(4)).toString('hex')}`,
    firstAdmin: client.userId,
  }
  let child: ChildProcess | undefined
  const kill = async () => {
    const dying = child
    if (!dying) return
    const gone = new Promise(done => dying.once('exit', done))
    dying.kill('SIGKILL')
    await gone
  }
  return {
    db,
    admin: client,
    options,
    start: async () => {
      const started = spawn(process.execPath, [script], {
        env: { ...process.env, DESK: JSON.stringify(options) },
        stdio: ['ignore', 'pipe', 'inherit'],
      })
      child = started
      await new Promise<void>(done => started.stdout?.once('data', () => done()))
    },
    kill,
    pid: () => child?.pid,
    stop: async () => {
      await kill()
      await client.stop()
      await db.drop()
    },
  }
}
