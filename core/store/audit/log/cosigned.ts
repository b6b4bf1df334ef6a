import type { Db } from '../../db.ts'

/** The note lines of the witnesses that cosigned the checkpoint over exactly `size` entries, each with its newline. */
export const cosignaturesOf = async (db: Db, size: number): Promise<string[]> => {
  const rows: { line: string }[] = await db('audit_cosignature').where({ size }).orderBy('witness').select('line')
  return rows.map(({ line }) => (line.endsWith('\n') ? line : `${line}\n`))
}

/** The newest checkpoint over at most `size` entries that a witness cosigned, as a note with all its signatures; null when there is none. */
export const newestCosigned = async (db: Db, size: number): Promise<string | null> => {
  const row: { size: number; note: string } | undefined = await db('audit_checkpoint as k')
    .where('k.size', '<=', size)
    .whereExists(db('audit_cosignature as c').whereRaw('c.size = k.size').select(db.raw('1')))
    .orderBy('k.size', 'desc')
    .first('k.size', 'k.note')
  return row ? row.note + (await cosignaturesOf(db, row.size)).join('') : null
}
