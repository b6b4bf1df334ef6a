import { spawn } from 'node:child_process'
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { parse, stringify } from 'yaml'
import { services } from '../../../cli/services/index.ts'
import { eventually } from '../../support/eventually.ts'
import { freePort } from '../../support/free-port.ts'
import {
  listedProcesses,
  processesNaming,
  startWardroomProcess,
  type WardroomProcess,
} from '../../support/processes/wardroom-process.ts'
import { stack } from '../../support/stack.ts'

const listen = async (server: Server): Promise<number> => {
  await new Promise<void>(done => server.listen(0, '127.0.0.1', done))
  return (server.address() as AddressInfo).port
}

describe('wardroom start', function () {
  this.timeout(240_000)
  let folder: string
  let data: string
  const running: WardroomProcess[] = []

  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'wardroom-start-'))
    chmodSync(folder, 0o711)
    data = join(folder, 'data')
  })
  after(async () => {
    for (const one of running) one.killSupervisor()
    for (const { pid } of processesNaming(folder)) process.kill(pid, 'SIGKILL')
    await eventually(() => processesNaming(folder).length === 0, { what: 'the end of every process' })
    rmSync(folder, { recursive: true, force: true })
  })

  /** A configuration whose ports nobody else on this machine uses. */
  const withPorts = async (name: string, more: Record<string, unknown> = {}): Promise<string> => {
    const address = async () => `127.0.0.1:${await freePort()}`
    const embedded = { synapse: await freePort(), postgres: await freePort() }
    const addresses = { public: await address(), bridge: await address(), bots: await address() }
    const own = { audit: await address(), admin: await address() }
    const listen = { ...addresses, ...own, keeper: await address(), local: await address() }
    const file = join(folder, name)
    writeFileSync(file, stringify({ embedded, ...more, listen: { ...listen, ...(more.listen ?? {}) } }))
    return file
  }
  const start = (
    args: string[] = ['--data', data, '--config', join(folder, 'ports.yaml')],
    env: NodeJS.ProcessEnv = {},
  ): WardroomProcess => {
    const one = startWardroomProcess(args, { WARDROOM_CONFIG: '', ...env })
    running.push(one)
    return one
  }
  /** The sentence with which a start refuses. */
  const refusal = async (args: string[], env: NodeJS.ProcessEnv = {}): Promise<string> => {
    const one = start(args, env)
    expect(await one.exited).to.equal(1)
    expect(one.output(), 'a person needs no stack').not.to.match(/^\s+at /m)
    return one.output()
  }
  const effective = () =>
    parse(readFileSync(join(data, 'run/wardroom.yaml'), 'utf8')) as {
      homeserver: { url: string }
      adminUrl: string
    }
  const logIn = async (): Promise<number> => {
    const { drlee } = JSON.parse(readFileSync(join(data, 'accounts.json'), 'utf8')) as Record<
      string,
      { password: string }
    >
    const identifier = { type: 'm.id.user', user: 'drlee' }
    const body = JSON.stringify({ type: 'm.login.password', identifier, password: drlee?.password })
    const { status } = await fetch(`${effective().homeserver.url}/_matrix/client/v3/login`, { method: 'POST', body })
    return status
  }
  const gone = () =>
    eventually(() => processesNaming(folder).length === 0, { timeout: 60_000, what: 'the end of every process' })

  describe('on an empty folder, then on the same one', () => {
    let first: WardroomProcess

    it('sets everything up and shows addresses, accounts that work, and what to try', async () => {
      await withPorts('ports.yaml')
      first = start()
      await first.ready()
      for (const text of [
        'Try it',
        'Patient page',
        'Audit page',
        'Homeserver',
        '@admin:',
        '@drlee:',
        '@nurse_kim:',
        '@officer:',
        'What to try',
      ])
        expect(first.output()).to.include(text)
      expect(await (await fetch(effective().adminUrl)).text(), 'the administrators’ page').to.include('!help audit')
      expect(await logIn()).to.equal(200)
      const names = listedProcesses(data).map(({ name }) => name)
      expect(names).to.include.members(['postgres', 'synapse', ...services.map(({ name }) => name)])
    })

    it('keeps its data and its secrets from other accounts of the machine', () => {
      expect(statSync(data).mode & 0o066, 'nobody else may list the folder').to.equal(0)
      for (const part of readdirSync(data, { withFileTypes: true })) {
        if (part.name === 'postgres') continue // entered by the database's own user; its secret is checked below
        expect(statSync(join(data, part.name)).mode & 0o077, part.name).to.equal(0)
      }
      const files = [
        'postgres/passwords.json',
        'run/wardroom.yaml',
        ...['sealing', 'keeper', 'audit'].map(k => `keys/${k}.json`),
      ]
      for (const file of files) expect(statSync(join(data, file)).mode & 0o777, file).to.equal(0o600)
    })

    it('refuses a second start on the folder with one sentence', async () => {
      expect(await refusal(['--data', data])).to.match(/Wardroom already runs on .*process \d+/)
    })

    it('starts a service again that was killed', async () => {
      const keeper = listedProcesses(data).find(({ name }) => name === 'keeper')
      if (!keeper) throw new Error('no keeper runs')
      process.kill(keeper.pid, 'SIGKILL')
      const again = await eventually(
        () => listedProcesses(data).find(({ name, pid }) => name === 'keeper' && pid !== keeper?.pid),
        { timeout: 60_000, what: 'another keeper' },
      )
      expect(again.pid).not.to.equal(keeper?.pid)
      expect(first.output()).to.include('keeper ended by itself (SIGKILL)')
    })

    it('leaves no process after Ctrl-C', async () => {
      first.ctrlC()
      expect(await first.exited).to.equal(0)
      expect(processesNaming(folder)).to.deep.equal([])
    })

    it('recovers from kill -9 of the supervisor: ends exactly what it left, and nobody else', async () => {
      const before = readFileSync(join(data, 'registrations/wardroom-bots.yaml'), 'utf8')
      const second = start()
      await second.ready()
      second.killSupervisor()
      await second.exited
      const left = listedProcesses(data).filter(({ name }) => name === 'postgres' || name === 'synapse')
      expect(left).to.have.lengthOf(2)
      // A stranger that has got the number of one of ours.
      const stranger = spawn('sleep', ['600'], { stdio: 'ignore' })
      const listed = [...left, { name: 'bots', pid: stranger.pid ?? 0, identity: 'another boot:1' }]
      writeFileSync(join(data, 'run/processes.json'), JSON.stringify(listed))
      const third = start()
      await third.ready()
      expect(third.output()).to.match(/Ended what an earlier run left behind: .*postgres.*synapse/)
      expect(stranger.exitCode).to.equal(null)
      expect(stranger.signalCode).to.equal(null)
      stranger.kill('SIGKILL')
      expect(await logIn(), 'the same accounts').to.equal(200)
      const tokens = (text: string) => (parse(text) as { as_token: string }).as_token
      expect(tokens(readFileSync(join(data, 'registrations/wardroom-bots.yaml'), 'utf8'))).to.equal(tokens(before))
    })

    it('recovers from kill -9 of everything, also when the number in postmaster.pid belongs to another program now', async () => {
      running.at(-1)?.killSupervisor()
      for (const { pid } of processesNaming(folder)) process.kill(pid, 'SIGKILL')
      await gone()
      const stale = join(data, 'postgres/cluster/data/postmaster.pid')
      const lines = readFileSync(stale, 'utf8').split('\n')
      writeFileSync(stale, [String(process.pid), ...lines.slice(1)].join('\n'))
      const fourth = start()
      await fourth.ready()
      expect(await logIn()).to.equal(200)
      fourth.ctrlC()
      expect(await fourth.exited).to.equal(0)
      await gone()
    })

    it('leaves no process when it is interrupted in the middle of its start', async () => {
      const one = start()
      await eventually(() => listedProcesses(data).some(({ name }) => name === 'synapse'), {
        timeout: 60_000,
        what: 'Synapse',
      })
      one.ctrlC()
      expect(await one.exited, one.output()).to.equal(0)
      expect(processesNaming(folder)).to.deep.equal([])
    })
  })

  describe('refuses with a sentence', () => {
    const config = (content: unknown): string => {
      const file = join(folder, 'wardroom.yaml')
      writeFileSync(file, stringify(content))
      return file
    }
    const elsewhere = () => join(folder, 'other')

    it('when an address that the configuration names is busy', async () => {
      const squatter = createServer()
      const port = await listen(squatter)
      try {
        const file = config({ listen: { public: `127.0.0.1:${port}` } })
        const output = await refusal(['--data', elsewhere(), '--config', file])
        expect(output).to.include(`listen.public is 127.0.0.1:${port}, where another program listens`)
        expect(processesNaming(elsewhere())).to.deep.equal([])
      } finally {
        squatter.close()
      }
    })

    it('when the configuration is wrong, naming every problem, before anything starts', async () => {
      const output = await refusal([
        '--data',
        elsewhere(),
        '--config',
        config({ publicURL: 'x', log: { level: 'loud' } }),
      ])
      expect(output).to.include('publicURL is not an entry; did you mean publicUrl?')
      expect(output).to.include('log.level must be')
    })

    it('when there is no Python that Synapse can use', async () => {
      const empty = join(folder, 'no-python')
      const env = { PATH: empty, WARDROOM_CACHE: join(folder, 'cache') }
      const output = await refusal(['--data', elsewhere()], env)
      expect(output).to.match(/Synapse needs Python 3\.10 to 3\.14 and none is on the path.*HOMESERVER_URL/)
      expect(processesNaming(elsewhere())).to.deep.equal([])
    })

    it('when its homeserver is too old, and when it cannot be reached', async () => {
      const old = createServer((request, response) => {
        const version = request.url?.endsWith('server_version')
        response.end(JSON.stringify(version ? { server_version: '1.99.0' } : { versions: ['v1.11'] }))
      })
      const port = await listen(old)
      const env = { HOMESERVER_URL: `http://127.0.0.1:${port}`, HOMESERVER_NAME: 'old.example' }
      expect(await refusal(['--data', elsewhere()], env)).to.match(/Synapse 1\.99\.0.* needs 1\.157 or newer/)
      await new Promise(done => old.close(done))
      expect(await refusal(['--data', elsewhere()], env)).to.match(/homeserver at http:\S+ cannot be reached/)
      expect(processesNaming(elsewhere())).to.deep.equal([])
    })

    it('when its homeserver does not know Wardroom yet, naming the files that it needs', async () => {
      const s = await stack()
      const env = { HOMESERVER_URL: s.synapse.url, HOMESERVER_NAME: s.synapse.serverName }
      const output = await refusal(['--data', elsewhere(), '--config', config({ log: { level: 'warn' } })], env)
      expect(output).to.include('app_service_config_files')
      for (const name of ['bots', 'ghosts']) {
        const file = join(elsewhere(), `registrations/wardroom-${name}.yaml`)
        expect(output).to.include(file)
        expect(parse(readFileSync(file, 'utf8'))).to.have.property('as_token')
      }
      expect(processesNaming(elsewhere())).to.deep.equal([])
    })

    it('when its database cannot be reached, without its password', async () => {
      const s = await stack()
      const file = config({ homeserver: { registrations: registrationFiles(s) } })
      const env = {
        HOMESERVER_URL: s.synapse.url,
        HOMESERVER_NAME: s.synapse.serverName,
        DATABASE_URL: 'postgres://w:very-hidden@127.0.0.1:9/wardroom',
      }
      const output = await refusal(['--data', elsewhere(), '--config', file], env)
      expect(output).to.match(/The database at 127\.0\.0\.1:9 cannot be used/)
      expect(output).not.to.include('very-hidden')
    })
  })

  const registrationFiles = (s: Awaited<ReturnType<typeof stack>>) => {
    const write = (name: 'bots' | 'ghosts') => {
      const file = join(folder, `${name}.yaml`)
      writeFileSync(file, stringify(s.registrations[name]))
      return file
    }
    return { bots: write('bots'), ghosts: write('ghosts') }
  }

  it('runs on a homeserver and a database of the clinic, with no embedded part', async () => {
    const s = await stack()
    const own = join(folder, 'own')
    const ports = { bots: `127.0.0.1:${s.ports.bots}`, bridge: `127.0.0.1:${s.ports.ghosts}` }
    const file = await withPorts('own.yaml', { homeserver: { registrations: registrationFiles(s) }, listen: ports })
    const one = start(['--data', own, '--config', file], {
      HOMESERVER_URL: s.synapse.url,
      HOMESERVER_NAME: s.synapse.serverName,
      DATABASE_URL: await s.freshDatabase(),
    })
    await one.ready()
    expect(listedProcesses(own).map(({ name }) => name)).not.to.include.members(['postgres', 'synapse'])
    expect(one.output()).to.include(s.synapse.url)
    one.ctrlC()
    expect(await one.exited).to.equal(0)
    expect(processesNaming(own)).to.deep.equal([])
  })
})
