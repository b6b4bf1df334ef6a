import { type Alerts, logAlerts } from '../../alerts.ts'
import { errorFacts } from '../../error-facts.ts'
import type { Log } from '../../log.ts'
import { type StoreDeps, transact } from '../tx.ts'
import { raise } from './alerts.ts'

/** What the log's own check finds (core/store/audit/log/check.ts); its pins have a monitor of their own. */
const changed = /^audit\.(signature|root|tiles|gap|entry|columns)$/

/** Alerts that the log raises about itself: log lines at error level, and where people must know, alerts of the compliance room. */
export const durableAlerts = (store: StoreDeps, log: Log): Alerts => {
  const say = logAlerts(log)
  return alert => {
    say(alert)
    if (!changed.test(alert.code)) return
    const idx = /^\d+$/.test(alert.ref) ? Number(alert.ref) : null
    const about = { what: 'changed', entry: alert.ref }
    transact(store, tx =>
      raise(tx, {
        rule: 'gap',
        key: `changed ${alert.ref}`,
        about,
        count: 1,
        first: idx,
        last: idx,
        at: tx.now,
      }),
    ).catch(err => log.error({ err: errorFacts(err), alert: alert.code }, 'an alert could not be raised'))
  }
}
