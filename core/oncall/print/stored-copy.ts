import { mkdir, open, rename, rm, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { Instant } from '../../domain/clock.ts'
import { settlePrint } from '../../store/alerts/states.ts'
import { type StoreDeps, transact } from '../../store/tx.ts'
import { type Printed, printOnCall } from './print.ts'

/** Writes a page into a file that only its owner may read (mode 600), under another name until it is whole: a crash leaves the file as it was. Where nothing can be written, `make` is not called. */
export const writePage = async (file: string, make: () => Promise<Printed>): Promise<Printed> => {
  const part = `${file}.new`
  await rm(part, { force: true })
  const writing = await open(part, 'wx', 0o600)
  try {
    const page = await make()
    await writing.writeFile(page.html)
    await writing.sync()
    await rename(part, file)
    return page
  } catch (err) {
    await rm(part, { force: true })
    throw err
  } finally {
    await writing.close()
  }
}

/** Renews the page that is at hand when nothing else is. Its folder is made where it is missing. */
export const renewStoredCopy = async (store: StoreDeps, file: string): Promise<void> => {
  await mkdir(dirname(file), { recursive: true, mode: 0o700 })
  await writePage(file, () => printOnCall(store, { by: 'bots', what: 'stored-copy' }))
}

/** Raises an alert while the stored copy is not renewed (two hours, unless the rule `print-stale` says otherwise). One that never was is waited for from `since` on. */
export const watchStoredCopy = async (store: StoreDeps, file: string, since: Instant): Promise<void> => {
  const made = await stat(file).then(
    s => s.mtimeMs,
    () => since,
  )
  await transact(store, tx => settlePrint(tx, Math.round(made)))
}
