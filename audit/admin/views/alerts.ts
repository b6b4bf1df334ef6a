import { z } from 'zod'
import { ruleNamed } from '../../../core/domain/audit/alerts/rules.ts'
import { days } from '../../../core/domain/clock.ts'
import { listAlerts, type Alert as Stored } from '../../../core/store/alerts/alerts.ts'
import type { Alert, Alerts } from '../../../web/admin-contract.ts'
import { view } from './view.ts'

const shown = (a: Stored): Alert => {
  const rule = ruleNamed(a.rule)
  return {
    id: a.id,
    rule: a.rule,
    severity: a.severity,
    sentence: rule?.sentence(a.about, a.count) ?? a.rule,
    next: rule?.next.replaceAll('{entry}', String(a.last ?? '')) ?? '',
    count: a.count,
    firstAt: a.firstAt,
    lastAt: a.lastAt,
    goesOn: rule?.find === undefined && a.clearedAt === null,
    clearedAt: a.clearedAt,
    entry: a.last,
  }
}

/** What the rules found in three months: what goes on at the moment first, then the newest. */
export const alerts = view({
  name: 'alerts',
  needs: ['compliance', 'admin'],
  body: z.strictObject({}),
  read: async ({ tx }) => {
    const found = (await listAlerts(tx.sql, { since: tx.now - days(92), limit: 200 })).map(shown)
    const answer: Alerts = {
      alerts: found.toSorted((a, b) => Number(b.goesOn) - Number(a.goesOn) || b.lastAt - a.lastAt),
      now: tx.now,
    }
    return { answer, seen: { detail: { alerts: found.length } } }
  },
})
