import { expect } from 'chai'
import { minutes, seconds } from '../../../core/domain/clock.ts'
import { replaySink, setSinkState } from '../../../core/store/sinks/sinks.ts'
import { transact } from '../../../core/store/tx.ts'
import { audited } from '../../support/audit-log.ts'
import { eventually } from '../../support/eventually.ts'
import { officer, optionsOf, sinkSuite, sinkToken, upTo } from '../../support/worlds/sink-suite.ts'
import type { SinkWorld } from '../../support/worlds/sink-world.ts'

/** How long a receiver that does not answer is waited for. */
const hangMs = seconds(30)

describe('the runner of the audit sinks', function () {
  this.timeout(120_000)
  const { world, receiver, complete, hurry } = sinkSuite()
  let w: SinkWorld
  beforeEach(() => {
    w = world()
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
    expect(performance.now() - begin).to.be.lessThan(hangMs / 2)
    expect(await w.health()).to.include({ cursor: 0, tries: 0, lastErrorCode: null })
    r.behave(() => undefined)
    await w.start()
    await w.sent()
    complete(r.taken(), size)
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
    await transact(w.db.store, tx => setSinkState(tx, 'siem', 'paused', officer))
    expect(performance.now() - begin).to.be.lessThan(hangMs / 2)
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
    const from = await transact(w.db.store, tx => replaySink(tx, 'siem', Date.parse('2026-11-02T00:00:00Z'), officer))
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
    await w.add('http', 'https://collector.clinic.example', { token: sinkToken })
    expect(await w.db.dump()).not.to.include(sinkToken)
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
})
