import { join } from 'node:path'
import { exportLog } from '../../../audit/folder/export.ts'
import { verifyFolder } from '../../../audit/folder/verify.ts'
import { leafOf, type QueuedEvent } from '../../../core/domain/audit/leaf.ts'
import { isRefusal } from '../../../core/domain/refusal.ts'
import type { Db } from '../../../core/store/db.ts'
import { seededRandom } from '../random.ts'
import { makeLog, someKeys } from '../stored-log.ts'

const key = someKeys(seededRandom('certificates')).current

/** The queued audit events as the log would have them, exported into `home/name` and verified: what its certificates prove, and what is wrong. */
export const verifiedQueue = async (
  db: Db,
  home: string,
  name: string,
  change: (leaves: string[]) => string[] = leaves => leaves,
) => {
  const rows: Record<string, never>[] = await db('audit_queue').orderBy('id')
  const events = rows.map(r => ({
    ...r,
    ...Object.fromEntries(Object.entries(r).flatMap(([k, v]) => (v === null ? [[k, undefined]] : []))),
  }))
  const leaves = events.map(e => leafOf(e as unknown as QueuedEvent, (kind, value) => `${kind} ${value}`.slice(0, 9)))
  const dir = join(home, name)
  const made = await exportLog(await makeLog(change(leaves)).stored({ signer: key }), dir)
  if (isRefusal(made)) throw new Error(made.sentence)
  const verdict = await verifyFolder(dir)
  if (isRefusal(verdict)) throw new Error(verdict.sentence)
  return { ...verdict.certificates, wrong: verdict.problems.map(p => p.what) }
}
