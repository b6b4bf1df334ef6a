import type { ConsentScope } from '../../core/domain/care/consent.ts'
import { type Factor, triesLeft } from '../../core/domain/factor.ts'
import type { EventId, SessionId } from '../../core/domain/ids.ts'
import { type SessionStanding, standing } from '../../core/domain/session.ts'
import { checkFactor, countWrong, lockedPerson, resetTries } from '../../core/store/links/factors.ts'
import { findLink, useLink } from '../../core/store/links/links.ts'
import { takeToken } from '../../core/store/links/rate-limits.ts'
import {
  actorOf,
  endSession,
  extendSession,
  leaveSession,
  type Origin,
  renewSession,
  type Session,
  sessionByCookie,
  setVerified,
} from '../../core/store/links/sessions.ts'
import { recordConsent, revokeConsent } from '../../core/store/patients/consents.ts'
import { advanceNotices } from '../../core/store/patients/notices.ts'
import { type StoreDeps, transact } from '../../core/store/tx.ts'

/** A second proof in a running session is a birth date or a PIN: a code would have to be texted. */
export type ReauthFactor = Exclude<Factor, 'sms_code'>

const about = (s: Session, origin: Origin) => ({
  actor: actorOf(s),
  object: { kind: 'session' as const, id: s.id },
  outcome: 'done' as const,
  patient: s.patientId,
  room: s.roomId,
  origin,
})

/**
 * A reload or a second tab: the same session with a new device and bearer. The link's token must come too: a stolen cookie alone opens nothing, and a shared
 * telephone never shows another person's conversation. `dead` names the session whose device is to go.
 */
export const resume = (
  store: StoreDeps,
  cookie: string,
  token: string,
  origin: Origin,
): Promise<{ session: Session; csrf: string } | { dead: SessionId | null }> =>
  transact(store, async tx => {
    const link = await findLink(tx, token)
    const session = await sessionByCookie(tx, cookie)
    if (!session) return { dead: null }
    if (link?.person.id !== session.personId) return { dead: null }
    const now: SessionStanding = standing(session, tx.now)
    if (now === 'idle') await endSession(tx, session.id, 'idle', origin)
    if (now === 'idle' || now === 'ended') return { dead: session.id }
    return renewSession(tx, session, link.id, origin)
  })

/** The patient's own end (the link is used up) or, with `leaving`, only this tab's. */
export const end = (store: StoreDeps, s: Session, leaving: boolean, origin: Origin): Promise<void> =>
  transact(store, async tx => {
    if (leaving) return leaveSession(tx, s, origin)
    await useLink(tx, s.linkId)
    await endSession(tx, s.id, 'ended', origin)
  })

/** The idle time starts again. */
export const extend = (store: StoreDeps, s: Session, origin: Origin): Promise<Session> =>
  transact(store, async tx => {
    await tx.audit({ ...about(s, origin), action: 'session.extend' })
    return extendSession(tx, s)
  })

/** Who they are, asked again after `reauth` minutes; what was typed is untouched. Wrong answers count with all others and lock. */
export const reauth = (
  store: StoreDeps,
  s: Session,
  factor: ReauthFactor,
  value: string,
  origin: Origin,
): Promise<{ state: 'ok'; session: Session } | { state: 'wrong'; triesLeft: number } | { state: 'locked' }> =>
  transact(store, async tx => {
    const person = await lockedPerson(tx, s.personId)
    if (!person || person.lockedAt !== null) return { state: 'locked' }
    const { right } = await checkFactor(tx, person, factor, value)
    await tx.audit({
      ...about(s, origin),
      action: 'link.verify',
      outcome: right ? 'done' : 'refused',
      reason: 'reauth',
      detail: { factor },
    })
    if (right) {
      await resetTries(tx, person.id)
      return { state: 'ok', session: await setVerified(tx, s) }
    }
    const after = await countWrong(tx, person, origin)
    if (after.lockedAt === null) return { state: 'wrong', triesLeft: triesLeft(after.tries) }
    await endSession(tx, s.id, 'locked', origin)
    return { state: 'locked' }
  })

/** The ledger is the patient's own to change ("no competitor" 13). */
export const changeConsent = (
  store: StoreDeps,
  s: Session,
  scope: ConsentScope,
  agreed: boolean,
  origin: Origin,
): Promise<void> =>
  transact(store, async tx => {
    if (agreed) await recordConsent(tx, s.personId, scope, 'page', actorOf(s))
    else await revokeConsent(tx, s.personId, scope, actorOf(s))
    await tx.audit({ ...about(s, origin), action: 'session.consent', detail: { scope, agreed } })
  })

/** Requests to send again that one session may make: a broken page must not flood the care team. */
export const resendLimit = { burst: 50, everyMs: 3_600_000 }

/** The page could not open a message: its sender is asked, once for each message, to send it again. */
export const undecryptable = async (store: StoreDeps, s: Session, eventId: EventId, origin: Origin): Promise<void> => {
  const allowed = await takeToken(store.db, `resend:${s.id}`, resendLimit, store.clock.now())
  await transact(store, async tx => {
    await tx.audit({
      ...about(s, origin),
      action: 'session.undecryptable',
      object: { kind: 'event', id: eventId },
      outcome: allowed ? 'done' : 'refused',
    })
    if (!allowed) return
    await tx.enqueue({
      queue: 'bridge',
      kind: 'care.resend',
      key: `resend:${s.personId}:${eventId}`,
      payload: { personId: s.personId, eventId },
      patient: s.patientId,
    })
    await advanceNotices(tx, { event: eventId, person: s.personId }, { kind: 'failed', failure: 'undecryptable' })
  })
}
