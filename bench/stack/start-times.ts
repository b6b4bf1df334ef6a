import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startWardroomProcess } from '../../test/support/processes/wardroom-process.ts'
import type { Bench } from '../bench.ts'
import { figure } from '../figure.ts'

type Start = { seconds: number; bare: number }

/** Starts the program on a data folder until it prints its table, and stops it as Ctrl-C does. `bare`: what PostgreSQL and Synapse took of it. */
const start = async (dataDir: string): Promise<Start> => {
  const from = performance.now()
  const one = startWardroomProcess(['--data', dataDir], { WARDROOM_CONFIG: '' })
  try {
    await one.ready()
    const seconds = (performance.now() - from) / 1000
    const parts = [...one.output().matchAll(/^(?:PostgreSQL|Synapse): ready after ([\d.]+) s/gm)]
    return { seconds, bare: parts.reduce((sum, [, part]) => sum + Number(part), 0) }
  } finally {
    one.ctrlC()
    await one.exited
  }
}

/** From the command to everything running: on a fresh data folder, and once more on the same. */
export const startTimes: Bench = {
  area: 'stack',
  figures: ['cold_start_s', 'warm_start_s'],
  run: async say => {
    const folder = mkdtempSync(join(tmpdir(), 'wardroom-bench-'))
    try {
      say('stack: a first start in a fresh folder, and a second one')
      const cold = await start(join(folder, 'data'))
      const warm = await start(join(folder, 'data'))
      const made = (name: string, { seconds, bare }: Start, atMost: number, note: string) =>
        figure({ name, value: seconds, unit: 's', baseline: bare, goal: { atMost }, note })
      const bare = 'baseline: PostgreSQL and Synapse alone'
      return [
        made('stack.cold_start_s', cold, 120, `fresh data folder, packages installed and page built; ${bare}`),
        made('stack.warm_start_s', warm, 10, `the same folder again; ${bare}`),
      ]
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  },
}
