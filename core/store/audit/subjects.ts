import { createHash } from 'node:crypto'
import type { Knex } from 'knex'
import type { Instant } from '../../domain/clock.ts'
import type { StoreDeps, Tx } from '../tx.ts'

/** What a commitment stands for. Kinds: an actor's or object's kind, or `patient`, `room`, `origin` (JSON of ip and agent), `words`, `device`. */
export type Subject = { kind: string; value: string }

type Deps = Pick<StoreDeps, 'db' | 'seal'>

// Named for one patient and one month only: erasing one patient takes nothing from another, and no pruned month is needed by a later one.
const passingKinds: ReadonlySet<string> = new Set(['origin', 'words', 'device'])
/** Kinds that are never found again by their value. */
export const passing: readonly string[] = [...passingKinds]
/** Kinds whose values may be a person's words or address; their column is sealed. */
export const sealedKinds: ReadonlySet<string> = new Set(['origin', 'words'])
export const sealContext = 'audit_subject.value'

/** The keyed hash under which a value is found again. `within`: the event that names it. */
export const subjectLookup = (
  seal: StoreDeps['seal'],
  kind: string,
  value: string,
  within?: { at: Instant; patient?: string },
): string => {
  const scope =
    within && passingKinds.has(kind)
      ? `\0${new Date(within.at).getUTCFullYear()}.${new Date(within.at).getUTCMonth()}\0${within.patient ?? ''}`
      : ''
  return seal.lookup('audit_subject', `${kind}\0${value}${scope}`)
}

/** base64url(SHA-256(salt ‖ kind ‖ 0x00 ‖ value)), 43 characters. */
export const commitment = (salt: Uint8Array, kind: string, value: string): string =>
  createHash('sha256').update(salt).update(`${kind}\0${value}`).digest('base64url')

/** The keyed hash of the patient to whom subjects belong. */
export const patientLookup = (seal: StoreDeps['seal'], patient: string): string =>
  subjectLookup(seal, 'patient', patient)

/**
 * The commitment by which the log names a value (`patient` pt_…, `room` !…, `person` ps_…, `link` ln_…, `session`, `text`, `event`, `user` @p_…), or null when
 * it was never named or was erased. An origin, words and a patient's device have many and are not found so. Clear identifiers (staff, settings, commands) have none: filter by them as they are.
 */
export const refOf = async ({ db, seal }: Deps, kind: string, value: string): Promise<string | null> => {
  const row: { ref: string } | undefined = await db('audit_subject')
    .where({ lookup: subjectLookup(seal, kind, value) })
    .first('ref')
  return row?.ref ?? null
}

type Row = { ref: string; kind: string; value: string; sealed: boolean; salt: Buffer }

/** What these commitments stand for; one that was erased, or is none, or whose row no longer fits it, is missing. Showing it to a person is `audit.reveal` and must be audited. */
export const resolveRefs = async ({ db, seal }: Deps, refs: readonly string[]): Promise<Map<string, Subject>> => {
  const rows: Row[] = await db('audit_subject')
    .whereIn('ref', [...new Set(refs)])
    .select('ref', 'kind', 'value', 'sealed', 'salt')
  const resolved = await Promise.all(
    rows.map(async ({ ref, kind, value: stored, sealed, salt }) => {
      const value = sealed ? await seal.open(sealContext, stored) : stored
      return commitment(salt, kind, value) === ref ? [[ref, { kind, value }] as const] : []
    }),
  )
  return new Map(resolved.flat())
}

const lockKey = 7_351_907

/** Holds off erasing and pruning until the transaction's end: what it commits to must not come back after it was erased, nor be forgotten under it. */
export const subjectsShared = async (sql: Knex.Transaction): Promise<void> => {
  await sql.raw('select pg_advisory_xact_lock_shared(?)', [lockKey])
}

/** Waits until no batch is being sequenced, and holds off the next one until the transaction's end. */
export const subjectsAlone = async (sql: Knex.Transaction): Promise<void> => {
  await sql.raw('select pg_advisory_xact_lock(?)', [lockKey])
}

/**
 * Erases what the log's commitments to a patient stand for: rooms, persons, links, sessions, texts, events, origins and words of that patient. Every entry and
 * every proof stays as it is; nobody can find the patient in the log any more. Returns how many commitments were erased.
 */
export const erasePatient = async (tx: Tx, patientId: string): Promise<number> => {
  const patient = patientLookup(tx.deps.seal, patientId)
  await subjectsAlone(tx.sql)
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

/** Forgets that patients were erased, `keepMs` after it: by then nothing of them is queued any more. */
export const sweepErased = async ({ db, clock }: StoreDeps, keepMs: number): Promise<void> => {
  await db('audit_erased')
    .where('at', '<', clock.now() - keepMs)
    .delete()
}
