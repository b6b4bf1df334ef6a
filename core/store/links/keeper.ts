import type { SessionId } from '../../domain/ids.ts'
import { mayHaveKey, standing } from '../../domain/session.ts'
import type { Tx } from '../tx.ts'
import { takeToken } from './rate-limits.ts'
import { actorOf, holdsCookie, sessionById } from './sessions.ts'

/** A session asks once a page; reloads ask again. All sessions together: far above a busy clinic, far below a thief's need. */
export const keyLimits = {
  session: { burst: 20, everyMs: 60_000 },
  all: { burst: 600, everyMs: 100 },
}

export type KeyClaim = { ghost: string; sealed: string } | { refused: 'unknown' | 'dead' | 'reauth' | 'rate' }

/**
 * May this session have its K now? The cookie must be the session's own, the session alive and proved recently, the rates kept. Audited here, so that a
 * release whose record cannot be written does not happen. Reads `session` and `person`, writes `audit_queue` and `rate_bucket`, nothing else.
 */
export const claimKey = async (tx: Tx, id: SessionId, cookie: string): Promise<KeyClaim> => {
  const session = await sessionById(tx.sql, id)
  if (!session || !holdsCookie(session, cookie)) return { refused: 'unknown' }
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
    ...(refusal ? { reason: refusal } : {}),
  })
  if (refusal || !theirs) return { refused: refusal ?? 'dead' }
  return theirs
}

/** What the keeper's own database role needs and no more; for the operating guide and `grantKeeper`. */
export const keeperGrants = (role: string): string => {
  if (!/^[a-z_][a-z0-9_]{0,62}$/.test(role)) throw new Error(`${role} cannot be a role's name`)
  return `
grant select on session to ${role};
grant select (id, ghost, k, removed_at, locked_at) on person to ${role};
grant insert on audit_queue to ${role};
grant select, insert, update on rate_bucket to ${role};`
}
