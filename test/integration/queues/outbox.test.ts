import { expect } from 'chai'
import { type JobHandler, type Outbox, startOutbox, txnIdFor } from '../../../core/queues/outbox-worker.ts'
import { startSweeps } from '../../../core/queues/sweeps.ts'
import { sweepOutbox } from '../../../core/store/queues/outbox.ts'
import { type NewJob, type Tx, transact } from '../../../core/store/tx.ts'
import { database, type TestDatabase } from '../../support/database.ts'
import { eventually } from '../../support/eventually.ts'
import { testPeer } from '../../support/peer.ts'
import { testLog } from '../../support/test-log.ts'

describe('the outbox worker', () => {
  let d: TestDatabase
  let log = testLog()
  let running: Outbox[] = []
  beforeEach(async () => {
    d = await database()
    log = testLog()
  })
  afterEach(async () => {
    for (const o of running) await o.stop()
    running = []
    await d.drop()
  })

  const start = async (
    handlers: Record<string, JobHandler>,
    more: { store?: TestDatabase['store']; maxErrors?: number; outageLimitMs?: number } = {},
  ) => {
    const outbox = await startOutbox({ queue: 'bridge', store: d.store, log, handlers, ...more })
    running.push(outbox)
    return outbox
  }
  const enqueue = (job: Partial<NewJob> = {}) =>
    transact(d.store, tx => tx.enqueue({ queue: 'bridge', kind: 'say', payload: {}, ...job }))
  const row = (id: string) => d.store.db('outbox').where({ id }).first()
  const until = (id: string, state: string) =>
    eventually(async () => (await row(id)).state === state, { what: `${id} ${state}` })
  const effect = (id: string) => (tx: Tx) =>
    tx.audit({
      actor: { kind: 'service', id: 'test' },
      action: 'text.send',
      object: { kind: 'job', id },
      outcome: 'done',
    })
  const effects = async (): Promise<string[]> =>
    (await d.store.db('audit_queue').where({ action: 'text.send' }).orderBy('id')).map(r => r.object.id)

  it('runs the jobs of a lane in order, one at a time, each once, with several processes at work', async () => {
    const active = new Map<string, number>()
    let overlaps = 0
    const say: JobHandler = async job => {
      const lane = job.lane ?? ''
      active.set(lane, (active.get(lane) ?? 0) + 1)
      if ((active.get(lane) ?? 0) > 1) overlaps++
      await new Promise(done => setTimeout(done, 2))
      active.set(lane, (active.get(lane) ?? 0) - 1)
      return { kind: 'done', apply: effect(job.id) }
    }
    const ids: string[] = []
    for (let i = 0; i < 60; i++) ids.push(await enqueue({ lane: `l${i % 3}` }))
    const all = [await start({ say }), await start({ say }, { store: { ...d.another(), clock: d.store.clock } })]
    for (const o of all) await o.idle()
    const done = await effects()
    expect([...done].sort()).to.deep.equal([...ids].sort())
    for (let l = 0; l < 3; l++) {
      const lane = ids.filter((_, i) => i % 3 === l)
      expect(done.filter(id => lane.includes(id))).to.deep.equal(lane)
    }
    expect(overlaps).to.equal(0)
  })

  it('lets a lane that waits, however long, hide no other', async () => {
    const first = await enqueue({ lane: 'waits' })
    await d.store
      .db('outbox')
      .where({ id: first })
      .update({ due_at: d.store.clock.now() + 3_600_000 })
    await transact(d.store, async tx => {
      for (let i = 0; i < 300; i++) await tx.enqueue({ queue: 'bridge', kind: 'say', payload: {}, lane: 'waits' })
    })
    const other = await enqueue({ lane: 'goes on' })
    await start({ say: async () => ({ kind: 'done' }) })
    await until(other, 'done')
  })

  it('lets no slow lane delay another, and keeps a retried job before its successors', async () => {
    let release: (() => void) | undefined
    const held = new Promise<void>(done => {
      release = done
    })
    const slow = await enqueue({ lane: 'slow', payload: 'slow' })
    const next = await enqueue({ lane: 'slow' })
    const other = await enqueue({ lane: 'other' })
    const free = await enqueue()
    const outbox = await start({
      say: async job => {
        if (job.payload !== 'slow') return { kind: 'done', apply: effect(job.id) }
        if (job.attempts === 0) return { kind: 'retry', after: 300, reason: 'busy' }
        await held
        return { kind: 'done', apply: effect(job.id) }
      },
    })
    await until(other, 'done')
    await until(free, 'done')
    expect((await row(next)).state).to.equal('pending')
    await eventually(async () => (await row(slow)).attempts === 1)
    d.store.clock.advance(400)
    release?.()
    await until(next, 'done')
    await outbox.idle()
    expect((await effects()).slice(2)).to.deep.equal([slow, next])
  })

  it('adds a promise once by its key, and starts a job only when it is due', async () => {
    const one = await enqueue({ key: 'k', due: d.store.clock.now() + 60_000 })
    expect(await enqueue({ key: 'k' })).to.equal(one)
    const outbox = await start({ say: async job => ({ kind: 'done', apply: effect(job.id) }) })
    await outbox.idle()
    expect(await effects()).to.deep.equal([])
    d.store.clock.advance(60_001)
    await until(one, 'done')
    expect(await enqueue({ key: 'k' })).to.equal(one)
    await outbox.idle()
    expect(await effects()).to.deep.equal([one])
  })

  it('tries a broken job again, later each time, then gives it up with an audit row and an alert', async () => {
    const id = await enqueue({ lane: 'a', patient: 'pt_1' })
    const after = await enqueue({ lane: 'a', kind: 'fine' })
    await start(
      {
        say: async () => {
          throw new TypeError('a fault')
        },
        fine: async job => ({ kind: 'done', apply: effect(job.id) }),
      },
      { maxErrors: 4 },
    )
    const waits: number[] = []
    for (let errors = 1; errors < 4; errors++) {
      await eventually(async () => (await row(id)).errors === errors)
      const wait = (await row(id)).due_at - d.store.clock.now()
      waits.push(wait)
      d.store.clock.advance(wait + 1)
    }
    await until(id, 'failed')
    await until(after, 'done')
    expect(waits[2]).to.be.above(waits[0] ?? 0)
    const [audit] = await d.store.db('audit_queue').where({ action: 'job.failed' })
    expect(audit).to.deep.include({
      patient: 'pt_1',
      outcome: 'failed',
      reason: 'TypeError',
      object: { kind: 'job', id },
    })
    expect(log.problems()).to.deep.equal(['a job was given up: say'])
  })

  it('takes an absent peer for no fault, but not for ever', async () => {
    const id = await enqueue()
    await start(
      { say: async () => void (await fetch('http://127.0.0.1:9/')) as never },
      { maxErrors: 2, outageLimitMs: 600_000 },
    )
    for (let attempts = 1; attempts <= 4; attempts++) {
      await eventually(async () => (await row(id)).attempts === attempts)
      d.store.clock.advance(70_000)
    }
    expect(await row(id)).to.include({ state: 'pending', errors: 0 })
    d.store.clock.advance(600_000)
    await until(id, 'failed')
  })

  it('keeps nothing of an effect that fails half way, and notes what was begun', async () => {
    const id = await enqueue()
    const steps: string[] = []
    await start({
      say: async (job, ctx) => {
        steps.push(await ctx.step('send'))
        if (job.attempts === 0) await ctx.note('sid', 'SM1')
        return {
          kind: 'done',
          apply: async tx => {
            await effect(`${await ctx.noted('sid')}`)(tx)
            if (job.attempts === 0) await tx.sql.raw('select 1/0')
          },
        }
      },
    })
    await eventually(async () => (await row(id)).errors === 1)
    expect(await effects()).to.deep.equal([])
    d.store.clock.advance(10_000)
    await until(id, 'done')
    expect(steps).to.deep.equal(['first', 'again'])
    expect(await effects()).to.deep.equal(['SM1'])
  })

  it('leaves a job of an unknown kind to a process that knows it', async () => {
    const id = await enqueue({ kind: 'novel' })
    const old = await start({ say: async () => ({ kind: 'done' }) })
    await old.idle()
    expect((await row(id)).state).to.equal('pending')
    await start({ novel: async () => ({ kind: 'done' }) })
    await until(id, 'done')
  })

  it('does nothing outside once its claim is lost', async () => {
    const peer = await testPeer()
    const id = await enqueue()
    let tries = 0
    await start({
      say: async (_job, ctx) => {
        if (++tries === 1)
          await d.store.db.raw(`select pg_terminate_backend(pid) from pg_stat_activity
          where datname = current_database() and state = 'idle in transaction'`)
        await ctx.step('send')
        await peer.send(id)
        return { kind: 'done' }
      },
    })
    await until(id, 'done')
    expect(tries).to.equal(2)
    expect(peer.count(id)).to.equal(1)
    await peer.stop()
  })

  it('forgets what a job carried when it is done, and the job itself later', async () => {
    const id = await enqueue()
    const outbox = await start({
      say: async (_job, ctx) => {
        await ctx.step('a')
        return { kind: 'done' }
      },
    })
    await until(id, 'done')
    expect((await row(id)).payload).to.equal('')
    expect(await d.store.db('outbox_step').select()).to.deep.equal([])
    await outbox.stop()
    running = []
    d.store.clock.advance(10_000)
    expect(await sweepOutbox(d.store, 5_000)).to.equal(1)
    expect(await row(id)).to.equal(undefined)
  })

  it('gives a job and step one Matrix transaction id at every try', () => {
    expect(txnIdFor('jb_1', 'send')).to.equal(txnIdFor('jb_1', 'send'))
    expect(txnIdFor('jb_1', 'send')).to.not.equal(txnIdFor('jb_1', 'sign'))
    expect(txnIdFor('jb_1', 'send')).to.match(/^wr_[\w-]{32}$/)
  })

  it('runs a sweep in one process at a time, once an interval', async () => {
    let runs = 0
    let at = 0
    let overlaps = 0
    const run = async () => {
      if (++at > 1) overlaps++
      runs++
      await new Promise(done => setTimeout(done, 20))
      at--
    }
    // Every look asks for the time.
    let looks = 0
    const now = () => {
      looks++
      return d.store.clock.now()
    }
    const store = { ...d.store, clock: { now } }
    const sweeps = [1, 2, 3].map(() => startSweeps({ store, every: 60_000, name: 's', run, log, lookMs: 5 }))
    await eventually(() => runs === 1)
    d.store.clock.advance(59_000)
    const before = looks
    await eventually(() => looks >= before + 12, { what: 'some looks of each process' })
    expect(runs).to.equal(1)
    d.store.clock.advance(2_000)
    await eventually(() => runs === 2)
    for (const s of sweeps) await s.stop()
    expect(runs).to.equal(2)
    expect(overlaps).to.equal(0)
  })

  it('leaves no connection open when it is stopped', async () => {
    const outbox = await start({ say: async () => ({ kind: 'done' }) })
    await until(await enqueue(), 'done')
    await outbox.stop()
    running = []
    await eventually(async () => {
      const { rows } = await d.store.db.raw(
        'select count(*)::int as n from pg_stat_activity where datname = current_database()',
      )
      const { pool } = d.store.db.client
      return rows[0].n === pool.numUsed() + pool.numFree()
    })
  })
})
