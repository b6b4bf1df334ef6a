import { type StoreDeps, transact } from '../../tx.ts'

/** Notes that a service has started, and at `stop` that it stops in order. One that was killed has only its next start. */
export const serviceLife = async (store: StoreDeps, name: string): Promise<{ stop(): Promise<void> }> => {
  const note = (action: 'service.start' | 'service.stop') =>
    transact(store, tx =>
      tx.audit({
        actor: { kind: 'service', id: name },
        action,
        object: { kind: 'service', id: name },
        outcome: 'done',
        detail: { pid: process.pid },
      }),
    )
  await note('service.start')
  return { stop: () => note('service.stop') }
}
