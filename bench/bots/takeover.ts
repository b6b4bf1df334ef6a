import { setTimeout as pause } from 'node:timers/promises'
import { stopStack } from '../../test/support/stack.ts'
import { botWorld } from '../../test/support/worlds/bot-world.ts'
import { afterRun } from '../after-run.ts'
import type { Bench } from '../bench.ts'
import { figure, median } from '../figure.ts'

const rounds = 5

/** How long a bot is without a leader after its process was killed, with a second process waiting. */
export const takeover: Bench = {
  area: 'bots',
  figures: ['takeover_ms'],
  run: async say => {
    say(`bots: ${rounds} leaders are killed`)
    afterRun(stopStack)
    const w = await botWorld()
    try {
      const times: number[] = []
      let leader = w.start()
      await leader.leads()
      for (let round = 0; round < rounds; round++) {
        const next = w.start()
        // By then it has started and waits for the lease.
        await pause(4000)
        const begin = performance.now()
        await leader.kill()
        await next.leads(60_000)
        times.push(performance.now() - begin)
        leader = next
      }
      return [
        figure({
          name: 'bots.takeover_ms',
          value: Math.max(...times),
          unit: 'ms',
          goal: { atMost: 5000 },
          note: `the slowest of ${rounds}, median ${Math.round(median(times))} ms: from SIGKILL to a leader that has synced`,
        }),
      ]
    } finally {
      await w.stop()
    }
  },
}
