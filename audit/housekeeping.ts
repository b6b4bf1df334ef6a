import { days, hours, minutes } from '../core/domain/clock.ts'
import { errorFacts } from '../core/error-facts.ts'
import { startSweeps } from '../core/queues/sweeps.ts'
import { checkOnward } from '../core/store/audit/log/check-onward.ts'
import { pruneLog } from '../core/store/audit/log/prune.ts'
import { sweepErased } from '../core/store/audit/subjects.ts'
import { readSettings } from '../core/store/staff/settings.ts'
import type { AuditDeps, AuditPart } from './deps.ts'

const year = days(365.25)

const prune = async ({ store, log }: AuditDeps): Promise<void> => {
  const years = (await readSettings(store.db))['audit.keep_years']
  const pruned = await pruneLog(store, Math.floor(store.clock.now() - years * year))
  if (pruned > 0) log.info({ pruned }, 'entries of the audit log were pruned after their time')
  await sweepErased(store, days(90))
}

/** The stored log against what it signed: its newest part and, round by round, all of it. */
const check = async (deps: AuditDeps): Promise<void> => {
  const found = await checkOnward(deps.store, deps.vkeys())
  for (const f of found) deps.log.error({ code: f.code, idx: f.idx }, f.sentence)
  const [first] = found
  if (first) deps.alert({ code: `audit.${first.code}`, ref: String(first.idx ?? 'log'), sentence: first.sentence })
}

/** Keeps the log: prunes what is older than its retention, and checks that it is as it was signed. */
export const housekeeping: AuditPart = {
  name: 'housekeeping',
  start: async deps => {
    const { store, log } = deps
    // What was changed while nobody watched is known before anything is built upon it.
    await check(deps).catch(err => log.warn({ err: errorFacts(err) }, 'the audit log could not be checked'))
    const sweeps = [
      startSweeps({ store, name: 'audit-check', every: minutes(10), run: () => check(deps), log }),
      startSweeps({ store, name: 'audit-prune', every: hours(24), run: () => prune(deps), log }),
    ]
    return { stop: async () => void (await Promise.all(sweeps.map(s => s.stop()))) }
  },
}
