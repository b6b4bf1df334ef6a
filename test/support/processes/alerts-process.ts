// The alert rules over a log, in a process of its own that a test kills.
import { type ChildProcess, spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { alertEngine } from '../../../audit/alerts/engine.ts'
import { createSeal, type SealingKeys } from '../../../core/seal.ts'
import { openDb } from '../../../core/store/db.ts'
import { systemClock, systemRandom } from '../../../core/system.ts'

type Options = { url: string; keys: SealingKeys }

export type AlertsProcess = {
  /** SIGKILL; resolves when it is gone. */
  kill(): Promise<void>
}

const script = fileURLToPath(import.meta.url)

export const alertsProcess = (o: Options): AlertsProcess => {
  const child: ChildProcess = spawn(process.execPath, [script], {
    env: { ...process.env, ALERTS_PROCESS: JSON.stringify(o) },
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  const gone = new Promise<void>(done => child.once('close', () => done()))
  const killAtExit = () => void child.kill('SIGKILL')
  process.once('exit', killAtExit)
  return {
    kill: async () => {
      child.kill('SIGKILL')
      await gone
      process.off('exit', killAtExit)
    },
  }
}

if (process.env.ALERTS_PROCESS && process.argv[1] === script) {
  const o = JSON.parse(process.env.ALERTS_PROCESS) as Options
  const store = { db: openDb(o.url, { max: 3 }), clock: systemClock, random: systemRandom, seal: createSeal(o.keys) }
  const engine = alertEngine(store)
  for (;;) if (!(await engine.turn())) await new Promise(done => setTimeout(done, 5))
}
