import type { Command } from '../../framework/command.ts'
import { alertsList, alertsSet, alertsTry } from './alerts.ts'
import { auditDigest } from './digest.ts'
import { auditExport, auditVerify } from './export.ts'
import { auditReport } from './report.ts'
import { auditReveal } from './reveal.ts'
import { reviewAccess } from './review.ts'
import { sinkCommands } from './sink.ts'
import { auditStatus } from './status.ts'
import { auditLink, auditPatient, auditRoom, auditUser } from './timeline.ts'

/** Every `!audit …`, and `!review …`. To add one: a file beside this one, and its line here. */
export const auditCommands: readonly Command[] = [
  auditPatient,
  auditUser,
  auditRoom,
  auditLink,
  auditReveal,
  auditReport,
  reviewAccess,
  auditDigest,
  auditStatus,
  auditExport,
  auditVerify,
  alertsList,
  alertsSet,
  alertsTry,
  ...sinkCommands,
]
