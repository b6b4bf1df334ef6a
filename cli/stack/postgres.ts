import { spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { chmodSync, chownSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import pg from 'pg'
import { Explained } from '../command.ts'
import { type Child, startChild } from './child.ts'
import { type Account, databaseUser } from './database-user.ts'
import { postgresBinaries } from './postgres-binaries.ts'
import { type PostgresHome, postgresHome } from './postgres-home.ts'
import { clearStalePid } from './stale-postmaster.ts'
import { waitUntil } from './wait-until.ts'

/** A running embedded PostgreSQL that listens on 127.0.0.1 only. */
export type Postgres = {
  readonly port: number
  readonly pid: number
  readonly exited: Child['exited']
  /** The address of a database: `synapse` with Synapse's own role, every other one with the role `wardroom`. Contains a password. */
  url(database: string): string
  /** The database `wardroom` with the role `keeper`, which may only what migrations grant it. */
  keeperUrl(): string
  /** Creates a database owned by `wardroom`: empty, or a copy of `template`, to which nobody may be connected. */
  createDatabase(name: string, template?: string): Promise<void>
  /** Removes a database, whoever is connected to it. */
  dropDatabase(name: string): Promise<void>
  /** Fast shutdown; resolves when the process is gone. */
  stop(): Promise<void>
  /** SIGKILL, as a power cut would. */
  kill(): Promise<void>
}

export type PostgresOptions = {
  dataDir: string
  port: number
  log: (line: string) => void
  /** Server settings beside ours, for instance `{ fsync: 'off' }` in tests. */
  settings?: Record<string, string>
  onSpawn?: (pid: number) => void
}

const roles = ['synapse', 'wardroom', 'keeper'] as const

type Passwords = Record<'postgres' | (typeof roles)[number], string>

/**
 * Starts the PostgreSQL that npm installed, on `dataDir`/postgres: initialises it once, clears what a killed run left,
 * and makes the databases `synapse` (C locale, UTF-8, as Synapse demands) and `wardroom`. Throws a sentence when it does not come up.
 */
export const startPostgres = async (options: PostgresOptions): Promise<Postgres> => {
  const user = databaseUser()
  mkdirSync(join(options.dataDir, 'logs'), { recursive: true, mode: 0o700 })
  const home = postgresHome(options.dataDir, user)
  const binaries = postgresBinaries(user)
  const passwords = readPasswords(home)
  initialise(home, binaries, passwords, user, options.log)
  await clearStalePid(join(home.cluster, 'data'), options.log)
  let child = await launch(home, binaries, user, options)
  const started = performance.now()
  const url = (role: keyof Passwords, database: string) =>
    `postgres://${role}:${passwords[role]}@127.0.0.1:${options.port}/${database}`
  const connectionString = url('postgres', 'postgres')
  const answers = async () => {
    // After a kill its workers need a moment to notice; until they are gone their shared memory refuses a new server.
    if (!child.alive() && sharedMemoryInUse(child) && performance.now() - started < 10_000)
      child = await launch(home, binaries, user, options)
    return query(connectionString, 'select 1').then(() => true)
  }
  await waitUntil(answers, {
    what: 'PostgreSQL',
    timeoutMs: 120_000,
    check: () => {
      if (!child.alive() && !(sharedMemoryInUse(child) && performance.now() - started < 10_000))
        throw child.endedAtOnce('PostgreSQL')
    },
  }).catch(async error => {
    await child.kill()
    throw error
  })
  await ensureDatabases(connectionString, passwords)
  return {
    port: options.port,
    pid: child.pid,
    exited: child.exited,
    url: database => url(database === 'synapse' ? 'synapse' : 'wardroom', database),
    keeperUrl: () => url('keeper', 'wardroom'),
    createDatabase: (name, template = 'template1') => {
      const [made, copied] = [name, template].map(pg.escapeIdentifier)
      return query(connectionString, `create database ${made} owner wardroom template ${copied} strategy file_copy`)
    },
    dropDatabase: name => query(connectionString, `drop database ${pg.escapeIdentifier(name)} with (force)`),
    stop: () => child.stop('SIGINT', 30_000),
    kill: child.kill,
  }
}

const sharedMemoryInUse = (child: Child): boolean => child.lastLines(300).includes('pre-existing shared memory block')

const readPasswords = ({ passwords }: PostgresHome): Passwords => {
  const kept: Partial<Passwords> = existsSync(passwords) ? JSON.parse(readFileSync(passwords, 'utf8')) : {}
  const names = ['postgres', ...roles] as const
  const all = Object.fromEntries(names.map(name => [name, kept[name] ?? randomBytes(24).toString('hex')])) as Passwords
  if (names.some(name => kept[name] === undefined)) writeFileSync(passwords, JSON.stringify(all), { mode: 0o600 })
  return all
}

/** `initdb` into a folder beside the real one, renamed when it is whole, so that a kill in the middle leaves nothing half made. */
const initialise = (
  { cluster }: PostgresHome,
  binaries: string,
  passwords: Passwords,
  user: Account | undefined,
  log: (line: string) => void,
): void => {
  const data = join(cluster, 'data')
  if (existsSync(join(data, 'PG_VERSION'))) return
  log('Initialising PostgreSQL')
  const partial = join(cluster, 'partial')
  rmSync(partial, { recursive: true, force: true })
  const passwordFile = join(cluster, 'password')
  writeFileSync(passwordFile, passwords.postgres, { mode: 0o600 })
  if (user) chownSync(passwordFile, user.uid, user.gid)
  const collation = ['--locale=C', '--locale-provider=builtin', '--builtin-locale=C.UTF-8', '--encoding=UTF8']
  const login = ['--username=postgres', '--auth=scram-sha-256', `--pwfile=${passwordFile}`]
  const result = spawnSync(join(binaries, 'bin/initdb'), ['-D', partial, ...login, ...collation], {
    cwd: cluster,
    env: environment(),
    encoding: 'utf8',
    ...(user ? { uid: user.uid, gid: user.gid } : {}),
  })
  rmSync(passwordFile, { force: true })
  if (result.status !== 0)
    throw new Explained(`PostgreSQL could not be initialised: ${(result.stderr || String(result.error)).trim()}`)
  renameSync(partial, data)
}

/** Only what PostgreSQL needs: no PG* variable of the person's shell may redirect it. */
const environment = (): NodeJS.ProcessEnv => ({ PATH: process.env.PATH, LC_ALL: 'C', TZ: 'UTC' })

const launch = async (home: PostgresHome, binaries: string, user: Account | undefined, options: PostgresOptions) => {
  const settings = {
    listen_addresses: '127.0.0.1',
    unix_socket_directories: '',
    max_connections: '200',
    password_encryption: 'scram-sha-256',
    log_timezone: 'UTC',
    // A failed statement, and the error about it, may hold a patient's words: whoever sent it gets the error, the log does not.
    log_min_messages: 'fatal',
    log_min_error_statement: 'panic',
    log_error_verbosity: 'terse',
    ...options.settings,
  }
  mkdirSync(dirname(home.log), { recursive: true, mode: 0o700 })
  const child = await startChild({
    command: join(binaries, 'bin/postgres'),
    args: [
      ...['-D', join(home.cluster, 'data'), '-p', String(options.port)],
      ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]),
    ],
    logFile: home.log,
    cwd: home.cluster,
    env: environment(),
    onSpawn: options.onSpawn,
    ...(user ? { uid: user.uid, gid: user.gid } : {}),
  })
  chmodSync(home.log, 0o600)
  return child
}

const query = async (connectionString: string, sql: string, values: unknown[] = []): Promise<void> => {
  const client = new pg.Client({ connectionString, connectionTimeoutMillis: 10_000 })
  client.on('error', () => undefined) // a dropped connection also rejects the pending call, which reports it
  await client.connect()
  await client.query(sql, values).finally(() => client.end())
}

const ensureDatabases = async (connectionString: string, passwords: Passwords): Promise<void> => {
  const client = new pg.Client({ connectionString })
  await client.connect()
  try {
    const has = async (sql: string, name: string) => ((await client.query(sql, [name])).rowCount ?? 0) > 0
    for (const name of roles) {
      if (!(await has('select from pg_roles where rolname = $1', name))) await client.query(`create role ${name} login`)
      await client.query(`alter role ${name} password ${pg.escapeLiteral(passwords[name])}`)
    }
    for (const name of ['synapse', 'wardroom'] as const) {
      if (await has('select from pg_database where datname = $1', name)) continue
      const locale = name === 'synapse' ? "template template0 locale_provider libc locale 'C' encoding 'UTF8'" : ''
      await client.query(`create database ${name} owner ${name} ${locale}`)
      await client.query(`revoke all on database ${name} from public`)
    }
    await client.query('grant connect on database wardroom to keeper')
  } finally {
    await client.end()
  }
}
