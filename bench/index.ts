import type { Bench } from './bench.ts'

/** Every measurement, loaded only when it is run. */
export const benches: readonly (() => Promise<Bench>)[] = [() => import('./inbox.ts').then(m => m.inbox)]
