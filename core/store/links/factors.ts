import {
  afterWrong,
  attemptLifeMs,
  codeIsOpen,
  codeLifeMs,
  type Factor,
  maxCodeTries,
  type Tries,
} from '../../domain/factor.ts'
import type { LinkId, PersonId } from '../../domain/ids.ts'
import { verifyPin } from '../../pin.ts'
import { sameSecret } from '../../secret.ts'
import type { Db } from '../db.ts'
import { advanceNotices } from '../patients/notices.ts'
import { openDob, type Person, personById } from '../patients/patients.ts'
import { queueText } from '../texts/texts.ts'
import type { Tx } from '../tx.ts'
import { tokenHash } from './links.ts'
import type { Origin } from './sessions.ts'

const codeHash = (tx: Tx, person: PersonId, code: string): string =>
  tx.deps.seal.lookup('sms_code', `${person}:${code}`)

/** A new six-digit code for a person, valid for ten minutes; the one before is void. Only its keyed hash is kept. */
export const newSmsCode = async (tx: Tx, person: PersonId): Promise<string> => {
  const n = Buffer.from(tx.deps.random.bytes(8)).readBigUInt64BE() % 1_000_000n
  const code = String(n).padStart(6, '0')
  const row = { code_hash: codeHash(tx, person, code), expires_at: tx.now + codeLifeMs, tries: 0 }
  await tx
    .sql('sms_code')
    .insert({ person_id: person, ...row })
    .onConflict('person_id')
    .merge(row)
  return code
}

/** `triesLeft` where the factor counts by itself: a texted code has five tries of its own and never locks. */
export type Checked = { right: true } | { right: false; triesLeft?: number }

const checkCode = async (tx: Tx, person: PersonId, value: string): Promise<Checked> => {
  const row = await tx.sql('sms_code').where({ person_id: person }).forUpdate().first()
  if (!row || !codeIsOpen({ expiresAt: row.expires_at, tries: row.tries }, tx.now))
    return { right: false, triesLeft: 0 }
  if (sameSecret(row.code_hash, codeHash(tx, person, value))) {
    await tx.sql('sms_code').where({ person_id: person }).delete()
    return { right: true }
  }
  await tx.sql('sms_code').where({ person_id: person }).increment('tries', 1)
  return { right: false, triesLeft: maxCodeTries - row.tries - 1 }
}

/** Is this the person's birth date (`YYYY-MM-DD`), texted code or PIN? */
export const checkFactor = async (tx: Tx, person: Person, factor: Factor, value: string): Promise<Checked> => {
  if (factor === 'birth_date') return { right: sameSecret(await openDob(tx.deps.seal, person), value.trim()) }
  if (factor === 'pin') return { right: person.pin !== null && (await verifyPin(value.trim(), person.pin)) }
  return checkCode(tx, person.id, value.replace(/\s/g, ''))
}

/** A person, whose row stays locked until the transaction ends. */
export const lockedPerson = async (tx: Tx, id: PersonId): Promise<Person | null> => {
  await tx.sql('person').where({ id }).forUpdate().first('id')
  return personById(tx.sql, id)
}

/** Counts a wrong answer; the third locks the person, and tells the person and the care team. The caller holds the person's row. */
export const countWrong = async (tx: Tx, person: Person, origin?: Origin): Promise<Tries> => {
  const after = afterWrong(person, tx.now)
  await tx.sql('person').where({ id: person.id }).update({ tries: after.tries, locked_at: after.lockedAt })
  if (after.lockedAt !== null && person.lockedAt === null) {
    // The telephone's owner learns of it too; a number that stopped texts is left alone.
    await queueText(tx, { person: person.id, template: 'locked', lang: person.lang, vars: {}, class: 'system' })
    const told = await advanceNotices(tx, { person: person.id }, { kind: 'failed', failure: 'locked' })
    if (told.length === 0)
      await tx.enqueue({
        queue: 'bridge',
        kind: 'care.tell',
        key: `locked:${person.id}:${tx.now}`,
        payload: { patientId: person.patientId, what: 'locked' },
        patient: person.patientId,
      })
    await tx.audit({
      actor: { kind: 'anonymous', id: 'browser' },
      action: 'link.lock',
      object: { kind: 'person', id: person.id },
      outcome: 'done',
      patient: person.patientId,
      ...(origin ? { origin } : {}),
    })
  }
  return after
}

/** Everything proved: the next visit starts with all tries. */
export const resetTries = async (tx: Tx, person: PersonId): Promise<void> => {
  await tx.sql('person').where({ id: person }).update({ tries: 0 })
}

/** What this browser has proved of this link in the last quarter of an hour. */
export const passedFactors = async (tx: Tx, link: LinkId, binding: string): Promise<Factor[]> => {
  const row = await tx
    .sql('link_attempt')
    .where({ link_id: link, binding_hash: tokenHash(binding) })
    .where('at', '>', tx.now - attemptLifeMs)
    .first('passed')
  return row?.passed ?? []
}

export const notePassed = async (tx: Tx, link: LinkId, binding: string, passed: Factor[]): Promise<void> => {
  await tx
    .sql('link_attempt')
    .insert({ link_id: link, binding_hash: tokenHash(binding), passed, at: tx.now })
    .onConflict(['link_id', 'binding_hash'])
    .merge({ passed, at: tx.now })
}

/** A proof is used once: the session that it opened stands for it from now on. */
export const forgetAttempts = async (tx: Tx, link: LinkId): Promise<void> => {
  await tx.sql('link_attempt').where({ link_id: link }).delete()
}

/** Removes proofs and codes that have run out. */
export const sweepAttempts = async (db: Db, now: number): Promise<void> => {
  await db('link_attempt')
    .where('at', '<', now - attemptLifeMs)
    .delete()
  await db('sms_code').where('expires_at', '<', now).delete()
}
