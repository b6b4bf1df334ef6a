import type { Bench } from './bench.ts'

/** Every measurement, loaded only when it is run. */
export const benches: readonly (() => Promise<Bench>)[] = [
  () => import('./start-times.ts').then(m => m.startTimes),
  () => import('./bots.ts').then(m => m.bots),
  () => import('./takeover.ts').then(m => m.takeover),
  () => import('./inbox.ts').then(m => m.inbox),
  () => import('./memory.ts').then(m => m.memory),
  () => import('./sms-accepted.ts').then(m => m.smsAccepted),
  () => import('./enrolment.ts').then(m => m.enrolment),
  () => import('./bytes-before-auth.ts').then(m => m.bytesBeforeAuth),
  () => import('./first-decrypted.ts').then(m => m.firstDecrypted),
  () => import('./patients-at-once.ts').then(m => m.patientsAtOnce),
  () => import('./audit-log.ts').then(m => m.auditLog),
  () => import('./audit-verify.ts').then(m => m.auditVerify),
  () => import('./audit-reports.ts').then(m => m.auditReports),
  () => import('./records.ts').then(m => m.records),
  () => import('./records-deletion.ts').then(m => m.recordsDeletion),
  () => import('./records-recall.ts').then(m => m.recordsRecall),
  () => import('./records-export.ts').then(m => m.recordsExport),
  () => import('./oncall.ts').then(m => m.oncall),
  () => import('./oncall-store.ts').then(m => m.oncallStore),
  () => import('./oncall-pages.ts').then(m => m.oncallPages),
]
