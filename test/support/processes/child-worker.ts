import { type ChildProcess, spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { eventually } from '../eventually.ts'
import type { WorkerOptions } from './worker-process.ts'

export type ChildWorker = {
  /** Everything it wrote to standard output. */
  output(): string
  /** SIGKILL; resolves when it is gone. */
  kill(): Promise<void>
}

const script = fileURLToPath(new URL('./worker-process.ts', import.meta.url))

/** Starts a worker process and waits until it listens. */
export const childWorker = async (o: WorkerOptions): Promise<ChildWorker> => {
  const child: ChildProcess = spawn(process.execPath, [script], {
    env: { ...process.env, WORKER: JSON.stringify(o) },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const gone = new Promise<void>(done => child.once('exit', () => done()))
  let output = ''
  child.stdout?.on('data', chunk => {
    output += String(chunk)
  })
  const killAtExit = () => void child.kill('SIGKILL')
  process.once('exit', killAtExit)
  await eventually(() => output.includes('ready'), { timeout: 60_000, what: 'the worker process' })
  return {
    output: () => output,
    kill: async () => {
      child.kill('SIGKILL')
      await gone
      process.off('exit', killAtExit)
    },
  }
}
