import { createHash } from 'node:crypto'
import type { Knex } from 'knex'
import type { Actor } from '../../domain/audit/event.ts'
import {
  type ConsentMethod,
  type ConsentScope,
  canonicalText,
  consentScopes,
  currentText,
} from '../../domain/care/consent.ts'
import { newId, type PersonId } from '../../domain/ids.ts'
import type { Db } from '../db.ts'
import type { Tx } from '../tx.ts'

export type Consent = {
  scope: ConsentScope
  version: number
  textHash: string
  method: ConsentMethod
  recordedBy: string
  at: number
}

/** SHA-256, hex, of the exact words agreed to. */
export const consentHash = (scope: ConsentScope): string =>
  createHash('sha256')
    .update(canonicalText(currentText(scope)))
    .digest('hex')

/** A person's live consents; one row per scope at most. */
export const liveConsents = async (sql: Db | Knex.Transaction, personId: PersonId): Promise<Consent[]> =>
  (await sql('consent').where({ person_id: personId }).whereNull('revoked_at').orderBy('recorded_at')).map(r => ({
    scope: r.scope,
    version: r.version,
    textHash: r.text_hash,
    method: r.method,
    recordedBy: r.recorded_by,
    at: r.recorded_at,
  }))

/** Is there a live consent for this scope? No text goes out without it (row 67). */
export const hasConsent = async (
  sql: Db | Knex.Transaction,
  personId: PersonId,
  scope: ConsentScope,
): Promise<boolean> =>
  (await sql('consent').where({ person_id: personId, scope }).whereNull('revoked_at').first('id')) !== undefined

const actorId = (actor: Actor): string => `${actor.kind}:${actor.id}`

const patientOf = async (tx: Tx, personId: PersonId): Promise<string> => {
  const row = (await tx.sql('person').where({ id: personId }).first('patient_id')) as { patient_id: string } | undefined
  if (!row) throw new Error(`no person ${personId}`)
  return row.patient_id
}

/** Records agreement to the text now in force; agreeing again replaces the older record, which stays in the ledger as revoked. */
export const recordConsent = async (
  tx: Tx,
  personId: PersonId,
  scope: ConsentScope,
  method: ConsentMethod,
  actor: Actor,
): Promise<void> => {
  const patient = await patientOf(tx, personId)
  const text = currentText(scope)
  await tx
    .sql('consent')
    .where({ person_id: personId, scope })
    .whereNull('revoked_at')
    .update({ revoked_at: tx.now, revoked_by: 'replaced' })
  await tx.sql('consent').insert({
    id: newId('cs', tx.deps.random),
    person_id: personId,
    scope,
    version: text.version,
    text_hash: consentHash(scope),
    method,
    recorded_by: actorId(actor),
    recorded_at: tx.now,
  })
  await tx.audit({
    actor,
    action: 'consent.record',
    object: { kind: 'person', id: personId },
    outcome: 'done',
    patient,
    detail: { scope, version: text.version, method },
  })
}

/** Withdraws it; true when there was one. Nothing that was queued for this scope goes out any more, because the sender asks again. */
export const revokeConsent = async (
  tx: Tx,
  personId: PersonId,
  scope: ConsentScope,
  actor: Actor,
): Promise<boolean> => {
  const patient = await patientOf(tx, personId)
  const n = await tx
    .sql('consent')
    .where({ person_id: personId, scope })
    .whereNull('revoked_at')
    .update({ revoked_at: tx.now, revoked_by: actorId(actor) })
  await tx.audit({
    actor,
    action: 'consent.revoke',
    object: { kind: 'person', id: personId },
    outcome: 'done',
    patient,
    detail: { scope, had: n > 0 },
  })
  return n > 0
}

/** The ledger as the patient sees it: every scope with its words, agreed or not. */
export const listConsents = async (sql: Db | Knex.Transaction, personId: PersonId) => {
  const live = new Map((await liveConsents(sql, personId)).map(c => [c.scope, c]))
  return consentScopes.map(scope => {
    const text = currentText(scope)
    const given = live.get(scope)
    return {
      scope,
      title: text.title,
      text: text.text,
      version: given?.version ?? text.version,
      agreed: given !== undefined,
      at: given?.at ?? null,
      method: given?.method ?? null,
    }
  })
}
