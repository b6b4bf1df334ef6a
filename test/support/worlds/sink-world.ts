import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { sinkJobs } from '../../../audit/sinks/jobs.ts'
import { type SinkDeps, startSinks } from '../../../audit/sinks/runner.ts'
import type { Alert } from '../../../core/alerts.ts'
import { isRefusal } from '../../../core/domain/refusal.ts'
import { createMetrics } from '../../../core/metrics.ts'
import { startOutbox } from '../../../core/queues/outbox-worker.ts'
import { addSink, type SinkHealth, sinkHealth } from '../../../core/store/sinks/sinks.ts'
import { transact } from '../../../core/store/tx.ts'
import { audited, testAuditLog } from '../audit-log.ts'
import { database, type TestDatabase } from '../database.ts'
import { eventually } from '../eventually.ts'
import { testLog } from '../test-log.ts'

/** The log on a real database, and its sinks, which a test starts, stops and points at receivers. */
export type SinkWorld = {
  db: TestDatabase
  deps: SinkDeps
  folder: string
  alerts: Alert[]
  /** Writes so many entries and moves them into the log; gives the log's size. */
  write(entries: number): Promise<number>
  add(type: string, target: string, options?: Record<string, string>, more?: { identify?: boolean }): Promise<void>
  start(): Promise<{ stop(): Promise<void> }>
  health(name?: string): Promise<SinkHealth>
  /** Waits until a sink's receiver has settled the whole log. */
  sent(name?: string): Promise<void>
  stop(): Promise<void>
}

export const sinkWorld = async (existing?: TestDatabase): Promise<SinkWorld> => {
  const db = existing ?? (await database())
  const folder = await mkdtemp(join(tmpdir(), 'wardroom-sinks-'))
  const { store } = db
  const alerts: Alert[] = []
  const listeners = new Set<(from: number, to: number) => void>()
  const running: { stop(): Promise<void> }[] = []
  const log = testAuditLog(store)
  let size = 0
  const deps: SinkDeps = {
    store,
    sinkFolder: folder,
    serverName: 'clinic.example',
    publicUrl: 'https://chat.clinic.example',
    log: testLog(),
    metrics: createMetrics(),
    alert: a => void alerts.push(a),
    onSequenced: listener => {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
  }
  const health = async (name = 'siem') => {
    const found = (await sinkHealth(store.db, store.clock.now())).find(s => s.name === name)
    if (!found) throw new Error(`no sink ${name}`)
    return found
  }
  return {
    db,
    deps,
    folder,
    alerts,
    write: async entries => {
      for (let i = 0; i < entries; i++) await audited(store)
      const batches = await log.sequence()
      const from = size
      size = batches.at(-1)?.tree.size ?? size
      for (const listener of listeners) listener(from, size)
      return size
    },
    add: async (type, target, options = {}, { identify = false } = {}) => {
      const sink = { name: 'siem', type, target, options, shown: {}, identify }
      const no = await transact(store, tx => addSink(tx, sink, { kind: 'user', id: '@ada:clinic.example' }))
      if (isRefusal(no)) throw new Error(no.sentence)
    },
    start: async () => {
      const sinks = await startSinks(deps)
      const outbox = await startOutbox({ queue: 'audit', store, handlers: sinkJobs(deps), log: deps.log })
      const part = {
        stop: async () => {
          if (!running.includes(part)) return
          running.splice(running.indexOf(part), 1)
          await outbox.stop()
          await sinks.stop()
        },
      }
      running.push(part)
      return part
    },
    health,
    sent: (name = 'siem') =>
      eventually(async () => (await health(name)).lagEntries === 0 && (await health(name)).state === 'ok', {
        timeout: 60_000,
        what: `everything sent to ${name}`,
      }).then(() => undefined),
    stop: async () => {
      for (const part of [...running]) await part.stop()
      await rm(folder, { recursive: true, force: true })
      await db.drop()
    },
  }
}
