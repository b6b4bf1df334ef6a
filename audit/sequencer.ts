import type { Alerts } from '../core/alerts.ts'
import { errorFacts, isOutage } from '../core/error-facts.ts'
import type { Log } from '../core/log.ts'
import type { Metrics } from '../core/metrics.ts'
import { latestCheckpoint } from '../core/store/audit/log/checkpoints.ts'
import { isQueued, queueState } from '../core/store/audit/log/queue.ts'
import { sequence } from '../core/store/audit/log/sequence.ts'
import { storedTree } from '../core/store/audit/log/tiles.ts'
import { holdLease, LeaseLost } from '../core/store/bots/leases.ts'
import { siblingDb } from '../core/store/db.ts'
import type { StoreDeps } from '../core/store/tx.ts'
import type { SigningKey } from '../core/tlog/key.ts'
import { rootOf, type Tree } from '../core/tlog/tree.ts'

export type SequencerOptions = {
  store: StoreDeps
  /** The log's keys as they are now, oldest first. */
  keys: () => readonly SigningKey[]
  origin: string
  holder: string
  log: Log
  metrics?: Metrics
  alert: Alerts
  /** Another process leads the log: this one must end at once. */
  onLost: (reason: string) => void
  /** How often the queue is looked at (100 ms); what came meanwhile is one batch. */
  pollMs?: number
  /** Most entries of a batch (1,000). */
  batch?: number
  leaseTtlMs?: number
  signal?: AbortSignal
}

export type Sequencer = {
  /** Calls `listener` after entries from (inclusive) to (exclusive) were committed. Returns how to stop it. */
  onSequenced(listener: (from: number, to: number) => void): () => void
  /** Resolves when nothing committed waits. */
  idle(): Promise<void>
  stop(): Promise<void>
}

/** The one lease under which the log grows. */
export const logLease = 'audit-log'

/** The stored log is not the one that was signed. */
class LogDamaged extends Error {}

/** The tree that the stored tiles have for the newest checkpoint. @throws LogDamaged when they do not give its root: then nothing may be appended. */
const loadTree = async (store: StoreDeps): Promise<Tree> => {
  const latest = await latestCheckpoint(store.db)
  const tree = await storedTree(store.db, latest?.size ?? 0)
  if (latest && !rootOf(tree).equals(latest.root))
    throw new LogDamaged(`the audit log's tiles do not give the root of its checkpoint over ${latest.size} entries`)
  return tree
}

/**
 * Waits until this process leads the log, then moves every committed audit event into it, in batches, each with a signed checkpoint. It polls: a NOTIFY in
 * every audited transaction would make the database commit them one after the other, and a tenth of a second is early enough.
 */
export const startSequencer = async (o: SequencerOptions): Promise<Sequencer> => {
  const { store, log, alert } = o
  const pool = siblingDb(store.db, 2)
  const own = { ...store, db: pool }
  const listeners = new Set<(from: number, to: number) => void>()
  const limit = o.batch ?? 1000
  const pollMs = o.pollMs ?? 100
  let stopped = false
  const lost = () => {
    if (stopped) return
    stopped = true
    o.onLost('another process leads the audit log now')
  }
  try {
    const { holder, leaseTtlMs: ttlMs, signal } = o
    const lease = await holdLease({ db: pool, name: logLease, holder, log, onLost: lost, ttlMs, signal })
    // Read again after every failure: whether a commit came through, the database alone knows.
    let tree: Tree | undefined
    let failures = 0

    /** Whether there is more at once. */
    const turn = async (): Promise<boolean> => {
      if (!(await isQueued(pool))) return false
      tree ??= await loadTree(own)
      const done = await sequence({ store: own, lease, origin: o.origin, keys: o.keys() }, tree, limit)
      if (!done) return false
      tree = done.tree
      o.metrics?.count('wardroom_audit_entries_total', {}, done.to - done.from)
      for (const listener of listeners) listener(done.from, done.to)
      return done.to - done.from === limit
    }

    const safely = async (): Promise<boolean> => {
      try {
        const more = await turn()
        failures = 0
        return more
      } catch (err) {
        if (err instanceof LeaseLost) lost()
        if (stopped) return false
        failures += 1
        tree = undefined
        log.warn({ err: errorFacts(err), failures }, 'a batch of the audit log was given back; it is tried again')
        if (err instanceof LogDamaged || (!isOutage(err) && failures === 5))
          alert({
            code: 'audit.stuck',
            ref: 'sequencer',
            sentence: 'the audit log does not grow: it is damaged, or its batches fail again and again; events wait',
          })
        return false
      }
    }

    let timer: NodeJS.Timeout | undefined
    let running: Promise<void> = Promise.resolve()
    const next = (): void => {
      const begun = performance.now()
      running = safely().then(more => {
        if (stopped) return
        // A slow batch is followed at once by the next: what came meanwhile has waited long enough.
        const wait = Math.min(5000, pollMs * 2 ** Math.min(failures, 6)) - (performance.now() - begun)
        if (more) next()
        else timer = setTimeout(next, Math.max(1, wait))
      })
    }
    next()
    o.metrics?.gauge('wardroom_audit_queue', 'Audit events that wait for their place in the log.', async () => [
      { value: (await queueState(store.db)).waiting },
    ])
    return {
      onSequenced: listener => {
        listeners.add(listener)
        return () => listeners.delete(listener)
      },
      idle: async () => {
        while (await isQueued(store.db)) await new Promise(done => setTimeout(done, 10))
      },
      stop: async () => {
        const led = !stopped
        stopped = true
        clearTimeout(timer)
        await running
        // What the other parts wrote when they stopped.
        if (led) await safely()
        await lease.stop().catch(err => log.warn({ err: errorFacts(err) }, 'the lease could not be given up'))
        await pool.destroy()
      },
    }
  } catch (err) {
    await pool.destroy()
    throw err
  }
}
