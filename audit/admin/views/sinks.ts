import { z } from 'zod'
import { logSize } from '../../../core/store/audit/log/entries.ts'
import { sinkHealth } from '../../../core/store/sinks/sinks.ts'
import type { Sinks } from '../../../web/admin-contract.ts'
import { view } from './view.ts'

/** Where the log is exported to, and how each of these is doing. */
export const sinks = view({
  name: 'sinks',
  needs: ['compliance', 'admin'],
  body: z.strictObject({}),
  read: async ({ tx }) => {
    const health = await sinkHealth(tx.sql, tx.now)
    const answer: Sinks = {
      sinks: health.map(({ shown, ...s }) => ({ ...s, options: Object.entries(shown) })),
      size: await logSize(tx.sql),
      now: tx.now,
    }
    return { answer, seen: { detail: { sinks: health.length } } }
  },
})
