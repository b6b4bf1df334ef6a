// The deletion of records and of the keys to what is over, again and again, in a process of its own that a test kills.
import { type ChildProcess, spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { UserId } from '../../../core/domain/ids.ts'
import { recordClasses } from '../../../core/domain/records/facts.ts'
import { createLog } from '../../../core/log.ts'
import { createHomeserver } from '../../../core/matrix/homeserver.ts'
import { type DeletionDeps, deletionRun } from '../../../core/records/deletion.ts'
import { exitRun } from '../../../core/records/exit.ts'
import { createSeal, type SealingKeys } from '../../../core/seal.ts'
import { secret } from '../../../core/secret.ts'
import { openDb } from '../../../core/store/db.ts'
import type { StoreDeps } from '../../../core/store/tx.ts'
import { systemRandom } from '../../../core/system.ts'

type Options = { url: string; keys: SealingKeys; homeserverUrl: string; now: number }

export type DeletionProcess = {
  /** Resolves when it has been through everything once: there may be nothing for it to do. */
  through: Promise<void>
  /** SIGKILL; resolves when it is gone. */
  kill(): Promise<void>
}

const script = fileURLToPath(import.meta.url)

/** A deletion of everything that a test's homeserver has. */
export const deletionOf = (store: StoreDeps, homeserverUrl: string): DeletionDeps => ({
  store,
  homeserver: createHomeserver({ url: homeserverUrl, asToken: secret('as') }),
  classes: recordClasses,
  speaker: async () => '@records:h' as UserId,
  log: createLog('records', process.env.WARDROOM_LOG_LEVEL ?? 'fatal'),
})

/** Its clock runs on from `now`. */
export const deletionProcess = (o: Options): DeletionProcess => {
  const child: ChildProcess = spawn(process.execPath, [script], {
    env: { ...process.env, DELETION_PROCESS: JSON.stringify(o) },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const gone = new Promise<void>(done => child.once('close', () => done()))
  const through = new Promise<void>(done => child.stdout?.once('data', () => done()))
  const killAtExit = () => void child.kill('SIGKILL')
  process.once('exit', killAtExit)
  return {
    through,
    kill: async () => {
      child.kill('SIGKILL')
      await gone
      process.off('exit', killAtExit)
    },
  }
}

if (process.env.DELETION_PROCESS && process.argv[1] === script) {
  const o = JSON.parse(process.env.DELETION_PROCESS) as Options
  const ahead = o.now - Date.now()
  const clock = { now: () => Date.now() + ahead }
  const store = { db: openDb(o.url, { max: 3 }), clock, random: systemRandom, seal: createSeal(o.keys) }
  for (;;) {
    await deletionRun(deletionOf(store, o.homeserverUrl))
    await exitRun(deletionOf(store, o.homeserverUrl))
    process.stdout.write('through\n')
    await new Promise(done => setTimeout(done, 5))
  }
}
