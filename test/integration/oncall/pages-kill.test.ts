import { expect } from 'chai'
import { hours, minutes } from '../../../core/domain/clock.ts'
import { namedSteps, type Run, throughTrouble, troubles } from '../../support/oncall/reliability-run.ts'
import { type ReliabilityWorld, reliabilityWorld } from '../../support/oncall/reliability-world.ts'
import { seededRandom } from '../../support/random.ts'

const runs = Number(process.env.WARDROOM_RUNS ?? (process.env.WARDROOM_LONG === '1' ? 1200 : 30))

/** Issue 5, point 11. */
describe('paging whose process is killed at every durable step', function () {
  this.timeout(60_000 + runs * 20_000)
  const random = seededRandom('pages-kill')
  let w: ReliabilityWorld
  before(async () => {
    w = await reliabilityWorld(random)
  })
  after(() => w?.stop())

  /** Two minutes before New York's clocks change, in spring and in autumn, or any hour of a year. */
  const someTime = (): number =>
    random.int(4) > 0
      ? Date.UTC(2026, 3, 1) + hours(random.int(5000)) + minutes(random.int(60))
      : random.pick([Date.UTC(2027, 2, 14, 7), Date.UTC(2026, 10, 1, 6), Date.UTC(2028, 2, 12, 7)]) - minutes(2)

  const someKill = () => {
    const [step] = random.pick(namedSteps.slice(0, 11))
    return { step, when: random.pick(['before', 'after'] as const), nth: 1 + random.int(2) }
  }
  const offset = random.int(namedSteps.length)
  const runOf = (n: number): Run => {
    const [step, story] = namedSteps[(n + offset) % namedSteps.length] ?? ['page stored', 'text']
    const moved = step === 'clock settled'
    return {
      kill: { step, when: random.pick(['before', 'after'] as const), nth: 1 + random.int(2) },
      ...(random.int(4) === 0 ? { second: someKill() } : {}),
      story,
      trouble: moved
        ? random.pick(['an hour ahead', 'an hour back'] as const)
        : (troubles[n % troubles.length] ?? 'none'),
      road: random.pick(['plain', 'twice', 'mixed'] as const),
      from: someTime(),
    }
  }

  it(`loses none of ${runs * 3} pages in ${runs} runs, with failing peers, clocks that are set, and reports that come twice and mixed up`, async () => {
    const sum = { killed: 0, pages: 0, texts: 0, calls: 0, repeated: 0 }
    for (let n = 0; n < runs; n++) {
      const run = runOf(n)
      const result = await throughTrouble(w, run, random, n)
      expect(result.wrong, `run ${n}: ${JSON.stringify(run)}`).to.deep.equal([])
      for (const key of Object.keys(sum) as (keyof typeof sum)[]) sum[key] += result[key]
    }
    console.log(`      ${runs} runs, ${JSON.stringify(sum)}, lost 0`)
    expect(sum.pages).to.equal(runs * 3)
    expect(sum.killed, 'kills').to.be.at.least(runs / 2)
  })
})
