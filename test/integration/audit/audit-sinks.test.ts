import { createRequire } from 'node:module'
import { expect } from 'chai'
import fc from 'fast-check'
import { auditActions } from '../../../core/domain/audit/event.ts'
import { refusedInARow } from '../../../core/domain/audit/sink.ts'
import { deadEntries, replayDead, replaySink } from '../../../core/store/sinks/sinks.ts'
import { transact } from '../../../core/store/tx.ts'
import { hostile } from '../../support/audit/records.ts'
import { audited } from '../../support/audit-log.ts'
import { eventually } from '../../support/eventually.ts'
import { seed } from '../../support/random.ts'
import { httpServer } from '../../support/receivers/http.ts'
import { httpKinds, officer, optionsOf, sinkSuite, upTo } from '../../support/worlds/sink-suite.ts'
import type { SinkWorld } from '../../support/worlds/sink-world.ts'

type Validated = { messages: { location: string; message: string; severity: string }[] }
const { Fhir } = createRequire(import.meta.url)('fhir') as {
  Fhir: new () => { validate(r: unknown, o: { errorOnUnexpected: boolean }): Validated }
}

describe('audit sinks over HTTP', function () {
  this.timeout(120_000)
  const { world, receiver, stopAfter, complete, hurry } = sinkSuite()
  let w: SinkWorld
  beforeEach(() => {
    w = world()
  })

  for (const kind of httpKinds)
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
      await transact(w.db.store, tx => replaySink(tx, 'siem', 0, officer))
      const size = await w.write(0) // with the records of adding and replaying
      await eventually(async () => r.requests.length >= 2 && (await w.health()).lagEntries === 0)
      expect(r.stored().size).to.equal(size)
    })

  for (const kind of httpKinds)
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
      await transact(w.db.store, tx => replayDead(tx, 'siem', officer))
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
    stopAfter(server)
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
    await transact(w.db.store, tx => replayDead(tx, 'siem', officer))
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
    await transact(w.db.store, tx => replayDead(tx, 'siem', officer))
    await eventually(() => r.requests.length > before)
    const size = await w.write(3)
    await w.sent()
    expect(await w.health()).to.include({ dead, cursor: size, tries: 0 })
    expect(await w.db.store.db('audit_sink_dead').where({ again: true })).to.deep.equal([])
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
})
