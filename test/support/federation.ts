import { randomBytes } from 'node:crypto'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { stringify } from 'yaml'
import { synapseEnvironment } from '../../cli/stack/python.ts'
import { newRegistrations } from '../../config/registration.ts'
import { type TestAuthority, testAuthority } from './certificates.ts'
import { freePort } from './free-port.ts'
import { database, runSynapse, type TestSynapse, testFolder } from './stack.ts'

/** Two hospitals' Synapses that federate over TLS on loopback; `ours` has Wardroom's registrations, `theirs` none. */
export type Hospitals = {
  ours: TestSynapse & { asToken: string }
  theirs: TestSynapse
}

/** What lets a Synapse federate on loopback: a certificate of the test's own authority, and addresses that are refused otherwise. */
const onLoopback = (folder: string, authority: TestAuthority, port: { client: number; federation: number }) => {
  const { cert, key } = authority.issue(['localhost', '127.0.0.1'])
  const files = { ca: join(folder, 'ca.pem'), cert: join(folder, 'cert.pem'), key: join(folder, 'key.pem') }
  writeFileSync(files.ca, authority.ca)
  writeFileSync(files.cert, cert)
  writeFileSync(files.key, key, { mode: 0o600 })
  const listener = { bind_addresses: ['127.0.0.1'], type: 'http', x_forwarded: false }
  return {
    listeners: [
      { ...listener, port: port.client, tls: false, resources: [{ names: ['client'], compress: false }] },
      { ...listener, port: port.federation, tls: true, resources: [{ names: ['federation'], compress: false }] },
    ],
    tls_certificate_path: files.cert,
    tls_private_key_path: files.key,
    federation_custom_ca_list: [files.ca],
    ip_range_whitelist: ['127.0.0.0/8', '::1/128'],
  }
}

/** Starts both, for the one test file that needs them (about five seconds); they are stopped after the last test. */
export const hospitals = async (): Promise<Hospitals> => {
  const postgres = await database()
  const python = await synapseEnvironment({ log: line => console.log(line) })
  const authority = testAuthority()
  const ports = await Promise.all(
    ['ours', 'theirs'].map(async () => ({ client: await freePort(), federation: await freePort() })),
  )
  const names = ports.map(p => `localhost:${p.federation}`)
  const start = async (n: number, registrations: (folder: string) => string[]): Promise<TestSynapse> => {
    const port = ports[n] as (typeof ports)[number]
    const serverName = names[n] as string
    const dataDir = join(testFolder(), `hospital-${n}`)
    mkdirSync(dataDir)
    return runSynapse({
      ...{ dataDir, python, serverName, port: port.client, log: () => undefined },
      databaseUrl: await postgres.freshDatabase(),
      registrations: registrations(dataDir),
      federateWith: names.filter(other => other !== serverName),
      extra: onLoopback(dataDir, authority, port),
    })
  }
  const made = newRegistrations({
    serverName: names[0] as string,
    urls: { bots: 'http://127.0.0.1:9', ghosts: 'http://127.0.0.1:9' },
    token: () => randomBytes(32).toString('base64url'),
  })
  const [ours, theirs] = await Promise.all([
    start(0, folder => {
      const file = join(folder, 'bots.yaml')
      writeFileSync(file, stringify({ ...made.bots, url: null }), { mode: 0o600 })
      return [file]
    }),
    start(1, () => []),
  ])
  return { ours: Object.assign(ours, { asToken: made.bots.as_token }), theirs }
}
