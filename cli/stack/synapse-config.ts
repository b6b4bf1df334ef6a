import { randomBytes } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { stringify } from 'yaml'
import { homeserverConfig, logConfig } from '../../config/synapse/homeserver.ts'

/** Synapse's own secrets, made once; `registration` lets the holder make accounts. */
export type SynapseSecrets = { registration: string; macaroon: string; form: string }

export type SynapseConfigOptions = {
  /** Where homeserver.yaml, the signing key, secrets and media are. */
  folder: string
  serverName: string
  publicBaseUrl: string
  listen: { host: string; port: number }
  databaseUrl: string
  /** Paths of registration files. */
  registrations: string[]
  /** The other hospitals' servers; without one nothing federates. */
  federateWith?: readonly string[]
  /** Replaces top-level settings of homeserver.yaml. */
  extra?: Record<string, unknown>
}

/** Writes homeserver.yaml and log.yaml, and makes the signing key and the secrets when they are missing; everything with mode 600. */
export const writeSynapseConfig = (options: SynapseConfigOptions): SynapseSecrets => {
  const { folder } = options
  mkdirSync(join(folder, 'media'), { recursive: true, mode: 0o700 })
  const secrets = readSecrets(folder)
  const signingKey = join(folder, 'signing.key')
  if (!existsSync(signingKey)) {
    const seed = randomBytes(32).toString('base64').replace(/=+$/, '')
    writeFileSync(signingKey, `ed25519 a_${randomBytes(3).toString('hex')} ${seed}\n`, { mode: 0o600 })
  }
  const database = new URL(options.databaseUrl)
  const config = homeserverConfig(
    {
      serverName: options.serverName,
      publicBaseUrl: options.publicBaseUrl,
      listen: options.listen,
      database: {
        host: database.hostname,
        port: Number(database.port || 5432),
        user: decodeURIComponent(database.username),
        password: decodeURIComponent(database.password),
        name: database.pathname.slice(1),
      },
      files: {
        signingKey,
        logConfig: join(folder, 'log.yaml'),
        media: join(folder, 'media'),
        registrations: options.registrations,
      },
      secrets,
      federateWith: options.federateWith,
    },
    options.extra,
  )
  writeFileSync(join(folder, 'log.yaml'), stringify(logConfig()), { mode: 0o600 })
  writeFileSync(join(folder, 'homeserver.yaml'), stringify(config), { mode: 0o600 })
  return secrets
}

const readSecrets = (folder: string): SynapseSecrets => {
  const file = join(folder, 'secrets.json')
  if (!existsSync(file)) {
    const fresh = () => randomBytes(32).toString('base64url')
    writeFileSync(file, JSON.stringify({ registration: fresh(), macaroon: fresh(), form: fresh() }), { mode: 0o600 })
  }
  return JSON.parse(readFileSync(file, 'utf8'))
}
