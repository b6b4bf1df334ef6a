import type { Tx } from '../tx.ts'
import { withdrawAdminLinks } from './admin-links.ts'

/** Ends whatever session a person has, and closes their links; `reason` is a code. Does nothing when there is none. */
export const endAdminSessions = async (tx: Tx, user: string, reason: string): Promise<void> => {
  await withdrawAdminLinks(tx, user)
  const rows: { id: string }[] = await tx
    .sql('admin_session')
    .where({ user_id: user })
    .whereNull('ended_at')
    .update({ ended_at: tx.now, end_reason: reason })
    .returning('id')
  for (const { id } of rows)
    await tx.audit({
      actor: reason === 'ended' ? { kind: 'user', id: user } : { kind: 'service', id: 'admin' },
      action: 'admin.session',
      object: { kind: 'service', id: 'admin' },
      outcome: 'done',
      reason,
      detail: { what: 'out', session: id, ...(reason === 'ended' ? {} : { user }) },
    })
}
