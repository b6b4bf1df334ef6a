import { expect } from 'chai'
import { fenced, type HeldLease, holdLease, LeaseLost, renewLease, tryLease } from '../../../core/store/bots/leases.ts'
import { database, type TestDatabase } from '../../support/database.ts'
import { eventually } from '../../support/eventually.ts'
import { testLog } from '../../support/test-log.ts'

describe('leases', () => {
  let d: TestDatabase
  const held: HeldLease[] = []
  const log = testLog()
  before(async function () {
    this.timeout(120_000)
    d = await database()
  })
  after(async () => {
    for (const lease of held) await lease.stop()
    await d?.drop()
  })
  const hold = async (name: string, o: { ttlMs?: number; onLost?: () => void; signal?: AbortSignal } = {}) => {
    const db = d.another().db
    const lease = await holdLease({ db, name, holder: 'test', log, ttlMs: 600, onLost: () => undefined, ...o })
    held.push(lease)
    return lease
  }

  it('have one holder, who keeps them longer than they last', async () => {
    const first = await hold('one')
    const end = async () => Number((await d.store.db('lease').where({ name: 'one' }).first()).expires_at)
    const given = await end()
    await eventually(async () => (await end()) > given + 1000, {
      what: 'a lease that was renewed beyond its first end',
    })
    expect(await tryLease(d.store.db, 'one', 'other', 600)).to.equal(null)
    expect(await renewLease(d.store.db, first, 600)).to.equal(true)
  })

  it('go to exactly one of many who want them', async () => {
    const got = await Promise.all(Array.from({ length: 20 }, () => tryLease(d.store.db, 'many', 'x', 5000)))
    expect(got.filter(epoch => epoch !== null)).to.deep.equal([1])
  })

  it('pass on at once when given up, with a higher epoch', async () => {
    // Far from its end, so that only being given up can explain the next holder.
    const ttlMs = 60_000
    const first = await hold('passed', { ttlMs })
    const waiting = hold('passed', { ttlMs })
    const begin = performance.now()
    await first.stop()
    const second = await waiting
    expect(performance.now() - begin).to.be.lessThan(ttlMs / 4)
    expect(second.epoch).to.equal(first.epoch + 1)
  })

  it('pass on when their holder is silent, whose writes are refused from then on', async () => {
    const epoch = await tryLease(d.store.db, 'silent', 'dead', 600)
    const begin = performance.now()
    const next = await hold('silent')
    expect(performance.now() - begin)
      .to.be.greaterThan(400)
      .and.lessThan(1500)
    const old = { name: 'silent', epoch: epoch ?? 0 }
    expect(next.epoch).to.equal(old.epoch + 1)
    expect(await renewLease(d.store.db, old, 600)).to.equal(false)
    const write = fenced(d.store.db, old, async () => 'written')
    expect(await write.catch((e: Error) => e)).to.be.instanceOf(LeaseLost)
    expect(await fenced(d.store.db, next, async () => 'written')).to.equal('written')
  })

  it('tell their holder that they were lost', async () => {
    let lost = 0
    await hold('lost', { onLost: () => lost++ })
    await d.store.db('lease').where({ name: 'lost' }).update({ epoch: 99 })
    await eventually(() => lost === 1)
  })

  it('are not taken over while a fenced write is on its way', async () => {
    const epoch = (await tryLease(d.store.db, 'busy', 'dead', 1)) ?? 0
    const order: string[] = []
    const begun = Promise.withResolvers<void>()
    const end = Promise.withResolvers<void>()
    const writing = fenced(d.store.db, { name: 'busy', epoch }, async () => {
      begun.resolve()
      await end.promise
      order.push('written')
    })
    await begun.promise
    const taking = tryLease(d.store.db, 'busy', 'next', 600).then(e => order.push(`taken ${e}`))
    // It is there, and waits.
    await eventually(async () => {
      const { rows } = await d.store.db.raw(
        `select 1 from pg_stat_activity where wait_event_type = 'Lock' and query like '%lease%'`,
      )
      return rows.length > 0
    })
    end.resolve()
    await Promise.all([writing, taking])
    expect(order).to.deep.equal(['written', `taken ${epoch + 1}`])
  })

  it('stop being waited for on demand', async () => {
    await tryLease(d.store.db, 'stopped', 'other', 60_000)
    const error = await hold('stopped', { signal: AbortSignal.timeout(100) }).catch((e: Error) => e)
    expect(error).to.be.instanceOf(Error)
  })
})
