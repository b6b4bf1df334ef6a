import { userInfo } from 'node:os'
import { resolve } from 'node:path'
import { printOnCall } from '../../core/oncall/print/print.ts'
import { writePage } from '../../core/oncall/print/stored-copy.ts'
import type { StoreDeps } from '../../core/store/tx.ts'
import { Explained } from '../command.ts'

/** Writes the page of who is on call to a file, or to the output where none is named. Gives the exit code. */
export const printDuties = async (store: StoreDeps, out: string | undefined): Promise<number> => {
  const by = `host:${userInfo().username}`
  if (out === undefined) {
    process.stdout.write((await printOnCall(store, { by, what: 'output' })).html)
    return 0
  }
  const file = resolve(out)
  const page = await writePage(file, () => printOnCall(store, { by, what: 'file' })).catch((cause: unknown) => {
    const { code, path, message } = cause as NodeJS.ErrnoException
    if (code === undefined || path === undefined) throw cause
    throw new Explained(`${file} cannot be written: ${message}.`, { cause })
  })
  const missing = page.without > 0 ? ` ${page.without} of the people on it gave no number (!oncall me phone).` : ''
  console.log(`${file} has who is on call for ${page.roles} roles in the next 7 days. Print it.${missing}`)
  return 0
}
