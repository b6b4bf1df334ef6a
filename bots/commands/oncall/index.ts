import type { Command } from '../../framework/command.ts'
import { oncallFeedAdd, oncallFeedList, oncallFeedRevoke } from './feed.ts'
import { oncallImport, oncallImportAccept, oncallImportList, oncallImportName, oncallImportRemove } from './import.ts'
import {
  oncallMe,
  oncallMeEmail,
  oncallMeLadder,
  oncallMeLanguage,
  oncallMeName,
  oncallMePhone,
  oncallMeQuiet,
} from './me.ts'
import { oncallAbsent, oncallOverride, oncallUndo } from './override.ts'
import { oncallPolicy } from './policy.ts'
import { oncallRoleAdd, oncallRoleList, oncallRoleRemove, oncallRoleSet, oncallRoleShow } from './role.ts'
import { oncallSet, oncallTemporary, oncallUnset } from './set.ts'
import { oncallConflicts, oncallGaps, oncallHistory, oncallShow, oncallWho, whoCommand } from './show.ts'
import { oncallSwap, oncallSwapAccept, oncallSwapDecline, oncallSwapList } from './swap.ts'

/** Every `!oncall …` about schedules, and `!who`. To add one: a file beside this one, and its line here. */
export const oncallCommands: readonly Command[] = [
  whoCommand,
  oncallWho,
  oncallShow,
  oncallGaps,
  oncallConflicts,
  oncallHistory,
  oncallRoleAdd,
  oncallRoleList,
  oncallRoleShow,
  oncallRoleSet,
  oncallRoleRemove,
  oncallPolicy,
  oncallSet,
  oncallUnset,
  oncallTemporary,
  oncallOverride,
  oncallAbsent,
  oncallUndo,
  oncallSwap,
  oncallSwapAccept,
  oncallSwapDecline,
  oncallSwapList,
  oncallMe,
  oncallMeEmail,
  oncallMePhone,
  oncallMeName,
  oncallMeLanguage,
  oncallMeQuiet,
  oncallMeLadder,
  oncallFeedAdd,
  oncallFeedList,
  oncallFeedRevoke,
  oncallImport,
  oncallImportAccept,
  oncallImportName,
  oncallImportList,
  oncallImportRemove,
]
