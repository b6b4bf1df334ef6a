import { core } from './0001-core.ts'
import { matrix } from './0002-matrix.ts'
import { patients } from './0003-patients.ts'
import { texts } from './0004-texts.ts'
import { commands } from './0005-commands.ts'
import { audit } from './0006-audit.ts'
import { auditSinks } from './0007-audit-sinks.ts'
import { auditAlerts } from './0008-audit-alerts.ts'
import { admin } from './0009-admin.ts'
import { auditLog } from './0010-audit-log.ts'
import { renewal } from './0011-renewal.ts'
import { homeserverNews } from './0012-homeserver-news.ts'
import { records } from './0013-records.ts'
import { recalls } from './0014-recalls.ts'
import { recallRemoved } from './0015-recall-removed.ts'
import { coverage } from './0016-coverage.ts'
import { exports } from './0017-exports.ts'
import { otherServers } from './0018-other-servers.ts'
import { ephemeral } from './0019-ephemeral.ts'
import { recordGroup } from './0020-record-group.ts'
import { auditQuestions } from './0021-audit-questions.ts'
import { patientExit } from './0022-patient-exit.ts'
import { oncall } from './0023-oncall.ts'
import { pages } from './0024-pages.ts'
import { recallAgain } from './0025-recall-again.ts'
import { inboxForget } from './0026-inbox-forget.ts'
import { roleChats } from './0027-role-chats.ts'
import { adminFollow } from './0028-admin-follow.ts'
import { chatAway } from './0029-chat-away.ts'
import { holdDates } from './0030-hold-dates.ts'
import { seenCiphertext } from './0031-seen-ciphertext.ts'
import type { Migration } from './migration.ts'

/** In order; append only. */
export const migrations: readonly Migration[] = [
  core,
  matrix,
  patients,
  texts,
  commands,
  audit,
  auditSinks,
  auditAlerts,
  admin,
  auditLog,
  renewal,
  homeserverNews,
  records,
  recalls,
  recallRemoved,
  coverage,
  exports,
  otherServers,
  ephemeral,
  recordGroup,
  auditQuestions,
  patientExit,
  oncall,
  pages,
  recallAgain,
  inboxForget,
  roleChats,
  adminFollow,
  chatAway,
  holdDates,
  seenCiphertext,
]
