import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { eventually } from '../eventually.ts'
import type { SinksOptions } from '../processes/sinks-process.ts'
import type { SinkWorld } from '../worlds/sink-world.ts'

const script = fileURLToPath(new URL('../processes/sinks-process.ts', import.meta.url))

/** The sinks of a world in a process of its own, which `kill` ends with SIGKILL. */
export const startExporter = async (w: Pick<SinkWorld, 'db' | 'folder'>): Promise<{ kill(): Promise<void> }> => {
  const o: SinksOptions = { url: w.db.url, keys: w.db.keys, sinkFolder: w.folder }
  const child = spawn(process.execPath, [script], {
    env: { ...process.env, SINKS: JSON.stringify(o) },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const gone = new Promise<void>(done => child.once('exit', () => done()))
  const killAtExit = () => void child.kill('SIGKILL')
  process.once('exit', killAtExit)
  let out = ''
  child.stdout?.on('data', d => {
    out += String(d)
  })
  await eventually(() => out.includes('ready'), { timeout: 60_000, what: 'the exporter' })
  return {
    kill: async () => {
      child.kill('SIGKILL')
      await gone
      process.off('exit', killAtExit)
    },
  }
}
