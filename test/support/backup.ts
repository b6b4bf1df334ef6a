import { database, type TestDatabase } from './database.ts'

type Table = { name: string; rows: string }

/** Takes a database as it is now; what it gives brings that into a new database, as restoring a dump does. */
export const backup = async (d: TestDatabase): Promise<() => Promise<TestDatabase>> => {
  const names: string[] = await d.store
    .db('pg_tables')
    .where({ schemaname: 'public' })
    .whereNot({ tablename: 'migration' })
    .pluck('tablename')
  const tables: Table[] = []
  for (const name of names) {
    const { rows } = await d.store.db.raw(`select coalesce(json_agg(t), '[]')::text as rows from ?? t`, [name])
    tables.push({ name, rows: rows[0].rows })
  }
  return async () => {
    const restored = await database()
    await restored.store.db.transaction(async sql => {
      for (const { name, rows } of tables) {
        // What a new database begins with.
        await sql.raw('delete from ??', [name])
        if (rows === '[]') continue
        await sql.raw(
          'insert into ?? overriding system value select * from json_populate_recordset(null::??, ?::json)',
          [name, name, rows],
        )
      }
    })
    const counters: { table_name: string; column_name: string }[] = await restored.store
      .db('information_schema.columns')
      .where({ table_schema: 'public', is_identity: 'YES' })
      .select('table_name', 'column_name')
    for (const c of counters)
      await restored.store.db.raw(`select setval(pg_get_serial_sequence(?, ?), 1000000)`, [c.table_name, c.column_name])
    return restored
  }
}
