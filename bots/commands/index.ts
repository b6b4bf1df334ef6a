import type { Command } from '../framework/command.ts'
import { helpCommand } from '../framework/help.ts'
import { adminLink } from './admin.ts'
import { approve, confirm, reject } from './approve.ts'
import { auditCommands } from './audit/index.ts'
import { configHistory, configList, configRollback, configSet, configShow } from './config.ts'
import { consentRecord, consentRevoke, consentShow } from './consent.ts'
import { deviceList } from './device.ts'
import { oncallCommands } from './oncall/index.ts'
import { pageCommands } from './pages/index.ts'
import {
  patientAdd,
  patientCaregiver,
  patientClose,
  patientLink,
  patientList,
  patientNumber,
  patientPin,
  patientRemove,
  patientUnlock,
} from './patient.ts'
import { patientErase } from './patient-erase.ts'
import { patientStatus, patientUnanswered } from './patient-status.ts'
import { recordCommands } from './records/index.ts'
import { roleGrant, roleList, roleRevoke } from './role.ts'
import { status } from './status.ts'
import { templateApprove, templateList, templatePropose, templateShow, templateTest } from './template.ts'
import { unitAdd, unitList } from './unit.ts'
import { whoami } from './whoami.ts'

/** Every command there is. To add one: a file beside this one, and its line here. */
export const commands: readonly Command[] = [
  helpCommand(() => commands),
  whoami,
  patientAdd,
  patientList,
  patientUnanswered,
  patientStatus,
  patientLink,
  patientNumber,
  patientCaregiver,
  patientRemove,
  patientUnlock,
  patientPin,
  patientClose,
  patientErase,
  consentRecord,
  consentShow,
  consentRevoke,
  templateList,
  templateShow,
  templateTest,
  templatePropose,
  templateApprove,
  unitList,
  unitAdd,
  configList,
  configShow,
  configSet,
  configHistory,
  configRollback,
  confirm,
  approve,
  reject,
  roleGrant,
  roleRevoke,
  roleList,
  deviceList,
  status,
  ...pageCommands,
  ...recordCommands,
  ...auditCommands,
  ...oncallCommands,
  adminLink,
]
