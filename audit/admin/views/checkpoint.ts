import { z } from 'zod'
import { logState } from '../../../core/store/audit/log/log-state.ts'
import type { Checkpoint } from '../../../web/admin-contract.ts'
import { view } from './view.ts'

/** How long the log is, under which signed root, and who outside of the database can contradict a rewritten one. */
export const checkpoint = view({
  name: 'checkpoint',
  needs: ['compliance', 'admin'],
  body: z.strictObject({}),
  read: async ({ tx, origin }) => {
    const { latest, waiting, ...state } = await logState(tx.sql)
    const answer: Checkpoint = {
      origin,
      latest: latest
        ? { size: latest.size, root: Buffer.from(latest.root).toString('base64'), at: latest.at, note: latest.note }
        : null,
      waiting: { events: waiting.events, ms: waiting.oldest === null ? 0 : Math.max(0, tx.now - waiting.oldest) },
      ...state,
      now: tx.now,
    }
    return { answer, seen: { detail: { size: latest?.size ?? 0 } } }
  },
})
