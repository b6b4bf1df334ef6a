import { expect } from 'chai'
import { type Dispatcher, type DispatcherOptions, startDispatcher } from '../../../core/queues/dispatcher.ts'
import { eventually } from '../../support/eventually.ts'
import { testLog } from '../../support/test-log.ts'

describe('the dispatcher', () => {
  const started: Dispatcher[] = []
  const start = (o: DispatcherOptions) => {
    const dispatcher = startDispatcher(o)
    started.push(dispatcher)
    return dispatcher
  }
  afterEach(async () => {
    for (const dispatcher of started.splice(0)) await dispatcher.stop()
  })

  it('comes back to what could not be taken, also while other work keeps it busy', async () => {
    const log = testLog()
    let tries = 0
    let others = 0
    start({
      concurrency: 2,
      pollMs: 50,
      log,
      find: async busy => [{ key: 'contended' }, { key: `other ${others}` }].filter(({ key }) => !busy.includes(key)),
      run: async key => {
        await new Promise(done => setTimeout(done, 5))
        if (key === 'contended') tries++
        else others++
        return key !== 'contended'
      },
    })
    await eventually(() => tries >= 5, { timeout: 3000 })
    expect(others).to.be.above(tries)
    expect(log.problems()).to.deep.equal([])
  })

  it('does not hammer what cannot be taken, nor a database that is away', async () => {
    let looks = 0
    let tries = 0
    const log = testLog()
    start({
      concurrency: 1,
      pollMs: 50,
      log,
      find: async busy => {
        looks++
        if (looks > 3) throw Object.assign(new Error('away'), { code: 'ECONNREFUSED' })
        return busy.includes('a') ? [] : [{ key: 'a' }]
      },
      run: async () => {
        tries++
        return false
      },
    })
    await eventually(() => looks > 3)
    const before = looks
    const begin = performance.now()
    await eventually(() => looks >= before + 4)
    expect(performance.now() - begin, 'four more looks').to.be.above(3 * 50 * 0.9)
    expect(tries).to.be.below(4)
    expect(log.lines.filter(l => l.level === 40)).to.have.lengthOf(1)
  })

  it('keeps to its number, and waits at its stop for what runs', async () => {
    let active = 0
    let most = 0
    let n = 0
    const dispatcher = start({
      concurrency: 3,
      log: testLog(),
      find: async (_busy, limit) => Array.from({ length: limit }, () => ({ key: `k${n++}` })),
      run: async () => {
        most = Math.max(most, ++active)
        await new Promise(done => setTimeout(done, 10))
        active--
        return true
      },
    })
    await eventually(() => n > 12)
    await dispatcher.stop()
    expect(active).to.equal(0)
    expect(most).to.equal(3)
    const after = n
    dispatcher.poke()
    await new Promise(setImmediate)
    expect(n).to.equal(after)
  })
})
