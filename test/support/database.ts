import { randomBytes } from 'node:crypto'
import type { JWK } from 'jose'
import { generateKeys } from '../../core/keys.ts'
import { createSeal, type SealingKeys } from '../../core/seal.ts'
import { type Db, openDb } from '../../core/store/db.ts'
import { migrate } from '../../core/store/migrate.ts'
import type { StoreDeps } from '../../core/store/tx.ts'
import { systemRandom } from '../../core/system.ts'
import { type TestClock, testClock } from './clock.ts'
import { database as testPostgres } from './stack.ts'

export type TestDatabase = {
  store: Omit<StoreDeps, 'clock'> & { clock: TestClock }
  /** With its password. */
  url: string
  /** What seals its columns: a child process needs them too. */
  keys: SealingKeys
  /** The officers' private recovery key. */
  recovery: JWK
  /** A second pool on it, as another process would have. */
  another(): StoreDeps
  /** Every row of every table as text, as COPY writes it, in which a test looks for what must not be there. */
  dump(): Promise<string>
  /** Closes the pools; the database goes, unless its address was given. */
  drop(): Promise<void>
}

/** A new migrated database on this mocha process's PostgreSQL, with a clock that the test moves. */
export const database = async (options: { max?: number; url?: string } = {}): Promise<TestDatabase> => {
  const url = options.url ?? (await (await testPostgres()).migratedDatabase())
  const { sealing: keys, recovery } = await generateKeys({ bytes: n => new Uint8Array(randomBytes(n)) })
  const opened: StoreDeps[] = []
  const clock = testClock()
  const open = () => {
    const deps = {
      db: openDb(url, { max: options.max ?? 10, name: 'test' }),
      clock,
      random: systemRandom,
      seal: createSeal(keys),
    }
    opened.push(deps)
    return deps
  }
  const store = open()
  if (options.url !== undefined) await migrate(store.db)
  return {
    store,
    url,
    keys,
    recovery,
    another: open,
    dump: () => dumpOf(store.db),
    drop: async () => {
      for (const deps of opened) await deps.db.destroy()
      if (options.url === undefined) await (await testPostgres()).dropDatabase(url)
    },
  }
}

/** Every row of every table of a database as text, as COPY writes it. */
export const dumpOf = async (db: Db): Promise<string> => {
  const tables: { t: string }[] = await db('pg_tables')
    .where({ schemaname: 'public' })
    .orderBy('tablename')
    .select({ t: 'tablename' })
  const parts: string[] = []
  for (const { t } of tables) {
    const { rows } = await db.raw('select row_to_json(x)::text as line from ?? x', [t])
    parts.push(`-- ${t}`, ...(rows as { line: string }[]).map(r => r.line))
  }
  return parts.join('\n')
}
