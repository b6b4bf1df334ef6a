import type { Bench } from '../bench.ts'
import { figure } from '../figure.ts'
import { scaled } from '../scale.ts'
import { ward } from '../ward.ts'

const count = scaled(100, 10)

/** Memory of our services with 1,000 enrolled patients, extrapolated from what the later half of a hundred left behind. */
export const memory: Bench = {
  area: 'stack',
  figures: ['memory_per_1000_patients'],
  run: async say => {
    const w = await ward(say)
    const empty = await w.settledMemory()
    // What the first enrolments add is mostly code and heap that is there from then on.
    const half = Math.round(count / 2)
    await w.patients(half)
    const some = await w.settledMemory()
    await w.patients(count)
    const all = await w.settledMemory()
    const each = Math.max(0, all - some) / (count - half)
    const mb = [empty, some, all].map(Math.round)
    return [
      figure({
        name: 'stack.memory_per_1000_patients',
        value: all + each * (1000 - count),
        unit: 'MB',
        baseline: empty,
        goal: { atMost: 1024 },
        note: `bridge, keeper, bots and local server: ${mb[0]} MB with nobody (the baseline), ${mb[1]} MB with ${half}, ${mb[2]} MB with ${count}`,
      }),
    ]
  },
}
