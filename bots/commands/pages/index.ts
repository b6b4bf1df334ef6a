import type { Command } from '../../framework/command.ts'
import { oncallLoad, pageAccept, pageChoose, pageDecline, pageHandover, pageList, pageResolve } from './answers.ts'
import { pageCommand } from './page.ts'
import { oncallSourceAdd, oncallSourceList, oncallSourceRevoke } from './sources.ts'

/** Every command about pages. To add one: a file beside this one, and its line here. */
export const pageCommands: readonly Command[] = [
  pageCommand,
  pageAccept,
  pageDecline,
  pageHandover,
  pageResolve,
  pageChoose,
  pageList,
  oncallLoad,
  oncallSourceAdd,
  oncallSourceList,
  oncallSourceRevoke,
]
