import { appendFile, mkdir, readdir, readFile, stat, symlink, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { expect } from 'chai'
import fc from 'fast-check'
import { auditActions } from '../../core/domain/audit/event.ts'
import { refusedInARow } from '../../core/domain/audit/sink.ts'
import { minutes, seconds } from '../../core/domain/clock.ts'
import { deadEntries, replayDead, replaySink, setSinkState } from '../../core/store/audit/sinks.ts'
import { transact } from '../../core/store/tx.ts'
import { hostile } from '../support/audit/records.ts'
import { audited } from '../support/audit-log.ts'
import { testAuthority } from '../support/certificates.ts'
import { eventually } from '../support/eventually.ts'
import { seed } from '../support/random.ts'
import { httpServer } from '../support/receivers/http.ts'
import { type Siem, siem } from '../support/receivers/siem.ts'
import { type SyslogReceiver, syslogReceiver } from '../support/receivers/syslog.ts'
import { type SinkWorld, sinkWorld } from '../support/worlds/sink-world.ts'

type Validated = { messages: { location: string; message: string; severity: string }[] }
const { Fhir } = createRequire(import.meta.url)('fhir') as {
  Fhir: new () => { validate(r: unknown, o: { errorOnUnexpected: boolean }): Validated }
}

const token = 'c2VjcmV0-dG9rZW4'
const upTo = (n: number) => Array.from({ length: n }, (_, i) => i)
const by = { kind: 'user' as const, id: '@ada:clinic.example' }
const kinds = ['splunk', 'elastic', 'fhir', 'http'] as const
const optionsOf = (kind: (typeof kinds)[number]) => ({
  token,
  http: 'yes',
  ...(kind === 'elastic' ? { index: 'audit' } : {}),
})

describe('audit sinks', function () {
  this.timeout(60_000)
  let w: SinkWorld
  const receivers: { stop(): Promise<void> }[] = []
  beforeEach(async () => {
    w = await sinkWorld()
  })
  afterEach(async () => {
    await w.stop()
    for (const r of receivers.splice(0)) await r.stop()
  })
  const receiver = async (kind: (typeof kinds)[number]): Promise<Siem> => {
    const r = await siem(kind, token)
    receivers.push(r)
    return r
  }
  /** The receiver has everything: in the order of first arrival, nothing missing. */
  const complete = (taken: readonly number[], size: number) =>
    expect([...new Set(taken)].join()).to.equal(upTo(size).join())
  /** A failing sink need not wait out its back-off. */
  const hurry = () => w.db.store.clock.advance(minutes(10))

  for (const kind of kinds)
    it(`${kind}: takes the whole log in order, also past an answer that never came, a busy receiver and a fault`, async () => {
      const r = await receiver(kind)
      const size = await w.write(450)
      r.behave(n => {
        if (n === 0) return { answer: { status: 503 } }
        if (n === 1) return { answer: 'break', after: true }
        if (n === 2) return { answer: { status: 429, headers: { 'retry-after': '1' } } }
        if (n === 3) return { answer: { status: 500 }, after: true }
        if (n === 5)
          return {
            answer: { status: 200, body: { hello: 'I am a proxy' } },
            ...(kind === 'http' ? { after: true } : {}),
          }
        return undefined
      })
      await w.add(kind, r.url, optionsOf(kind))
      await w.start()
      await eventually(async () => {
        hurry()
        return (await w.health()).lagEntries === 0
      })
      complete(r.taken(), size)
      expect(await w.health()).to.include({ state: 'ok', cursor: size, dead: 0, lastErrorCode: null })
      const [first] = r.requests
      expect(first?.path).to.equal(
        { splunk: '/services/collector/event', elastic: '/_bulk', fhir: '/', http: '/' }[kind],
      )
    })

  for (const kind of ['elastic', 'fhir'] as const)
    it(`${kind}: a repeat makes no second document`, async () => {
      const r = await receiver(kind)
      await w.write(30)
      await w.add(kind, r.url, optionsOf(kind))
      await w.start()
      await w.sent()
      await transact(w.db.store, tx => replaySink(tx, 'siem', 0, by))
      const size = await w.write(0) // with the records of adding and replaying
      await eventually(async () => r.requests.length >= 2 && (await w.health()).lagEntries === 0)
      expect(r.stored().size).to.equal(size)
    })

  for (const kind of kinds)
    it(`${kind}: sets aside what is refused for good, goes on, and sends it again when told`, async () => {
      const r = await receiver(kind)
      await w.write(60)
      r.refuse(idx => (idx === 7 || idx === 41 ? 400 : undefined))
      await w.add(kind, r.url, optionsOf(kind))
      await w.start()
      await w.sent()
      const size = 60 + 1 // and the sink's own record
      await w.write(0)
      await w.sent()
      expect([...new Set(r.taken())].sort((a, b) => a - b).slice(0, size - 2)).to.deep.equal(
        upTo(size).filter(i => i !== 7 && i !== 41),
      )
      expect((await deadEntries(w.db.store.db, 'siem'))?.map(d => d.idx)).to.deep.equal([7, 41])
      expect(w.alerts.map(a => [a.code, a.ref])).to.deep.equal([
        ['sink.dead_letter', 'siem'],
        ['sink.dead_letter', 'siem'],
      ])
      const audit = await w.db.store.db('audit_entry').where({ action: 'sink.dead_letter' }).orderBy('idx')
      expect(audit.map(a => a.object_ref)).to.deep.equal(['siem', 'siem'])
      r.refuse(() => undefined)
      await transact(w.db.store, tx => replayDead(tx, 'siem', by))
      await eventually(async () => (await w.health()).dead === 0)
      expect(r.taken()).to.include.members([7, 41])
    })

  it('http: sends lines, OCSF or CEF where it is told to, to an address of which a part is secret', async () => {
    const variants = {
      lines: { body: 'lines' },
      ocsf: { format: 'ocsf' },
      cef: { format: 'cef', path: 'in/secret-part' },
    }
    const server = await httpServer(() => ({ status: 200 }))
    receivers.push(server)
    await w.write(3)
    for (const [name, options] of Object.entries(variants)) {
      await w.add('http', `${server.url}/x`, { http: 'yes', ...options })
      await w.db.store.db('audit_sink').where({ name: 'siem' }).update({ name })
    }
    await w.start()
    for (const name of Object.keys(variants)) await w.sent(name)
    const sent = (content: RegExp, path = '/x') =>
      server.requests.find(r => r.path === path && content.test(r.body))?.body ?? ''
    const lines = sent(/^\{/).trimEnd().split('\n')
    expect(lines.map(l => (JSON.parse(l) as { idx: number }).idx)).to.deep.equal([0, 1, 2])
    const ocsf = JSON.parse(sent(/class_uid/)) as { metadata: { product: { name: string } } }[]
    expect(ocsf.map(e => e.metadata.product.name)).to.deep.equal(Array(3).fill('Wardroom'))
    const cef = JSON.parse(sent(/CEF:0/, '/x/in/secret-part')) as { idx: number; cef: string }[]
    expect(cef.map(e => [e.idx, e.cef.startsWith('CEF:0|Wardroom|')])).to.deep.equal(upTo(3).map(i => [i, true]))
  })

  it('elastic: an item that is refused for now only comes again, with everything after it', async () => {
    const r = await receiver('elastic')
    const size = await w.write(40)
    let busy = 2
    r.refuse(idx => (idx === 20 && busy-- > 0 ? 429 : undefined))
    await w.add('elastic', r.url, optionsOf('elastic'))
    await w.start()
    await eventually(async () => {
      hurry()
      return (await w.health()).lagEntries === 0
    })
    expect([...r.taken()].sort((a, b) => a - b)).to.deep.equal(upTo(size))
    expect((await w.health()).dead).to.equal(0)
  })

  it('a transaction is taken or refused as a whole, and only the entry at fault is set aside', async () => {
    const r = await receiver('fhir')
    await w.write(50)
    r.refuse(idx => (idx === 33 ? 422 : undefined))
    await w.add('fhir', r.url, { ...optionsOf('fhir'), bundle: 'transaction' })
    await w.start()
    await w.sent()
    expect((await deadEntries(w.db.store.db, 'siem'))?.map(d => [d.idx, d.code])).to.deep.equal([[33, 'http-422']])
    expect(r.taken().slice(0, 49)).to.deep.equal(upTo(50).filter(i => i !== 33))
  })

  it('a receiver that refuses everything is taken to be wrong: entries wait and are not set aside', async () => {
    const r = await receiver('http')
    const size = await w.write(60)
    r.refuse(() => 422)
    await w.add('http', r.url, optionsOf('http'))
    await w.start()
    await eventually(async () => {
      hurry()
      return (await w.health()).lastErrorCode === 'refuses-all:http-422'
    })
    const { dead, cursor } = await w.health()
    expect(dead).to.equal(cursor).and.to.be.at.most(refusedInARow)
    r.refuse(() => undefined)
    await transact(w.db.store, tx => replayDead(tx, 'siem', by))
    await eventually(async () => {
      hurry()
      const h = await w.health()
      return h.lagEntries === 0 && h.dead === 0
    })
    expect(new Set(r.taken()).size).to.be.at.least(size)
  })

  it('what is refused again when a person sent it again goes back to the list, and holds nothing up', async () => {
    const r = await receiver('elastic')
    await w.write(60)
    r.refuse(idx => (idx < refusedInARow + 5 ? 400 : undefined))
    await w.add('elastic', r.url, optionsOf('elastic'))
    await w.start()
    await w.sent()
    const dead = (await w.health()).dead
    expect(dead).to.equal(refusedInARow + 5)
    const before = r.requests.length
    await transact(w.db.store, tx => replayDead(tx, 'siem', by))
    await eventually(() => r.requests.length > before)
    const size = await w.write(3)
    await w.sent()
    expect(await w.health()).to.include({ dead, cursor: size, tries: 0 })
    expect(await w.db.store.db('audit_sink_dead').where({ again: true })).to.deep.equal([])
  })

  it('a wrong token, an unknown path and a redirection wait; nothing follows to another host', async () => {
    const r = await receiver('http')
    const elsewhere = await receiver('http')
    const size = await w.write(5)
    let answer: { status: number; headers?: Record<string, string> } = { status: 401 }
    r.behave(() => ({ answer }))
    await w.add('http', r.url, optionsOf('http'))
    await w.start()
    await eventually(async () => (await w.health()).lastErrorCode === 'http-401')
    answer = { status: 308, headers: { location: elsewhere.url } }
    await eventually(async () => {
      hurry()
      return (await w.health()).lastErrorCode === 'http-308'
    })
    expect(elsewhere.requests).to.have.lengthOf(0)
    expect(await w.health()).to.include({ state: 'failing', dead: 0, cursor: 0 })
    r.behave(() => undefined)
    await eventually(async () => {
      hurry()
      return (await w.health()).lagEntries === 0
    })
    complete(r.taken(), size)
  })

  it('backs off from one second to five minutes, as long as the receiver asks at least', async () => {
    w.db.store.clock.freeze()
    const r = await receiver('http')
    r.behave(() => ({ answer: { status: 503, headers: { 'retry-after': '600' } } }))
    await w.write(1)
    await w.add('http', r.url, optionsOf('http'))
    await w.start()
    await eventually(async () => (await w.health()).tries === 1)
    w.db.store.clock.advance(minutes(10) - 1)
    const row = () => w.db.store.db('audit_sink').first('due_at', 'tries')
    expect((await row()).due_at).to.equal(w.db.store.clock.now() + 1)
    r.behave(() => ({ answer: { status: 503 } }))
    const waits: number[] = []
    for (let tries = 2; tries <= 12; tries++) {
      w.db.store.clock.advance(minutes(10))
      await eventually(async () => (await w.health()).tries === tries)
      waits.push((await row()).due_at - w.db.store.clock.now())
    }
    for (const [i, wait] of waits.entries()) {
      const middle = Math.min(minutes(5), seconds(1) * 2 ** (i + 1))
      expect(wait).to.be.within(middle * 0.5, middle * 1.5)
    }
    expect(r.requests).to.have.lengthOf(12)
  })

  it('one that hangs delays no other', async () => {
    const hangs = await receiver('http')
    const works = await receiver('splunk')
    hangs.behave(() => ({ answer: 'hang' }))
    await w.add('http', hangs.url, optionsOf('http'))
    await w.db.store.db('audit_sink').where({ name: 'siem' }).update({ name: 'hangs' })
    await w.add('splunk', works.url, optionsOf('splunk'))
    await w.start()
    const size = await w.write(30)
    await w.sent('siem')
    complete(works.taken(), size)
    expect(await w.health('hangs')).to.include({ cursor: 0, lagEntries: size })
  })

  it('stops at once although a receiver hangs, and neither loses nor counts a fault by that', async () => {
    const r = await receiver('http')
    r.behave(() => ({ answer: 'hang' }))
    const size = await w.write(3)
    await w.add('http', r.url, optionsOf('http'))
    const first = await w.start()
    await eventually(() => r.requests.length > 0)
    const begin = performance.now()
    await first.stop()
    expect(performance.now() - begin).to.be.lessThan(3000)
    expect(await w.health()).to.include({ cursor: 0, tries: 0, lastErrorCode: null })
    r.behave(() => undefined)
    await w.start()
    await w.sent()
    complete(r.taken(), size)
  })

  it('sends FHIR R4 that a validator accepts, whatever is in an entry', async () => {
    const r = await receiver('fhir')
    for (const [i, text] of fc.sample(hostile, { seed, numRuns: 40 }).entries())
      await audited(w.db.store, {
        actor: { kind: 'user', id: text, device: text },
        action: auditActions[i * 3] ?? 'status.view',
        object: { kind: i % 2 === 0 ? 'patient' : 'setting', id: text },
        patient: i % 3 === 0 ? text : undefined,
        reason: text,
        detail: { [text]: text, count: i },
      })
    await w.write(0)
    await w.add('fhir', r.url, optionsOf('fhir'))
    await w.start()
    await w.sent()
    const bundle = JSON.parse(r.requests[0]?.body ?? '') as { entry: unknown[] }
    expect(bundle.entry).to.have.lengthOf(40)
    const { messages } = new Fhir().validate(bundle, { errorOnUnexpected: true })
    expect(messages.filter(m => m.severity === 'error')).to.deep.equal([])
  })

  it('paused it keeps its place; a command on it never waits for a slow receiver', async () => {
    const r = await receiver('http')
    await w.add('http', r.url, optionsOf('http'))
    await w.start()
    await w.write(3)
    await w.sent()
    r.behave(() => ({ answer: 'hang' }))
    await w.write(1)
    await eventually(() => r.requests.length > 1)
    const begin = performance.now()
    await transact(w.db.store, tx => setSinkState(tx, 'siem', 'paused', by))
    expect(performance.now() - begin).to.be.lessThan(1000)
    expect((await w.health()).state).to.equal('paused')
  })

  it('replays from a date, and what a person moved is not moved back by a batch under way', async () => {
    const { clock } = w.db.store
    const r = await receiver('http')
    clock.freeze(Date.parse('2026-11-01T12:00:00Z'))
    await w.write(5)
    clock.freeze(Date.parse('2026-11-03T12:00:00Z'))
    await w.write(5)
    await w.add('http', r.url, optionsOf('http'))
    await w.start()
    await w.write(0)
    await w.sent()
    let release: () => void = () => undefined
    const held = new Promise<undefined>(done => {
      release = () => done(undefined)
    })
    const before = r.requests.length
    r.behave(() => held)
    await w.write(1)
    await eventually(() => r.requests.length > before)
    const from = await transact(w.db.store, tx => replaySink(tx, 'siem', Date.parse('2026-11-02T00:00:00Z'), by))
    expect(from).to.equal(5)
    r.behave(() => undefined)
    release()
    await w.write(0)
    await eventually(async () => (await w.health()).lagEntries === 0)
    const second = r.taken().lastIndexOf(5)
    expect(r.taken().slice(second)).to.deep.equal(upTo((await w.health()).cursor).slice(5))
    expect(r.taken().filter(i => i === 5)).to.have.lengthOf(2)
    expect(r.taken().filter(i => i === 4)).to.have.lengthOf(1)
  })

  it('sends commitments only, unless compliance let it identify', async () => {
    const r = await receiver('http')
    await audited(w.db.store, {
      action: 'patient.view',
      object: { kind: 'patient', id: 'pt_secret0000000000' },
      patient: 'pt_secret0000000000',
    })
    await w.write(0)
    await w.add('http', r.url, optionsOf('http'))
    const sinks = await w.start()
    await w.sent()
    expect(r.requests.map(q => q.body).join()).not.to.include('pt_secret')
    await sinks.stop()
    const open = await receiver('http')
    await w.db.store.db('audit_sink').delete()
    await w.add('http', open.url, optionsOf('http'), { identify: true })
    await w.start()
    await w.sent()
    expect(open.requests.map(q => q.body).join()).to.include('"value":"pt_secret0000000000"')
  })

  it('keeps its token sealed in the database', async () => {
    await w.add('http', 'https://collector.clinic.example', { token })
    expect(await w.db.dump()).not.to.include(token)
  })

  it('two processes never interleave: each batch goes out once', async () => {
    const r = await receiver('http')
    await w.add('http', r.url, optionsOf('http'))
    await w.start()
    await w.start()
    let size = 0
    for (let i = 0; i < 5; i++) size = await w.write(40)
    await w.sent()
    expect(r.taken()).to.deep.equal(upTo(size))
  })

  describe('to files', () => {
    const lines = async (file: string) => (await readFile(join(w.folder, file), 'utf8')).split('\n')

    it('has a file for each day, readable by its owner only, which ends with a whole line', async () => {
      const { clock } = w.db.store
      clock.freeze(Date.parse('2026-11-20T23:59:00Z'))
      await w.write(3)
      clock.freeze(Date.parse('2026-11-21T00:01:00Z'))
      await w.write(3)
      await w.add('jsonl', 'audit')
      await w.start()
      await w.sent()
      expect((await readdir(w.folder)).sort()).to.deep.equal(['audit-2026-11-20.jsonl', 'audit-2026-11-21.jsonl'])
      const first = await lines('audit-2026-11-20.jsonl')
      expect(first.pop()).to.equal('')
      expect(first.map(l => (JSON.parse(l) as { idx: number }).idx)).to.deep.equal([0, 1, 2])
      expect((await stat(join(w.folder, 'audit-2026-11-20.jsonl'))).mode & 0o777).to.equal(0o600)
    })

    it('mends a torn last line at its start, whatever its length, and begins a CSV file with its head once', async () => {
      w.db.store.clock.freeze(Date.parse('2026-11-21T10:00:00Z'))
      await w.write(2)
      await w.add('csv', 'audit')
      const first = await w.start()
      await w.sent()
      await first.stop()
      await appendFile(join(w.folder, 'audit-2026-11-21.csv'), `"torn","3${'x'.repeat(200_000)}`)
      await w.write(2)
      await w.start()
      await w.sent()
      const written = await lines('audit-2026-11-21.csv')
      expect(written.pop()).to.equal('')
      expect(written.map(l => l.split(',')[0])).to.deep.equal(['idx', ...upTo(5).map(i => `"${i}"`)])
    })

    it('follows no symbolic link', async () => {
      w.db.store.clock.freeze(Date.parse('2026-11-21T10:00:00Z'))
      await mkdir(w.folder, { recursive: true })
      await writeFile(join(w.folder, 'elsewhere'), 'precious')
      await symlink(join(w.folder, 'elsewhere'), join(w.folder, 'audit-2026-11-21.jsonl'))
      await w.write(1)
      await w.add('jsonl', 'audit')
      await w.start()
      await eventually(async () => (await w.health()).lastErrorCode === 'eloop')
      expect(await readFile(join(w.folder, 'elsewhere'), 'utf8')).to.equal('precious')
    })
  })

  describe('to syslog over TLS', () => {
    const authority = testAuthority()
    const listening = async (
      options: { clientCa?: string } = {},
      names = ['localhost', '127.0.0.1'],
    ): Promise<SyslogReceiver> => {
      const r = await syslogReceiver(authority.issue(names), options)
      receivers.push(r)
      return r
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
})
