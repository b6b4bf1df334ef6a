import { type Refusal, refuse } from '../../../domain/refusal.ts'
import { addLogKey, readLogKeys } from '../../../log-keys.ts'
import { type StoreDeps, transact } from '../../tx.ts'
import { logKeys } from './keys.ts'

/**
 * Gives the log a new signing key (`wardroom audit rotate-key`): adds it to the key file, then records that. The running sequencer reads the file again, and the
 * checkpoint over this very event is signed by the old key and the new one. `by`: the person at the command line.
 * Refuses while an earlier rotation has no handover checkpoint yet. Gives the new vkey, to be handed to whoever verifies.
 */
export const rotateAuditKey = async (
  store: StoreDeps,
  { file, origin, by }: { file: string; origin: string; by: string },
): Promise<{ vkey: string } | Refusal> => {
  const current = readLogKeys(file, origin).at(-1)?.verifier.vkey
  const signing = (await logKeys(store.db)).at(-1)?.vkey
  if (signing !== current)
    return refuse(
      'handover-pending',
      'The key that is in the file has not signed a checkpoint yet: let the audit process run, then try again.',
    )
  const vkey = addLogKey(file, origin, store.random)
  await transact(store, tx =>
    tx.audit({
      actor: { kind: 'service', id: by },
      action: 'audit.key_rotate',
      object: { kind: 'audit', id: 'key' },
      outcome: 'done',
      detail: { vkey },
    }),
  )
  return { vkey }
}
