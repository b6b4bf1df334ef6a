import { expect } from 'chai'
import fc from 'fast-check'
import { days } from '../../core/domain/clock.ts'
import type { StoreDeps } from '../../core/store/tx.ts'
import { database, type TestDatabase } from '../support/database.ts'
import { deletionProcess } from '../support/processes/deletion-process.ts'
import { seed, seededRandom } from '../support/random.ts'
import { begin, type Step, someMessages, someSteps } from '../support/records/steps.ts'
import { type RecordsWard, recordsWard } from '../support/records/ward.ts'
import { type ContentHomeserver, contentHomeserver } from '../support/worlds/content-homeserver.ts'

const long = process.env.WARDROOM_LONG === '1'

/** Row 49, on the database: `test/unit/records-interleavings.test.ts` says the same of the pure rules. */
describe('messages under a hold in the database, whatever else is done to them', function () {
  this.timeout(long ? 1_800_000 : 120_000)
  let d: TestDatabase
  let homeserver: ContentHomeserver
  let ward: RecordsWard
  let second: StoreDeps

  before(async () => {
    d = await database()
    second = d.another()
    homeserver = await contentHomeserver()
    ward = recordsWard(d, homeserver)
  })
  after(async () => {
    await homeserver?.stop()
    await d?.drop()
  })

  const go = async (steps: readonly Step[], store: StoreDeps): Promise<void> => {
    for (const s of steps) {
      await ward.take(s, store)
      await ward.check()
    }
  }

  it('are not lost while two connections do anything at once; a released hold lets go, and its counts are true', async () => {
    let [held, gone] = [0, 0]
    const runs = long ? 2000 : 60
    await fc.assert(
      fc.asyncProperty(someMessages, someSteps(7), someSteps(7), async (messages, one, other) => {
        d.store.clock.freeze(begin + days(5))
        await ward.begin(messages)
        await Promise.all([go(one, d.store), go(other, second)])
        const done = await ward.finish()
        held += done.held
        gone += done.gone
      }),
      // What depends on who comes first is not made smaller by trying again.
      { seed, numRuns: runs, endOnFailure: true },
    )
    // What only a hold kept, and what was destroyed: the steps lead somewhere.
    expect(held).to.be.greaterThan(runs / 10)
    expect(gone).to.be.greaterThan(runs / 2)
  })

  it('are not lost when the deletion is killed at any moment; the next one goes on', async () => {
    const random = seededRandom('deletion-kill')
    const kills = long ? 200 : 6
    const { clock } = d.store
    clock.freeze(begin + days(5))
    await ward.begin([])
    let [gone, amid] = [0, 0]
    const batches = fc.sample(fc.tuple(someMessages, someSteps(6)), { seed, numRuns: kills })
    for (const [n, [messages, steps]] of batches.entries()) {
      // Sooner or later holds cover everything.
      if (n % 5 === 4) {
        gone += (await ward.finish()).gone
        clock.freeze(begin + days(5))
        await ward.begin([])
      }
      for (const message of messages) await ward.take({ do: 'send', message })
      for (const message of messages) await ward.take({ do: 'send', message: { ...message, sender: '@di:h' } })
      await ward.take({
        do: 'policy',
        scope: { kind: 'user', user: '@di:h' },
        minimum: false,
        value: { from: 'sent', keepMs: 0 },
      })
      const calls = homeserver.call(1 + random.int(20))
      const child = deletionProcess({ url: d.url, keys: d.keys, homeserverUrl: homeserver.url, now: clock.now() })
      const began = await Promise.race([homeserver.call(1).then(() => true), child.through.then(() => false)])
      if (began) amid++
      const people = go(
        steps.filter(s => s.do !== 'delete'),
        d.store,
      )
      // At some call to the homeserver, or a little later: between any two steps of it.
      await Promise.race([calls, people.then(() => new Promise(done => setTimeout(done, 200)))])
      if (random.int(2)) await new Promise(done => setTimeout(done, random.int(15)))
      await child.kill()
      await people
      await ward.check()
    }
    gone += (await ward.finish()).gone
    expect(gone).to.be.greaterThan(kills)
    expect(amid, 'killed amid their work').to.be.greaterThan(kills / 4)
  })
})
