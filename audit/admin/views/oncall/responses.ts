import { z } from 'zod'
import { days as inMs } from '../../../../core/domain/clock.ts'
import { responseTimes } from '../../../../core/store/oncall/open-pages.ts'
import { roleUnits } from '../../../../core/store/oncall/read.ts'
import type { Responses } from '../../../../web/oncall-contract.ts'
import { view } from '../view.ts'

/** How soon pages were taken, by role and priority. */
export const responses = view({
  name: 'responses',
  needs: ['supervisor', 'admin'],
  body: z.strictObject({ days: z.union([z.literal(7), z.literal(30)]) }),
  read: async ({ tx }, { days }) => {
    const since = tx.now - inMs(days)
    const found = await responseTimes(tx.sql, since)
    const roles = await roleUnits(
      tx,
      found.flatMap(r => r.target ?? []),
    )
    const rows = found.map(({ target, ...r }) => ({
      ...r,
      role: target,
      name: target === null ? '' : (roles.get(target)?.name ?? target),
    }))
    const answer: Responses = { days, since, rows, now: tx.now }
    return { answer, seen: { detail: { days, rows: rows.length } } }
  },
})
