import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { type Child, startChild } from './child.ts'
import { listensOn } from './listening.ts'
import { pythonEnvironment } from './python.ts'
import { ensureAccount, type Registered, registerWithSecret } from './register.ts'
import { writeSynapseConfig } from './synapse-config.ts'
import { waitUntil } from './wait-until.ts'

/** A running embedded Synapse that listens on 127.0.0.1 only. */
export type Synapse = {
  readonly url: string
  readonly serverName: string
  readonly pid: number
  readonly exited: Child['exited']
  /** Makes an account and logs it in (shared-secret registration); throws when the name is taken. */
  registerUser(localpart: string, password: string, admin?: boolean): Promise<Registered>
  /** Makes an account without a device, or leaves the one that has the name. */
  ensureAccount(localpart: string, password: string, admin: boolean): Promise<void>
  stop(): Promise<void>
  /** SIGKILL, as a power cut would. */
  kill(): Promise<void>
}

export type SynapseOptions = {
  dataDir: string
  port: number
  serverName: string
  databaseUrl: string
  /** Paths of registration files. */
  registrations: string[]
  /** The interpreter of the environment made by `synapseEnvironment`. */
  python: string
  log: (line: string) => void
  publicBaseUrl?: string
  /** The other hospitals' servers; without one nothing federates. */
  federateWith?: readonly string[]
  /** Replaces top-level settings of homeserver.yaml. */
  extra?: Record<string, unknown>
  onSpawn?: (pid: number) => void
}

const moduleFolder = join(import.meta.dirname, '../../config/synapse')

/** Starts Synapse on `dataDir`/synapse with keys and secrets made once, and waits until it serves clients; throws a sentence with its last log lines otherwise. */
export const startSynapse = async (options: SynapseOptions): Promise<Synapse> => {
  const folder = join(options.dataDir, 'synapse')
  const url = `http://127.0.0.1:${options.port}`
  const logFile = join(options.dataDir, 'logs/synapse.log')
  mkdirSync(join(options.dataDir, 'logs'), { recursive: true, mode: 0o700 })
  const secrets = writeSynapseConfig({
    folder,
    serverName: options.serverName,
    publicBaseUrl: options.publicBaseUrl ?? `${url}/`,
    listen: { host: '127.0.0.1', port: options.port },
    databaseUrl: options.databaseUrl,
    registrations: options.registrations,
    federateWith: options.federateWith,
    extra: options.extra,
  })
  const child = await startChild({
    command: options.python,
    args: ['-m', 'synapse.app.homeserver', '--config-path', join(folder, 'homeserver.yaml')],
    logFile,
    cwd: folder,
    env: { ...pythonEnvironment(), PYTHONPATH: moduleFolder, PYTHONUNBUFFERED: '1' },
    onSpawn: options.onSpawn,
  })
  await waitUntil(async () => (listensOn(child.pid, options.port) ? answers(url) : undefined), {
    what: 'Synapse',
    timeoutMs: 120_000,
    everyMs: 50,
    check: () => {
      if (!child.alive()) throw child.endedAtOnce('Synapse')
    },
  }).catch(async error => {
    await child.kill()
    throw error
  })
  return {
    url,
    serverName: options.serverName,
    pid: child.pid,
    exited: child.exited,
    registerUser: (localpart, password, admin = false) =>
      registerWithSecret(url, secrets.registration, { localpart, password, admin }),
    ensureAccount: (localpart, password, admin) =>
      ensureAccount(url, secrets.registration, { localpart, password, admin }),
    stop: () => child.stop('SIGTERM', 15_000),
    kill: child.kill,
  }
}

const answers = async (url: string): Promise<true | undefined> => {
  const health = await fetch(`${url}/health`, { signal: AbortSignal.timeout(2000) })
  if (!health.ok) return undefined
  const versions = await fetch(`${url}/_matrix/client/versions`, { signal: AbortSignal.timeout(5000) })
  return versions.ok || undefined
}
