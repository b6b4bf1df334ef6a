import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { parse, stringify } from 'yaml'
import { homeserverConfig } from '../../../config/synapse/homeserver.ts'

const root = join(import.meta.dirname, '../../..')

/** What a clinic's own homeserver has decided for itself, or what only one place can know. */
const itsOwn = [
  ...['server_name', 'public_baseurl', 'report_stats', 'signing_key_path', 'log_config', 'media_store_path'],
  ...['registration_shared_secret', 'macaroon_secret_key', 'form_secret', 'listeners', 'database'],
  ...['password_config', 'trusted_key_servers', 'suppress_key_server_warning', 'stats', 'user_directory'],
  ...['max_upload_size', 'dynamic_thumbnails', 'rc_login', 'rc_message'],
]

describe('wardroom registration', function () {
  this.timeout(30_000)
  const folder = mkdtempSync(join(tmpdir(), 'wardroom-registration-'))
  after(() => rmSync(folder, { recursive: true, force: true }))

  it('writes both files for the owner’s eyes, and prints every setting that our own homeserver has and a clinic’s needs', () => {
    const file = join(folder, 'wardroom.yaml')
    writeFileSync(file, stringify({ dataDir: join(folder, 'data') }))
    const printed = execFileSync(process.execPath, [join(root, 'bin/wardroom.mjs'), 'registration', '--config', file], {
      encoding: 'utf8',
    })
    const settings = parse(printed) as Record<string, unknown>
    const files = settings.app_service_config_files as string[]
    expect(files.map(f => statSync(f).mode & 0o777)).to.deep.equal([0o600, 0o600])
    const ours = homeserverConfig({
      serverName: 'clinic.example',
      publicBaseUrl: 'https://matrix.clinic.example',
      listen: { host: '127.0.0.1', port: 8008 },
      database: { host: '127.0.0.1', port: 5432, user: 'synapse', password: 'x', name: 'synapse' },
      files: { signingKey: 'key', logConfig: 'log', media: 'media', registrations: files },
      secrets: { registration: 'x', macaroon: 'x', form: 'x' },
    })
    const left = Object.keys(ours).filter(key => !itsOwn.includes(key))
    expect(settings).to.deep.equal(Object.fromEntries(left.map(key => [key, ours[key]])))
  })
})
