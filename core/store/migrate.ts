import type { Db } from './db.ts'
import { migrations as all } from './migrations/index.ts'
import type { Migration } from './migrations/migration.ts'

const lockKey = 7_351_903

/**
 * Brings the schema up to date, under an advisory lock, one transaction per step; safe when several processes start at once.
 * Returns the names applied. @throws when the database has a step that this code does not know and that step was breaking.
 */
export const migrate = async (db: Db, migrations: readonly Migration[] = all): Promise<string[]> =>
  db.transaction(async sql => {
    await sql.raw('select pg_advisory_xact_lock(?)', [lockKey])
    await sql.raw(
      'create table if not exists migration (name text primary key, breaking boolean not null, at timestamptz not null default now())',
    )
    const done: { name: string; breaking: boolean }[] = await sql('migration').select('name', 'breaking')
    const known = new Set(migrations.map(m => m.name))
    const newer = done.filter(d => d.breaking && !known.has(d.name))
    if (newer.length > 0)
      throw new Error(
        `the database was changed by a newer Wardroom (${newer.map(n => n.name).join(', ')}); start that version`,
      )
    const applied = new Set(done.map(d => d.name))
    const fresh = migrations.filter(m => !applied.has(m.name))
    for (const m of fresh) {
      await sql.raw(m.up)
      await sql('migration').insert({ name: m.name, breaking: m.breaking ?? false })
    }
    return fresh.map(m => m.name)
  })
