import type { Bench } from './bench.ts'
import { figure } from './figure.ts'
import { scaled } from './scale.ts'
import { ward } from './ward.ts'

/** Memory of our services with 1,000 enrolled patients, extrapolated from what the later ones of a hundred added. */
export const memory: Bench = {
  area: 'stack',
  figures: ['memory_per_1000_patients'],
  run: async say => {
    const w = await ward(say)
    await w.patients(scaled(100))
    const empty = w.memory[0]
    const last = w.memory.at(-1)
    // What the first enrolments add is mostly code and heap that is there from then on.
    const middle = w.memory[Math.floor(w.memory.length / 2)]
    if (!empty || !middle || !last || last === middle) throw new Error('too few patients to extrapolate from')
    const each = (last.mb - middle.mb) / (last.patients - middle.patients)
    return [
      figure({
        name: 'stack.memory_per_1000_patients',
        value: last.mb + Math.max(0, each) * (1000 - last.patients),
        unit: 'MB',
        baseline: empty.mb,
        goal: { atMost: 1024 },
        note: `bridge, keeper, bots and local server; baseline: nobody enrolled; ${w.memory.map(m => `${m.patients}: ${Math.round(m.mb)} MB`).join(', ')}`,
      }),
    ]
  },
}
