import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { LogJob } from '../../core/domain/audit/log-job.ts'
import { isRefusal } from '../../core/domain/refusal.ts'
import type { JobHandler, Outcome } from '../../core/queues/outbox-worker.ts'
import { latestPinned } from '../../core/store/pins/pins.ts'
import type { Job } from '../../core/store/queues/outbox.ts'
import { inSnapshot } from '../../core/store/snapshot.ts'
import type { AuditDeps } from '../deps.ts'
import { databaseLog } from '../folder/database-log.ts'
import { exportLog } from '../folder/export.ts'
import { verifyFolder } from '../folder/verify.ts'
import { type Verdict, verifyLog } from '../folder/verify-log.ts'

type Deps = Pick<AuditDeps, 'store' | 'dataDir' | 'vkeys' | 'alert'>
type What = 'audit.export' | 'audit.verify'

/** The verdict in words, the first lines the same for an export and for the database. */
const verdictWords = (v: Verdict): string[] => [
  `${v.size} entries of ${v.origin}${v.first > 0 ? `, of which those before #${v.first} were pruned` : ''}.`,
  `Root: ${Buffer.from(v.root, 'hex').toString('base64')}`,
  ...(v.against ? [`Compared with the checkpoint over ${v.against.size} entries that was put outside.`] : []),
  ...v.cosigned.map(c => `Cosigned by ${c.name} at ${c.size} entries.`),
  ...v.unchecked.map(line => `Not checked: ${line}`),
  ...v.problems.slice(0, 10).map(p => `WRONG, ${p.where}: ${p.what}`),
  ...(v.problemCount > 10 ? [`And ${v.problemCount - 10} more.`] : []),
]

/** Ends the job: what came of it goes into the log and into the thread, in one transaction. */
const ended = (job: Job, action: What, words: readonly string[], v?: Verdict): Outcome => {
  const { by, room, thread } = job.payload as LogJob
  const detail = v && { entries: v.size, problems: v.problemCount }
  return {
    kind: 'done',
    apply: async tx => {
      const outcome = v?.holds ? 'done' : 'failed'
      // That an export began is in the log already; that it ended is said as what it is, a verification.
      const said = action === 'audit.export' && v ? 'audit.verify' : action
      await tx.audit({
        actor: by,
        action: said,
        object: { kind: 'audit', id: said === action ? 'log' : 'export' },
        outcome,
        detail,
      })
      const payload = { to: { room }, text: words.join('\n'), thread }
      await tx.enqueue({ queue: 'bots', kind: 'bot.say', key: `log:${job.id}`, lane: room, payload })
    },
  }
}

/** A log that verifies by itself may still be another one: one of its keys must be this server's. */
const ours = (d: Deps, v: Verdict): Verdict => {
  const file = d.vkeys()
  if (v.keys.some(key => file.includes(key))) return v
  const problem = { where: 'vkey', what: "None of the log's keys is in this server's key file." }
  return { ...v, holds: false, problems: [problem, ...v.problems], problemCount: v.problemCount + 1 }
}

const alarm = (d: Deps, v: Verdict): void => {
  const [first] = v.problems
  if (first)
    d.alert({
      code: 'audit.verify',
      ref: first.where,
      sentence: `The audit log does not verify: ${first.where}: ${first.what}`,
    })
}

/** `audit.verify`: computes the log in the database again and compares it with its checkpoints, the key file, and the newest checkpoint that was put outside. */
const verify =
  (d: Deps): JobHandler =>
  async job => {
    const found = await inSnapshot(d.store.db, async sql => {
      const log = await databaseLog(sql)
      return isRefusal(log) ? log : verifyLog(log, { against: await latestPinned(sql) })
    })
    if (isRefusal(found)) return ended(job, 'audit.verify', [found.sentence])
    const v = ours(d, found)
    alarm(d, v)
    const title = v.holds
      ? 'Verified: every entry is as it was signed.'
      : `⚠️ Not verified: ${v.problemCount} things are wrong. Keep the database and the backups as they are, and ask for help.`
    return ended(job, 'audit.verify', [title, ...verdictWords(v)], v)
  }

const stamp = (at: number) => new Date(at).toISOString().slice(0, 19).replaceAll(/[-:]/g, '').replace('T', '-')

/** `audit.export`: writes the log to a folder of its own under the data folder, and verifies what lies there. A second try goes on where the first one ended. */
const exported =
  (d: Deps): JobHandler =>
  async job => {
    const folder = join(d.dataDir, 'audit', 'exports')
    await mkdir(folder, { recursive: true, mode: 0o700 })
    const dir = join(folder, `${stamp(job.createdAt)}-${job.id.slice(-6)}`)
    const made = await inSnapshot(d.store.db, async sql => {
      const log = await databaseLog(sql)
      return isRefusal(log) ? log : exportLog(log, dir)
    })
    if (isRefusal(made) && made.code !== 'folder-exists') return ended(job, 'audit.export', [made.sentence])
    const found = await verifyFolder(dir)
    if (isRefusal(found)) return ended(job, 'audit.export', [`${dir}: ${found.sentence}`])
    const v = ours(d, found)
    alarm(d, v)
    const title = v.holds
      ? `The log is on the server in ${dir}. Anybody can verify it: wardroom audit verify ${dir}`
      : `⚠️ The log is on the server in ${dir}, but it does not verify.`
    return ended(job, 'audit.export', [title, ...verdictWords(v)], v)
  }

/** What `!audit export` and `!audit verify` ask for. */
export const logJobs = (d: Deps): Record<string, JobHandler> => ({
  'audit.export': exported(d),
  'audit.verify': verify(d),
})
