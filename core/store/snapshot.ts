import type { Db } from './db.ts'

/** Everything that `work` reads is as it was at one moment, however long it takes and whatever is written or pruned meanwhile; it cannot write. */
export const inSnapshot = <T>(db: Db, work: (sql: Db) => Promise<T>): Promise<T> =>
  db.transaction(work, { isolationLevel: 'repeatable read', readOnly: true })
