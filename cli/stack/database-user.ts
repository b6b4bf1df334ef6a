import { readFileSync, statSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { Explained } from '../command.ts'

/** A system account. */
export type Account = { name: string; uid: number; gid: number }

/** The unprivileged account that runs PostgreSQL when we are root, which PostgreSQL refuses: `postgres`, else `nobody`; undefined when we are not root. */
export const databaseUser = (
  passwd = readFileSync('/etc/passwd', 'utf8'),
  uid = process.getuid?.(),
): Account | undefined => {
  if (uid !== 0) return undefined
  const accounts = passwd.split('\n').map(line => line.split(':'))
  for (const name of ['postgres', 'nobody']) {
    const found = accounts.find(fields => fields[0] === name)
    if (found) return { name, uid: Number(found[2]), gid: Number(found[3]) }
  }
  throw new Explained(
    'PostgreSQL does not run as root, and there is no account "postgres" or "nobody" to run it: create one, start as an ordinary user, or set DATABASE_URL.',
  )
}

/** Whether the account may enter `path` and every folder above it (extended access lists are not looked at). */
export const canBeEnteredBy = (path: string, account: { uid: number; gid: number }): boolean => {
  for (let folder = resolve(path); ; folder = dirname(folder)) {
    const { mode, uid, gid } = statSync(folder)
    const bit = uid === account.uid ? 0o100 : gid === account.gid ? 0o010 : 0o001
    if (!(mode & bit)) return false
    if (folder === dirname(folder)) return true
  }
}
