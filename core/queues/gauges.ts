import type { Metrics } from '../metrics.ts'
import { countInbox, type InboxSource } from '../store/queues/inbox.ts'
import { countOutbox, type Queue } from '../store/queues/outbox.ts'
import type { StoreDeps } from '../store/tx.ts'

const gauge =
  <N extends string>(names: readonly N[], label: string, count: (name: N) => Promise<Record<string, number>>) =>
  async () => {
    const all = await Promise.all(
      names.map(async name =>
        Object.entries(await count(name)).map(([state, value]) => ({ labels: { [label]: name, state }, value })),
      ),
    )
    return all.flat()
  }

/** What waits, is parked or was given up in a service's inboxes and queues, counted when metrics are read. */
export const queueGauges = (
  metrics: Metrics,
  store: StoreDeps,
  of: { inbox: readonly InboxSource[]; outbox: readonly Queue[] },
): void => {
  metrics.gauge(
    'wardroom_inbox_events',
    'Events that are not done, by state.',
    gauge(of.inbox, 'source', s => countInbox(store, s)),
  )
  metrics.gauge(
    'wardroom_outbox_jobs',
    'Jobs that are not done, by state.',
    gauge(of.outbox, 'queue', q => countOutbox(store, q)),
  )
}
