import { renameSync, writeFileSync } from 'node:fs'
import { stringify } from 'yaml'
import { defaultFiles, type ServiceConfig } from '../../config/service.ts'

/** Writes the configuration that the services get, secrets included, for the owner's eyes only; gives its path. */
export const writeEffective = (config: ServiceConfig): string => {
  const { effective } = defaultFiles(config.dataDir)
  writeFileSync(`${effective}.new`, stringify(revealed(config)), { mode: 0o600 })
  renameSync(`${effective}.new`, effective)
  return effective
}

/** The form in which the configuration is written: host:port as text, secrets in clear, nothing undefined. */
const revealed = (value: unknown): unknown => {
  if (typeof value !== 'object' || value === null) return value
  const { reveal, host, port } = value as { reveal?: () => string; host?: string; port?: number }
  if (reveal) return reveal()
  if (host !== undefined && port !== undefined) return `${host.includes(':') ? `[${host}]` : host}:${port}`
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, below]) => below !== undefined)
      .map(([name, below]) => [name, revealed(below)]),
  )
}
