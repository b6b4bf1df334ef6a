import type { Bench } from './bench.ts'
import { figure } from './figure.ts'
import { scaled } from './scale.ts'
import { type Ward, ward } from './ward.ts'

type Sample = Ward['memory'][number]

/** What one more patient costs, by least squares over the later half: what the first enrolments add is mostly code and heap that is there from then on. */
const perPatient = (samples: readonly Sample[]): number => {
  const later = samples.slice(Math.floor(samples.length / 2))
  const mean = (of: (s: Sample) => number) => later.reduce((sum, s) => sum + of(s), 0) / later.length
  const [x, y] = [mean(s => s.patients), mean(s => s.mb)]
  const spread = later.reduce((sum, s) => sum + (s.patients - x) ** 2, 0)
  if (spread === 0) throw new Error('too few patients to extrapolate from')
  return later.reduce((sum, s) => sum + (s.patients - x) * (s.mb - y), 0) / spread
}

/** Memory of our services with 1,000 enrolled patients, extrapolated from a hundred. */
export const memory: Bench = {
  area: 'stack',
  figures: ['memory_per_1000_patients'],
  run: async say => {
    const w = await ward(say)
    await w.patients(scaled(100, 12))
    const empty = w.memory[0] as Sample
    const last = w.memory.at(-1) as Sample
    const each = perPatient(w.memory)
    return [
      figure({
        name: 'stack.memory_per_1000_patients',
        value: last.mb + Math.max(0, each) * (1000 - last.patients),
        unit: 'MB',
        baseline: empty.mb,
        goal: { atMost: 1024 },
        note: `bridge, keeper, bots and local server: ${Math.round(last.mb)} MB with ${last.patients} patients, ${(each * 1000).toFixed(0)} kB more for each; baseline: nobody enrolled`,
      }),
    ]
  },
}
