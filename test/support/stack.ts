import { randomBytes } from 'node:crypto'
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { stringify } from 'yaml'
import { type Postgres, startPostgres } from '../../cli/stack/postgres.ts'
import { synapseEnvironment } from '../../cli/stack/python.ts'
import type { Registered } from '../../cli/stack/register.ts'
import { type Synapse, type SynapseOptions, startSynapse } from '../../cli/stack/synapse.ts'
import { newRegistrations, type Registrations } from '../../config/registration.ts'
import { generousLimits } from '../../config/synapse/homeserver.ts'
import { openDb } from '../../core/store/db.ts'
import { migrate } from '../../core/store/migrate.ts'
import { freePort } from './free-port.ts'

/** A real PostgreSQL and a real Synapse of this mocha process. Addresses stay the same over restarts. */
export type Stack = TestPostgres & {
  synapse: TestSynapse
  /** `ports.bots` and `ports.ghosts`: where Synapse pushes transactions; a test's listener may listen there on 127.0.0.1. */
  ports: { bots: number; ghosts: number }
  registrations: Registrations
  bots: Tokens
  ghosts: Tokens
}

export type Tokens = { asToken: string; hsToken: string; localpart: string }

export type TestPostgres = {
  /** The address of a database, with its password. */
  postgresUrl(database: string): string
  /** The address of a database for the keeper's own role. */
  keeperUrl(database: string): string
  /** Makes a new empty database and gives its address. */
  freshDatabase(): Promise<string>
  /** Makes a new migrated database and gives its address. */
  migratedDatabase(): Promise<string>
  /** Removes the database of an address that one of these two gave. */
  dropDatabase(url: string): Promise<void>
  postgres: { restart(): Promise<void>; kill(): Promise<void>; start(): Promise<void> }
}

export type TestSynapse = {
  readonly url: string
  readonly serverName: string
  /** Where it keeps files. */
  readonly media: string
  /** Where its log is, and the database's. */
  readonly logs: string
  registerUser(localpart: string, password?: string, admin?: boolean): Promise<Registered & { password: string }>
  /** Orderly stop, then start. `extra` replaces settings of homeserver.yaml from now on, here and below. */
  restart(extra?: Record<string, unknown>): Promise<void>
  /** SIGKILL; stays down until `start`. */
  kill(): Promise<void>
  start(extra?: Record<string, unknown>): Promise<void>
}

const cleanups: (() => Promise<void> | void)[] = []
let folderPath: string | undefined
let postgresStack: Promise<TestPostgres> | undefined
let wholeStack: Promise<Stack> | undefined

const quiet = () => undefined

// A run that is cut short (an uncaught error, --exit) still leaves no server behind.
const running = new Set<number>()
process.once('SIGTERM', () => process.exit(143))
process.once('exit', () => {
  for (const pid of running) {
    try {
      process.kill(pid, 'SIGKILL')
    } catch {
      // it has ended already
    }
  }
})

/** Notes a server until it ends. */
const watched = <T extends { pid: number; exited: Promise<unknown> }>(server: T): T => {
  running.add(server.pid)
  server.exited.then(() => running.delete(server.pid))
  return server
}

/** Where this process's servers keep their files. */
export const testFolder = (): string => {
  if (!folderPath) {
    const made = mkdtempSync(join(tmpdir(), 'wardroom-test-'))
    chmodSync(made, 0o711) // the database's own user passes through
    cleanups.push(() => rmSync(made, { recursive: true, force: true }))
    folderPath = made
  }
  return folderPath
}

/** The PostgreSQL of this mocha process alone, started at the first call: for tests that need no homeserver. */
export const database = (): Promise<TestPostgres> => {
  postgresStack ??= startDatabase()
  return postgresStack
}

/** PostgreSQL and Synapse of this mocha process, started at the first call and stopped after the last test. */
export const stack = (): Promise<Stack> => {
  wholeStack ??= startStack()
  return wholeStack
}

/** Ends whatever was started; called by the root hook. */
export const stopStack = async (): Promise<void> => {
  await Promise.allSettled([postgresStack, wholeStack])
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
  postgresStack = undefined
  wholeStack = undefined
  folderPath = undefined
}

const nameIn = (url: string) => new URL(url).pathname.slice(1)

const startDatabase = async (): Promise<TestPostgres> => {
  const port = await freePort()
  // A killed process loses nothing without fsync; only a power cut would.
  const settings = { fsync: 'off', full_page_writes: 'off', max_connections: '300' }
  const dataDir = testFolder()
  const launch = async () => watched(await startPostgres({ dataDir, port, log: quiet, settings }))
  let server: Postgres = await launch()
  cleanups.push(() => server.stop())
  const start = async () => {
    server = await launch()
  }
  const fresh = async (template?: string) => {
    const name = `t_${randomBytes(6).toString('hex')}`
    await server.createDatabase(name, template)
    return server.url(name)
  }
  // Migrated once and then copied: the migrations cost four times what a copy costs.
  let template: Promise<string> | undefined
  const migratedTemplate = async () => {
    const url = await fresh()
    const db = openDb(url, { max: 1, name: 'template' })
    await migrate(db)
    await db.destroy()
    return nameIn(url)
  }
  return {
    postgresUrl: name => server.url(name),
    keeperUrl: name => Object.assign(new URL(server.keeperUrl()), { pathname: `/${name}` }).href,
    freshDatabase: () => fresh(),
    migratedDatabase: async () => {
      template ??= migratedTemplate()
      return fresh(await template)
    },
    dropDatabase: url => server.dropDatabase(nameIn(url)),
    postgres: {
      start,
      kill: () => server.kill(),
      restart: async () => {
        await server.stop()
        await start()
      },
    },
  }
}

const startStack = async (): Promise<Stack> => {
  const [postgres, python, port, bots, ghosts] = await Promise.all([
    database(),
    synapseEnvironment({ log: line => console.log(line) }),
    freePort(),
    freePort(),
    freePort(),
  ])
  const serverName = 'wardroom.test'
  const registrations = newRegistrations({
    serverName,
    urls: { bots: `http://127.0.0.1:${bots}`, ghosts: `http://127.0.0.1:${ghosts}` },
    token: () => randomBytes(32).toString('base64url'),
  })
  const files = Object.values(registrations).map(registration => {
    const file = join(testFolder(), `${registration.id}.yaml`)
    writeFileSync(file, stringify(registration), { mode: 0o600 })
    return file
  })
  const databaseUrl = postgres.postgresUrl('synapse')
  const options: SynapseOptions = {
    dataDir: testFolder(),
    port,
    serverName,
    databaseUrl,
    registrations: files,
    python,
    log: quiet,
  }
  const synapse = await runSynapse(options)
  const tokens = (name: keyof Registrations): Tokens => ({
    asToken: registrations[name].as_token,
    hsToken: registrations[name].hs_token,
    localpart: registrations[name].sender_localpart,
  })
  return {
    ...postgres,
    synapse,
    ports: { bots, ghosts },
    registrations,
    bots: tokens('bots'),
    ghosts: tokens('ghosts'),
  }
}

/** Starts a Synapse that is stopped after the last test. */
export const runSynapse = async (options: SynapseOptions): Promise<TestSynapse> => {
  // Passwords of tests protect nobody, and each costs a quarter of a second otherwise.
  let extra: Record<string, unknown> = { ...generousLimits(), bcrypt_rounds: 4, ...options.extra }
  const launch = async () => watched(await startSynapse({ ...options, extra }))
  let server: Synapse = await launch()
  cleanups.push(() => server.stop())
  const start = async (more = {}) => {
    extra = { ...extra, ...more }
    server = await launch()
  }
  return {
    url: server.url,
    serverName: server.serverName,
    media: join(options.dataDir, 'synapse', 'media'),
    logs: join(options.dataDir, 'logs'),
    registerUser: async (localpart, password = randomBytes(12).toString('hex'), admin = false) => ({
      ...(await server.registerUser(localpart, password, admin)),
      password,
    }),
    start,
    kill: () => server.kill(),
    restart: async more => {
      await server.stop()
      await start(more)
    },
  }
}
