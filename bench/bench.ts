import type { Figure } from './figure.ts'

export const areas = ['stack', 'bridge', 'bots', 'audit', 'records', 'oncall', 'web'] as const
export type Area = (typeof areas)[number]

/** One measurement: a file in its area's folder and a line in `index.ts`. It starts what it needs, measures, and stops it. */
export type Bench = {
  area: Area
  /** The figures that it gives, without the area: what `npm run bench -- bridge.inbox` selects by. */
  figures: readonly string[]
  /** `say` reports progress on standard error. */
  run(say: (line: string) => void): Promise<Figure[]>
}
