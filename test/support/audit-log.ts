import type { AuditEvent } from '../../core/domain/audit/event.ts'
import { latestCheckpoint } from '../../core/store/audit/log/checkpoints.ts'
import { type Sequenced, sequence } from '../../core/store/audit/log/sequence.ts'
import { storedTree } from '../../core/store/audit/log/tiles.ts'
import { releaseLease, tryLease } from '../../core/store/bots/leases.ts'
import { type StoreDeps, transact } from '../../core/store/tx.ts'
import { generateSigningKey, type SigningKey } from '../../core/tlog/key.ts'
import { eventually } from './eventually.ts'

export const testOrigin = 'test.example/audit'

export type TestAuditLog = {
  key: SigningKey
  /** Moves everything that was committed into the log, in batches of `limit` (1,000); gives the batches. */
  sequence(limit?: number): Promise<Sequenced[]>
}

/** A sequencer that works when a test says so, with a key of its own. */
export const testAuditLog = (
  store: StoreDeps,
  key = generateSigningKey(testOrigin, 'note', store.random),
): TestAuditLog => ({
  key,
  sequence: async (limit = 1000) => {
    const name = 'audit-log'
    const epoch = await eventually(async () => (await tryLease(store.db, name, 'test', 60_000)) ?? false)
    const lease = { name, epoch }
    const batches: Sequenced[] = []
    let tree = await storedTree(store.db, (await latestCheckpoint(store.db))?.size ?? 0)
    const next = () => sequence({ store, lease, origin: testOrigin, keys: [key] }, tree, limit)
    for (let batch = await next(); batch; batch = await next()) {
      batches.push(batch)
      tree = batch.tree
    }
    await releaseLease(store.db, lease)
    return batches
  },
})

let n = 0

/** Writes one event as an effect does; what the test does not say is a staff member's view of the status. */
export const audited = (store: StoreDeps, event: Partial<Omit<AuditEvent, 'at'>> = {}): Promise<void> =>
  transact(store, tx =>
    tx.audit({
      actor: { kind: 'user', id: '@ann:test' },
      action: 'status.view',
      object: { kind: 'report', id: `report-${++n}` },
      outcome: 'done',
      ...event,
    }),
  )
