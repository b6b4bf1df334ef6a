import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Option, SinkEnv } from './sink.ts'

const file = /^[A-Za-z0-9][A-Za-z0-9._-]{0,80}$/
const place = 'a file in the folder tls beside the sinks’ files (PEM)'

/** Options of everything that speaks TLS. A receiver's certificate is always checked. */
export const tlsOptions: Readonly<Record<string, Option>> = {
  ca: { about: `who signed the receiver's certificate, where it is not a public authority: ${place}.`, pattern: file },
  cert: { about: `our certificate, where the receiver wants one: ${place}.`, pattern: file },
  key: { about: `the private key of our certificate: ${place}.`, pattern: file },
}

/** @throws when a file cannot be read. */
export const readTls = (
  options: Readonly<Record<string, string>>,
  { folder }: SinkEnv,
): { ca?: string; cert?: string; key?: string; minVersion: 'TLSv1.2' } => {
  const read = (name: string | undefined) => (name ? readFileSync(join(folder, 'tls', name), 'utf8') : undefined)
  return { ca: read(options.ca), cert: read(options.cert), key: read(options.key), minVersion: 'TLSv1.2' }
}
