import type { Knex } from 'knex'
import type { StoreDeps, Tx } from '../tx.ts'

/** What a commitment stands for. Kinds: an actor's or object's kind, or `patient`, `room`, `origin` (JSON of ip and agent), `words`, `device`. */
export type Subject = { kind: string; value: string }

type Deps = Pick<StoreDeps, 'db' | 'seal'>

// One address or word said of two patients has two commitments, so that erasing one patient takes nothing from the other.
const ownedKinds: ReadonlySet<string> = new Set(['origin', 'words', 'device'])
/** Kinds whose values may be a person's words or address; their column is sealed. */
export const sealedKinds: ReadonlySet<string> = new Set(['origin', 'words'])
export const sealContext = 'audit_subject.value'

/** The keyed hash under which a value is found again; `patient`: the patient's id, when it is said of one. */
export const subjectLookup = (seal: StoreDeps['seal'], kind: string, value: string, patient?: string): string =>
  seal.lookup(
    'audit_subject',
    `${kind}\0${value}${patient !== undefined && ownedKinds.has(kind) ? `\0${patient}` : ''}`,
  )

/** The keyed hash of the patient to whom subjects belong. */
export const patientLookup = (seal: StoreDeps['seal'], patient: string): string =>
  subjectLookup(seal, 'patient', patient)

/**
 * The commitment by which the log names a value (`patient` pt_…, `room` !…, `person` ps_…, `link` ln_…, `session`, `text`, `event`, `user` @p_…), or null when
 * it was never named or was erased. Clear identifiers (staff, settings, commands) have none: filter by them as they are.
 */
export const refOf = async ({ db, seal }: Deps, kind: string, value: string): Promise<string | null> => {
  const row: { ref: string } | undefined = await db('audit_subject')
    .where({ lookup: subjectLookup(seal, kind, value) })
    .first('ref')
  return row?.ref ?? null
}

type Row = { ref: string; kind: string; value: string; sealed: boolean }

/** What these commitments stand for; one that was erased, or is none, is missing. Showing it to a person is `audit.reveal` and must be audited. */
export const resolveRefs = async ({ db, seal }: Deps, refs: readonly string[]): Promise<Map<string, Subject>> => {
  const rows: Row[] = await db('audit_subject')
    .whereIn('ref', [...new Set(refs)])
    .select('ref', 'kind', 'value', 'sealed')
  const resolved = await Promise.all(
    rows.map(async ({ ref, kind, value, sealed }) => {
      const subject: Subject = { kind, value: sealed ? await seal.open(sealContext, value) : value }
      return [ref, subject] as const
    }),
  )
  return new Map(resolved)
}

const lockKey = 7_351_907

/** Holds off the erasing of patients until the transaction's end: what it commits to must not come back after it was erased. */
export const subjectsShared = async (sql: Knex.Transaction): Promise<void> => {
  await sql.raw('select pg_advisory_xact_lock_shared(?)', [lockKey])
}

/**
 * Erases what the log's commitments to a patient stand for: rooms, persons, links, sessions, texts, events, origins and words of that patient. Every entry and
 * every proof stays as it is; nobody can find the patient in the log any more. Returns how many commitments were erased.
 */
export const erasePatient = async (tx: Tx, patientId: string): Promise<number> => {
  const patient = patientLookup(tx.deps.seal, patientId)
  await tx.sql.raw('select pg_advisory_xact_lock(?)', [lockKey])
  // What is queued of this patient, or comes later, is committed to with salts that are never kept.
  await tx.sql('audit_erased').insert({ patient, at: tx.now }).onConflict('patient').merge()
  const erased: number = await tx.sql('audit_subject').where({ patient }).orWhere({ lookup: patient }).delete()
  await tx.audit({
    actor: { kind: 'service', id: 'audit' },
    action: 'audit.erase',
    object: { kind: 'audit', id: 'patient' },
    outcome: 'done',
    detail: { commitments: erased },
  })
  return erased
}
