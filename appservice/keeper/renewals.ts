import { type ChildProcess, fork } from 'node:child_process'
import { realpathSync } from 'node:fs'
import { join } from 'node:path'
import type { PersonId } from '../../core/domain/ids.ts'
import type { Log } from '../../core/log.ts'
import type { RenewalAnswer, RenewalTask } from '../renewal/task.ts'

const program = join(import.meta.dirname, '../renewal/process.ts')
const root = join(import.meta.dirname, '../..')
/** All that the process may read: this program and its packages. */
const readable = [root, realpathSync(join(root, 'node_modules'))]
/** Far above what a renewal takes. */
const limitMs = 120_000

type Given = { bearer: string; ghost: string; deviceId: string; k: Uint8Array }

const ended = (child: ChildProcess): Promise<void> =>
  new Promise(done => {
    if (child.exitCode !== null || child.signalCode !== null) return done()
    child.once('exit', () => done())
  })

/**
 * Runs each renewal in a process of its own that gets K over its standard input and holds no other secret: its environment is empty, it may read this
 * program and write nothing. One at a time a person: a newer attempt ends the older one first.
 */
export const renewals = (where: { door: string; settleMs?: number } | undefined, log: Log) => {
  const running = new Map<PersonId, ChildProcess>()

  const kill = async (personId: PersonId) => {
    const child = running.get(personId)
    if (!child) return
    child.kill('SIGKILL')
    await ended(child)
  }

  return {
    /** Resolves when the device is replaced. @throws when it could not be; then the attempt may be made again. */
    run: async (personId: PersonId, { k, ...given }: Given): Promise<void> => {
      if (!where) throw new Error('this keeper has no way to the bridge for renewals')
      await kill(personId)
      const child = fork(program, [], {
        env: {},
        execArgv: [
          '--disable-warning=ExperimentalWarning',
          '--permission',
          ...readable.map(path => `--allow-fs-read=${path}`),
        ],
        stdio: ['pipe', 'ignore', 'inherit', 'ipc'],
      })
      running.set(personId, child)
      const limit = setTimeout(() => child.kill('SIGKILL'), limitMs)
      try {
        const answer = new Promise<RenewalAnswer>((resolve, reject) => {
          child.once('message', message => resolve(message as RenewalAnswer))
          child.once('error', reject)
          child.once('exit', (code, signal) => resolve({ failed: { name: 'Ended', code: String(signal ?? code) } }))
        })
        const task: RenewalTask = {
          ...given,
          door: `${where.door}/${personId}`,
          k: Buffer.from(k).toString('base64'),
          settleMs: where.settleMs ?? 8000,
        }
        child.stdin?.on('error', () => undefined) // it ended early: the exit says so
        child.stdin?.end(JSON.stringify(task))
        const result = await answer
        if ('failed' in result) {
          log.warn({ person: personId, err: result.failed }, 'a dehydrated device was not replaced')
          throw new Error('the process of a renewal failed')
        }
      } finally {
        clearTimeout(limit)
        await ended(child)
        if (running.get(personId) === child) running.delete(personId)
      }
    },
    stop: async () => {
      for (const personId of [...running.keys()]) await kill(personId)
    },
  }
}
