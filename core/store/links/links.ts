import { createHash } from 'node:crypto'
import type { Knex } from 'knex'
import { base58Token, type LinkId, newId, type PatientId, type PersonId } from '../../domain/ids.ts'
import { type LinkFacts, linkLifeMs } from '../../domain/link.ts'
import { type Person, personById } from '../patients/patients.ts'
import type { Tx } from '../tx.ts'

/** SHA-256, hex: what the database holds of a token, a cookie or a bearer. They are random and 128 bits long, so no salt is needed. */
export const tokenHash = (token: string): string => createHash('sha256').update(token, 'utf8').digest('hex')

/** Why a text was sent: a class, never a content. */
export type LinkReason = 'message' | 'reminder' | 'form' | 'billing' | 'result'

export type NewLink = {
  person: PersonId
  patient: PatientId
  reason: LinkReason
  publicUrl: string
  lifeMs: number
}

/** A secure link (row 55): 128 random bits, of which only the hash is kept. `url` is `${publicUrl}/l/${token}`; both are for the sealed text job alone. */
export const createLink = async (
  tx: Tx,
  { person, patient, reason, publicUrl, lifeMs }: NewLink,
): Promise<{ id: LinkId; token: string; url: string; expiresAt: number }> => {
  const token = base58Token(tx.deps.random.bytes(16))
  const id = newId<LinkId>('ln', tx.deps.random)
  const expiresAt = tx.now + linkLifeMs(lifeMs)
  await tx.sql('link').insert({
    id,
    person_id: person,
    patient_id: patient,
    token_hash: tokenHash(token),
    reason,
    created_at: tx.now,
    expires_at: expiresAt,
  })
  await tx.audit({
    actor: { kind: 'service', id: 'links' },
    action: 'link.create',
    object: { kind: 'link', id },
    outcome: 'done',
    patient,
    detail: { reason },
  })
  return { id, token, url: `${publicUrl.replace(/\/+$/, '')}/l/${token}`, expiresAt }
}

/** Closes every link of a person but `keep`; sessions go on. Returns how many were open. */
export const withdrawLinks = async (
  tx: Tx,
  personId: PersonId,
  reason = 'withdrawn',
  keep?: LinkId,
): Promise<number> => {
  const open = tx.sql('link').where({ person_id: personId })
  return closeLinks(tx, keep ? open.whereNot({ id: keep }) : open, reason)
}

/** Closes one link. */
export const withdrawLink = (tx: Tx, id: LinkId, reason: string): Promise<number> =>
  closeLinks(tx, tx.sql('link').where({ id }), reason)

const closeLinks = async (tx: Tx, which: Knex.QueryBuilder, reason: string): Promise<number> => {
  const rows: { id: string; patient_id: string }[] = await which
    .whereNull('withdrawn_at')
    .update({ withdrawn_at: tx.now, withdrawn_reason: reason })
    .returning(['id', 'patient_id'])
  for (const row of rows)
    await tx.audit({
      actor: { kind: 'service', id: 'links' },
      action: 'link.withdraw',
      object: { kind: 'link', id: row.id },
      outcome: 'done',
      patient: row.patient_id,
      reason,
    })
  return rows.length
}

/** A link with the person whom it leads to; the person's row is locked until the transaction ends, so that tries are counted one after the other. */
export type FoundLink = LinkFacts & {
  id: LinkId
  patientId: PatientId
  reason: LinkReason
  roomId: string
  person: Person
}

/** The link that a token belongs to, open or not; null for an unknown one. */
export const findLink = async (tx: Tx, token: string): Promise<FoundLink | null> => {
  const owner = await tx
    .sql('link')
    .where({ token_hash: tokenHash(token) })
    .first('id', 'person_id')
  if (!owner) return null
  await tx.sql('person').where({ id: owner.person_id }).forUpdate().first('id')
  // Read after the lock: another browser may have used the link meanwhile.
  const link = await tx.sql('link').where({ id: owner.id }).first()
  const person = await personById(tx.sql, link.person_id)
  const patient = await tx.sql('patient').where({ id: link.patient_id }).first('state', 'room_id')
  if (!person || !patient) throw new Error(`link ${link.id} has lost its person`)
  return {
    id: link.id,
    patientId: link.patient_id,
    reason: link.reason,
    roomId: patient.room_id ?? '',
    person,
    expiresAt: link.expires_at,
    usedAt: link.used_at,
    withdrawnAt: link.withdrawn_at,
    withdrawnReason: link.withdrawn_reason,
    personRemoved: person.removedAt !== null,
    patientState: patient.state,
    ready: Boolean(person.ghost && person.k && patient.room_id),
  }
}

/** Notes the first tap. */
export const markTapped = async (tx: Tx, id: LinkId): Promise<void> => {
  await tx.sql('link').where({ id }).whereNull('tapped_at').update({ tapped_at: tx.now })
}

/** Binds the link to the browser that has just proved who holds it; a later one replaces it (row 57). */
export const bindLink = async (tx: Tx, id: LinkId, binding: string): Promise<void> => {
  await tx
    .sql('link')
    .where({ id })
    .update({
      binding_hash: tokenHash(binding),
      bound_at: tx.now,
      opened_at: tx.sql.raw('coalesce(opened_at, ?)', [tx.now]),
    })
}

/** The patient ended the session: its link opens nothing any more. */
export const useLink = async (tx: Tx, id: LinkId): Promise<void> => {
  await tx.sql('link').where({ id }).whereNull('used_at').update({ used_at: tx.now })
}
