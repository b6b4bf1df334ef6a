import { type JobHandler, startOutbox } from '../../core/queues/outbox-worker.ts'
import type { AuditDeps, AuditPart } from '../deps.ts'
import { sinkJobs } from '../sinks/jobs.ts'
import { logJobs } from './log-jobs.ts'

/** Work that commands and the admin page give to the audit process (`tx.enqueue({ queue: 'audit', kind, … })`), by kind: a file and a line each. */
export const auditJobs = (deps: AuditDeps): Record<string, JobHandler> => ({
  ...sinkJobs(deps),
  ...logJobs(deps),
})

export const jobs: AuditPart = {
  name: 'jobs',
  start: deps =>
    startOutbox({
      queue: 'audit',
      store: deps.store,
      handlers: auditJobs(deps),
      log: deps.log,
      alert: deps.alert,
      metrics: deps.metrics,
      concurrency: 2,
    }),
}
