import type { PersonId, SessionId } from '../../domain/ids.ts'
import { mayHaveKey, standing } from '../../domain/session.ts'
import { sameSecret } from '../../secret.ts'
import type { Tx } from '../tx.ts'
import { tokenHash } from './links.ts'
import { takeToken } from './rate-limits.ts'
import { actorOf, hasSession, holdsCookie, type Origin, sessionById } from './sessions.ts'

/** A session asks once a page; reloads ask again. All sessions together: far above a busy clinic, far below a thief's need. */
export const keyLimits = {
  session: { burst: 20, everyMs: 60_000 },
  all: { burst: 600, everyMs: 100 },
  /** Renewals are rare: an attempt and its repetitions, and a ward at most. */
  renewal: { burst: 12, everyMs: 600_000 },
  renewals: { burst: 60, everyMs: 10_000 },
}

/** An attempt is told to the keeper within this time after it was begun. */
export const renewalLifeMs = 180_000

export type KeyClaim = { ghost: string; sealed: string } | { refused: 'unknown' | 'dead' | 'reauth' | 'rate' }

/**
 * May this session have its K now? The cookie must be the session's own, the session alive and proved recently, the rates kept. Audited here, so that a
 * release whose record cannot be written does not happen. Reads `session` and `person`, writes `audit_queue` and `rate_bucket`, nothing else.
 */
export const claimKey = async (tx: Tx, id: SessionId, cookie: string, origin?: Origin): Promise<KeyClaim> => {
  const session = await sessionById(tx.sql, id)
  if (!session || !holdsCookie(session, cookie)) {
    await tx.audit({
      actor: { kind: 'anonymous', id: 'browser' },
      action: 'session.key',
      object: { kind: 'session', id: session?.id ?? 'unknown' },
      outcome: 'refused',
      ...(session ? { patient: session.patientId } : {}),
      ...(origin ? { origin } : {}),
      reason: 'unknown',
    })
    return { refused: 'unknown' }
  }
  const person = await tx
    .sql('person')
    .where({ id: session.personId })
    .whereNull('removed_at')
    .whereNull('locked_at')
    .first('ghost', 'k')
  const theirs = person?.k && person.ghost === session.userId ? { ghost: person.ghost, sealed: person.k } : null
  const whyNot = async () => {
    if (!mayHaveKey(session, tx.now)) return standing(session, tx.now) === 'reauth' ? 'reauth' : 'dead'
    if (!theirs) return 'dead'
    const kept =
      (await takeToken(tx.sql, `key:${id}`, keyLimits.session, tx.now)) &&
      (await takeToken(tx.sql, 'key:all', keyLimits.all, tx.now))
    return kept ? undefined : 'rate'
  }
  const refusal = await whyNot()
  await tx.audit({
    actor: actorOf(session),
    action: 'session.key',
    object: { kind: 'session', id },
    outcome: refusal ? 'refused' : 'done',
    patient: session.patientId,
    ...(origin ? { origin } : {}),
    ...(refusal ? { reason: refusal } : {}),
  })
  if (refusal || !theirs) return { refused: refusal ?? 'dead' }
  return theirs
}

export type RenewalClaim =
  | { ghost: string; sealed: string; deviceId: string }
  | { refused: 'unknown' | 'dead' | 'session' | 'rate' }

/**
 * May K be opened for the replacement of this person's dehydrated device? The bearer must be that of an attempt that the bridge has just written down, the
 * person still take part, no session be open, the rates be kept. Audited here, as `claimKey`.
 */
export const claimRenewal = async (tx: Tx, personId: PersonId, bearer: string): Promise<RenewalClaim> => {
  const run = await tx
    .sql('renewal')
    .where({ person_id: personId })
    .where('begun_at', '>', tx.now - renewalLifeMs)
    .first('device_id', 'bearer_hash')
  if (!run?.device_id || !sameSecret(run.bearer_hash ?? '', tokenHash(bearer))) return { refused: 'unknown' }
  const person = await tx
    .sql('person')
    .where({ id: personId })
    .whereNull('removed_at')
    .first('ghost', 'k', 'patient_id')
  const whyNot = async () => {
    if (!person?.ghost || !person.k) return 'dead'
    if (await hasSession(tx.sql, personId, tx.now)) return 'session'
    const kept =
      (await takeToken(tx.sql, `renewal:${personId}`, keyLimits.renewal, tx.now)) &&
      (await takeToken(tx.sql, 'renewal:all', keyLimits.renewals, tx.now))
    return kept ? undefined : 'rate'
  }
  const refusal = await whyNot()
  await tx.audit({
    actor: { kind: 'service', id: 'keeper' },
    action: 'device.renew',
    object: { kind: 'person', id: personId },
    outcome: refusal ? 'refused' : 'done',
    patient: person?.patient_id,
    ...(refusal ? { reason: refusal } : {}),
    detail: { device: run.device_id },
  })
  if (refusal || !person) return { refused: refusal ?? 'dead' }
  return { ghost: person.ghost, sealed: person.k, deviceId: run.device_id }
}

/** What the keeper's own database role needs and no more; for the operating guide and `grantKeeper`. */
export const keeperGrants = (role: string): string => {
  if (!/^[a-z_][a-z0-9_]{0,62}$/.test(role)) throw new Error(`${role} cannot be a role's name`)
  return `
grant select on session to ${role};
grant select (id, ghost, k, patient_id, removed_at, locked_at) on person to ${role};
grant select (person_id, device_id, bearer_hash, begun_at) on renewal to ${role};
grant insert on audit_queue to ${role};
grant select, insert, update on rate_bucket to ${role};`
}
