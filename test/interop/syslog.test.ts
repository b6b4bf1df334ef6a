import { type ChildProcess, spawn } from 'node:child_process'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { expect } from 'chai'
import { listensOn } from '../../cli/stack/listening.ts'
import { startExporter } from '../support/audit/exporter.ts'
import { testAuthority } from '../support/certificates.ts'
import { eventually } from '../support/eventually.ts'
import { freePort } from '../support/free-port.ts'
import { needs } from '../support/needs.ts'
import { seededRandom } from '../support/random.ts'
import { type SinkWorld, sinkWorld } from '../support/worlds/sink-world.ts'

// Where distributions put daemons; not on everybody's path.
process.env.PATH = `${process.env.PATH}:/usr/sbin:/sbin`

type Received = { pri: string; at: string; host: string; app: string; msgid: string; data: string; msg: string }

const configuration = (folder: string, driver: string, port: number) => `
global(workDirectory="${folder}" maxMessageSize="64k" defaultNetstreamDriver="${driver}" defaultNetstreamDriverCAFile="${folder}/ca.pem"
  defaultNetstreamDriverCertFile="${folder}/cert.pem" defaultNetstreamDriverKeyFile="${folder}/key.pem" parser.escapeControlCharactersOnReceive="off")
module(load="imtcp" streamDriver.name="${driver}" streamDriver.mode="1" streamDriver.authMode="x509/certvalid")
input(type="imtcp" port="${port}" address="127.0.0.1")
template(name="line" type="list" option.jsonf="on") {
  property(outname="pri" name="pri" format="jsonf") property(outname="at" name="timestamp" dateFormat="rfc3339" format="jsonf")
  property(outname="host" name="hostname" format="jsonf") property(outname="app" name="app-name" format="jsonf")
  property(outname="msgid" name="msgid" format="jsonf") property(outname="data" name="structured-data" format="jsonf")
  property(outname="msg" name="msg" format="jsonf")
}
action(type="omfile" file="${folder}/received" template="line")
`

/** rsyslog closes with a close_notify when it uses OpenSSL; with GnuTLS it ends TCP only. */
const drivers = [
  { driver: 'ossl', package: 'rsyslog-openssl', confirm: 'notify' },
  { driver: 'gtls', package: 'rsyslog-gnutls', confirm: 'close' },
] as const

for (const { driver, package: pack, confirm } of drivers)
  describe(`rsyslog over TLS (${driver})`, function () {
    this.timeout(180_000)
    const random = seededRandom(`rsyslog-${driver}`)
    const authority = testAuthority()
    const running = new Set<ChildProcess>()
    let w: SinkWorld
    let folder: string
    let port: number

    beforeEach(async () => {
      const rsyslogd = needs('rsyslogd', 'rsyslog 8 (Debian: apt-get install rsyslog rsyslog-openssl rsyslog-gnutls)')
      w = await sinkWorld()
      folder = await mkdtemp(join(tmpdir(), 'wardroom-rsyslog-'))
      port = await freePort()
      const server = authority.issue(['localhost'])
      const client = authority.issue(['wardroom'])
      await writeFile(join(folder, 'ca.pem'), authority.ca)
      await writeFile(join(folder, 'cert.pem'), server.cert)
      await writeFile(join(folder, 'key.pem'), server.key)
      await mkdir(join(w.folder, 'tls'), { recursive: true })
      for (const [name, pem] of [
        ['ca.pem', authority.ca] as const,
        ['us.pem', client.cert] as const,
        ['us.key', client.key] as const,
      ])
        await writeFile(join(w.folder, 'tls', name), pem)
      const file = join(folder, 'rsyslog.conf')
      await writeFile(file, configuration(folder, driver, port))
      const child = spawn(rsyslogd, ['-n', '-f', file, '-i', join(folder, 'pid')], {
        stdio: ['ignore', 'pipe', 'pipe'],
      })
      running.add(child)
      let said = ''
      for (const stream of [child.stdout, child.stderr])
        stream.on('data', d => {
          said += String(d)
        })
      const lacks = () => /could not load module/.test(said)
      await eventually(() => lacks() || listensOn(child.pid ?? 0, port), { what: 'rsyslog' })
      if (lacks()) throw new Error(`LACKING: ${pack}, for rsyslog's driver ${driver}: ${said.split('\n')[0]}`)
    })
    afterEach(async () => {
      for (const child of running) {
        const gone = new Promise(done => child.once('exit', done))
        child.kill('SIGTERM')
        await gone
        running.delete(child)
      }
      await w?.stop()
      if (folder) await rm(folder, { recursive: true, force: true })
    })

    const received = async (): Promise<Received[]> =>
      (await readFile(join(folder, 'received'), 'utf8').catch(() => ''))
        .split('\n')
        .slice(0, -1)
        .map(line => JSON.parse(line) as Received)
    const options = { ca: 'ca.pem', cert: 'us.pem', key: 'us.key', confirm }
    const hurry = () => w.db.store.db('audit_sink').update({ due_at: 0 })
    const settled = (size: number) =>
      eventually(
        async () => {
          await hurry()
          return (await w.db.store.db('audit_sink').first('next_idx')).next_idx === size
        },
        { timeout: 60_000, what: 'everything sent' },
      )

    for (const format of ['json', 'cef'] as const)
      it(`takes every entry as one message with its fields apart (${format})`, async () => {
        const size = await w.write(400)
        await w.add('syslog', `localhost:${port}`, { ...options, format })
        await w.start()
        await settled(size)
        const all = await eventually(async () => {
          const got = await received()
          return got.length >= size ? got : undefined
        })
        expect(all).to.have.lengthOf(size)
        for (const [i, m] of all.entries()) {
          expect(m).to.include({ pri: '110', host: 'clinic.example', app: 'wardroom', msgid: 'status.view' })
          expect(m.data).to.include(`sequenceId="${i + 1}"`)
          if (format === 'cef') expect(m.msg.trimStart()).to.match(/^CEF:0\|Wardroom\|.* cn1=\d+ /)
          else expect((JSON.parse(m.msg) as { idx: number }).idx).to.equal(i)
        }
      })

    it('has everything, in order, when the exporter is killed again and again', async () => {
      await w.add('syslog', `localhost:${port}`, options)
      let size = 0
      for (let i = 0; i < (process.env.WARDROOM_LONG === '1' ? 50 : 5); i++) {
        const exporter = await startExporter(w)
        size = await w.write(50 + random.int(200))
        await hurry()
        await pause(random.int(300)) // the moment of the kill
        await exporter.kill()
      }
      await w.start()
      await settled(size)
      const everything = Array.from({ length: size }, (_, i) => i + 1).join()
      await eventually(async () => {
        const numbers = (await received()).map(m => Number(/sequenceId="(\d+)"/.exec(m.data)?.[1]))
        return [...new Set(numbers)].join() === everything
      })
    })

    it('is refused when its certificate is of another authority', async () => {
      await writeFile(join(w.folder, 'tls', 'ca.pem'), testAuthority('Somebody else').ca)
      await w.write(1)
      await w.add('syslog', `localhost:${port}`, options)
      await w.start()
      await eventually(async () => /unable|self_signed|signature/.test((await w.health()).lastErrorCode ?? ''))
      expect(await received()).to.deep.equal([])
    })
  })
