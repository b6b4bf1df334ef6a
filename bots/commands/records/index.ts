import type { Command } from '../../framework/command.ts'
import { retentionCoverage } from './coverage.ts'
import { ephemeral, ephemeralList } from './ephemeral.ts'
import { exportCancel, exportList, exportRequest, exportShow } from './export.ts'
import { holdList, holdPlace, holdRelease, holdReport } from './hold.ts'
import { retentionLabel } from './label.ts'
import { recall } from './recall.ts'
import { retentionResidency } from './residency.ts'
import { retentionHistory, retentionPreview, retentionSet, retentionShow, retentionWhy } from './retention.ts'

/** Every `!retention …`, `!hold …`, `!recall` and `!export …`. To add one: a file beside this one, and its line here. */
export const recordCommands: readonly Command[] = [
  retentionShow,
  retentionPreview,
  retentionSet,
  retentionLabel,
  retentionHistory,
  retentionWhy,
  retentionCoverage,
  retentionResidency,
  holdPlace,
  holdList,
  holdReport,
  holdRelease,
  recall,
  ephemeral,
  ephemeralList,
  exportRequest,
  exportList,
  exportShow,
  exportCancel,
]
