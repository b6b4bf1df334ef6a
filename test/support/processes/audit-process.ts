// A sequencer of the audit log, or a writer of audited actions, in a process of its own: a test kills it, the bench gives it a core.
import { type ChildProcess, spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { startSequencer } from '../../../audit/sequencer.ts'
import { isRefusal } from '../../../core/domain/refusal.ts'
import { createLog } from '../../../core/log.ts'
import { createSeal, type SealingKeys } from '../../../core/seal.ts'
import { openDb } from '../../../core/store/db.ts'
import { type StoreDeps, transact } from '../../../core/store/tx.ts'
import { systemClock, systemRandom } from '../../../core/system.ts'
import { parseSigningKey } from '../../../core/tlog/key.ts'
import { eventually } from '../eventually.ts'

/** What the parent gives in the environment variable AUDIT_PROCESS. */
export type AuditProcessOptions = { url: string; keys: SealingKeys } & (
  | { role: 'sequencer'; origin: string; logKey: string; pollMs?: number; batch?: number; leaseTtlMs?: number }
  /** Commits events `name:1`, `name:2`, … and tells each number once it is committed. */
  | { role: 'writer'; name: string }
)

export type AuditProcess = {
  /** The lines that it wrote to standard output. */
  lines(): string[]
  /** Resolves when its code runs: it writes, or waits for the lease. */
  begun(): Promise<void>
  /** SIGKILL; resolves when it is gone. */
  kill(): Promise<void>
}

const script = fileURLToPath(import.meta.url)

export const auditProcess = (o: AuditProcessOptions): AuditProcess => {
  const child: ChildProcess = spawn(process.execPath, [script], {
    env: { ...process.env, AUDIT_PROCESS: JSON.stringify(o) },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const gone = new Promise<void>(done => child.once('close', () => done()))
  let output = ''
  child.stdout?.on('data', chunk => {
    output += String(chunk)
  })
  const killAtExit = () => void child.kill('SIGKILL')
  process.once('exit', killAtExit)
  const lines = () => output.split('\n').slice(0, -1)
  return {
    lines,
    begun: async () => void (await eventually(() => lines().includes('begun'), { timeout: 60_000, what: o.role })),
    kill: async () => {
      child.kill('SIGKILL')
      await gone
      process.off('exit', killAtExit)
    },
  }
}

const tell = (line: string) => process.stdout.write(`${line}\n`)

const write = async (store: StoreDeps, name: string): Promise<never> => {
  for (let n = 1; ; n++) {
    // Several events a transaction, so that a torn one would show.
    await transact(store, async tx => {
      for (const part of ['a', 'b'])
        await tx.audit({
          actor: { kind: 'service', id: name },
          action: 'message.notice',
          object: { kind: 'report', id: `${name}:${n}:${part}` },
          outcome: 'done',
          patient: `pt_${n % 7}`,
        })
    })
    tell(String(n))
  }
}

if (process.env.AUDIT_PROCESS && process.argv[1] === script) {
  const o = JSON.parse(process.env.AUDIT_PROCESS) as AuditProcessOptions
  const log = createLog('audit', process.env.WARDROOM_LOG_LEVEL ?? 'fatal')
  const store = { db: openDb(o.url, { max: 4 }), clock: systemClock, random: systemRandom, seal: createSeal(o.keys) }
  tell('begun')
  if (o.role === 'writer') await write(store, o.name)
  else {
    const key = parseSigningKey(o.logKey)
    if (isRefusal(key)) throw new Error(key.sentence)
    const sequencer = await startSequencer({
      ...o,
      store,
      keys: () => [key],
      holder: String(process.pid),
      log,
      alert: a => tell(`alert ${a.code}`),
      onLost: () => process.exit(70),
    })
    sequencer.onSequenced((_from, to) => tell(`signed ${to} ${Date.now()}`))
    tell('leads')
  }
}
