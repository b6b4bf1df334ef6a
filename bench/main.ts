import { endRun } from './after-run.ts'
import { areas, type Bench } from './bench.ts'
import { benches } from './index.ts'

const chosen = (bench: Bench, wanted: readonly string[]): boolean =>
  wanted.length === 0 ||
  wanted.some(w => w === bench.area || bench.figures.some(name => `${bench.area}.${name}`.startsWith(w)))

/**
 * Runs the measurements of the named areas (or figures, by the beginning of their names; all without a name) one after the other, and prints one JSON line
 * per figure on standard output. Gives the exit code: 1 when a measurement broke down or no name fits, 0 otherwise, whether the goals hold or not.
 */
export const runBench = async (
  wanted: readonly string[],
  print = (line: string) => console.log(line),
): Promise<number> => {
  const say = (line: string) => console.error(line)
  const all = await Promise.all(benches.map(load => load()))
  const selected = all.filter(b => chosen(b, wanted))
  if (selected.length === 0) {
    say(
      `Nothing is measured under that name; areas: ${areas.join(', ')}; figures: ${all.flatMap(b => b.figures.map(n => `${b.area}.${n}`)).join(', ')}.`,
    )
    return 1
  }
  const interrupted = () => void endRun().finally(() => process.exit(130))
  process.once('SIGINT', interrupted)
  let broken = 0
  for (const bench of selected) {
    try {
      for (const line of await bench.run(say)) print(JSON.stringify(line))
    } catch (err) {
      broken++
      console.error(`${bench.area} (${bench.figures.join(', ')}) could not be measured:`, err)
    }
  }
  await endRun()
  process.off('SIGINT', interrupted)
  return broken > 0 ? 1 : 0
}
