import type { Bench } from './bench.ts'

/** Every measurement, loaded only when it is run. */
export const benches: readonly (() => Promise<Bench>)[] = [
  () => import('./stack/start-times.ts').then(m => m.startTimes),
  () => import('./bots/bots.ts').then(m => m.bots),
  () => import('./bots/takeover.ts').then(m => m.takeover),
  () => import('./bridge/inbox.ts').then(m => m.inbox),
  () => import('./stack/memory.ts').then(m => m.memory),
  () => import('./bridge/sms-accepted.ts').then(m => m.smsAccepted),
  () => import('./bridge/enrolment.ts').then(m => m.enrolment),
  () => import('./web/bytes-before-auth.ts').then(m => m.bytesBeforeAuth),
  () => import('./web/first-decrypted.ts').then(m => m.firstDecrypted),
  () => import('./web/patients-at-once.ts').then(m => m.patientsAtOnce),
  () => import('./audit/log.ts').then(m => m.auditLog),
  () => import('./audit/verify.ts').then(m => m.auditVerify),
  () => import('./audit/reports.ts').then(m => m.auditReports),
  () => import('./records/preview.ts').then(m => m.recordsPreview),
  () => import('./records/deletion.ts').then(m => m.recordsDeletion),
  () => import('./records/recall.ts').then(m => m.recordsRecall),
  () => import('./records/export.ts').then(m => m.recordsExport),
  () => import('./oncall/schedules.ts').then(m => m.oncallSchedules),
  () => import('./oncall/store.ts').then(m => m.oncallStore),
  () => import('./oncall/pages.ts').then(m => m.oncallPages),
]
