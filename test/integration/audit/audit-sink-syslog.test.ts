import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'chai'
import { testAuthority } from '../../support/certificates.ts'
import { eventually } from '../../support/eventually.ts'
import { type SyslogReceiver, syslogReceiver } from '../../support/receivers/syslog.ts'
import { sinkSuite } from '../../support/worlds/sink-suite.ts'
import type { SinkWorld } from '../../support/worlds/sink-world.ts'

describe('the syslog sink', function () {
  this.timeout(120_000)
  const { world, stopAfter, complete, hurry } = sinkSuite()
  let w: SinkWorld
  beforeEach(() => {
    w = world()
  })

  const authority = testAuthority()
  const listening = async (
    options: { clientCa?: string } = {},
    names = ['localhost', '127.0.0.1'],
  ): Promise<SyslogReceiver> => {
    const r = await syslogReceiver(authority.issue(names), options)
    return stopAfter(r)
  }
  const trust = async (files: Record<string, string> = { 'ca.pem': authority.ca }) => {
    await mkdir(join(w.folder, 'tls'), { recursive: true })
    for (const [name, pem] of Object.entries(files)) await writeFile(join(w.folder, 'tls', name), pem)
  }
  const indices = (r: SyslogReceiver) => r.messages().map(m => Number(/sequenceId="(\d+)"/.exec(m)?.[1]) - 1)

  it('delivers in order through connections that break off in the middle of a frame', async () => {
    await trust()
    const r = await listening()
    r.behave(n => (n < 4 ? { breakAfter: 1000 * (n + 1) } : 'good'))
    const size = await w.write(300)
    await w.add('syslog', `localhost:${r.port}`, { ca: 'ca.pem' })
    await w.start()
    await eventually(async () => {
      hurry()
      return (await w.health()).lagEntries === 0
    })
    complete(indices(r), size)
    const [message] = r.messages()
    expect(message).to.match(/^<110>1 \S+ clinic\.example wardroom - status\.view \[origin software="Wardroom"/)
    expect((JSON.parse(message?.slice(message.indexOf('{')) ?? '') as { idx: number }).idx).to.equal(0)
  })

  it('counts nothing as sent that the receiver has not read to the end', async () => {
    await trust()
    const r = await listening()
    // It accepts and breaks off at once: what was written lies in buffers only.
    r.behave(() => ({ breakAfter: 0 }))
    const size = await w.write(3)
    await w.add('syslog', `127.0.0.1:${r.port}`, { ca: 'ca.pem', format: 'cef' })
    await w.start()
    await eventually(async () => {
      hurry()
      return r.connections() > 3
    })
    expect(await w.health()).to.include({ state: 'failing', cursor: 0 })
    r.behave(() => 'good')
    await eventually(async () => {
      hurry()
      return (await w.health()).lagEntries === 0
    })
    complete(indices(r), size)
    expect(r.messages()[0]).to.include(' CEF:0|Wardroom|')
  })

  it('refuses a receiver whose certificate is not trusted, or is for another name', async () => {
    const r = await listening()
    await w.write(1)
    await w.add('syslog', `localhost:${r.port}`)
    const first = await w.start()
    await eventually(async () => /unable_to|self_signed/.test((await w.health()).lastErrorCode ?? ''))
    await first.stop()
    await trust()
    const other = await listening({}, ['siem.elsewhere.example'])
    await w.db.store.db('audit_sink').delete()
    await w.add('syslog', `localhost:${other.port}`, { ca: 'ca.pem' })
    await w.start()
    await eventually(async () => (await w.health()).lastErrorCode === 'err_tls_cert_altname_invalid')
    expect([...r.messages(), ...other.messages()]).to.deep.equal([])
  })

  it('shows its own certificate where the receiver wants one', async () => {
    const ours = authority.issue(['wardroom'])
    await trust({ 'ca.pem': authority.ca, 'us.pem': ours.cert, 'us.key': ours.key })
    const r = await listening({ clientCa: authority.ca })
    const size = await w.write(2)
    await w.add('syslog', `localhost:${r.port}`, { ca: 'ca.pem' })
    const first = await w.start()
    await eventually(async () => (await w.health()).state === 'failing')
    await first.stop()
    await w.db.store.db('audit_sink').delete()
    await w.add('syslog', `localhost:${r.port}`, { ca: 'ca.pem', cert: 'us.pem', key: 'us.key' })
    await w.start()
    await w.sent()
    complete(indices(r), size)
  })
})
