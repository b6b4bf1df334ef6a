import { type Factor, factorsLeft, triesLeft } from '../../core/domain/factor.ts'
import type { SessionId } from '../../core/domain/ids.ts'
import { closedBy } from '../../core/domain/link.ts'
import { standing } from '../../core/domain/session.ts'
import type { Settings } from '../../core/domain/settings/settings.ts'
import { passedFactors } from '../../core/store/links/factors.ts'
import { type FoundLink, findLink, markTapped } from '../../core/store/links/links.ts'
import { renewSession, type Session, sessionByCookie } from '../../core/store/links/sessions.ts'
import { advanceNotices } from '../../core/store/patients/notices.ts'
import { type Tx, transact } from '../../core/store/tx.ts'
import { anonymous, type Browser, type LinkDeps, originOf } from './deps.ts'

export type Closed = { state: 'closed' }
export type Locked = { state: 'locked' }
/** `cookie` and `binding` are to be set where given; `replaced`: the person's sessions that this one has ended. */
export type Started = {
  state: 'session'
  session: Session
  csrf: string
  cookie?: string
  binding?: string
  replaced: SessionId[]
}
export type Asked = {
  state: 'factors'
  factors: Factor[]
  lang: 'en' | 'es'
  triesLeft: number
  reason: FoundLink['reason']
  expiresAt: number
  /** The browser's binding; new when it had none. */
  binding: string
}

export const newBinding = (tx: Tx): string => Buffer.from(tx.deps.random.bytes(24)).toString('base64url')

/** Notes in the audit log that a token opened nothing; an unknown one has no id. */
export const auditClosed = (
  tx: Tx,
  action: 'link.tap' | 'link.verify',
  link: FoundLink | null,
  browser: Browser,
  reason: string,
): Promise<void> =>
  tx.audit({
    actor: anonymous,
    action,
    object: { kind: 'link', id: link?.id ?? 'unknown' },
    outcome: 'refused',
    ...(link ? { patient: link.patientId } : {}),
    origin: originOf(browser),
    reason,
  })

const sameBrowser = async (tx: Tx, link: FoundLink, browser: Browser): Promise<Session | null> => {
  const session = browser.cookie ? await sessionByCookie(tx, browser.cookie) : null
  return session && session.personId === link.person.id && standing(session, tx.now) === 'live' ? session : null
}

/**
 * The patient's tap (POST): what this browser has to prove, or its own session when that still lives. Unknown, used, expired and withdrawn links give
 * the same answer (row 55).
 */
export const tap = (
  deps: LinkDeps,
  settings: Settings,
  token: string,
  browser: Browser,
): Promise<Closed | Locked | Asked | Started> =>
  transact(deps.store, async tx => {
    const link = await findLink(tx, token)
    const closed = link ? closedBy(link, tx.now) : 'unknown'
    if (!link || closed) {
      await auditClosed(tx, 'link.tap', link, browser, closed ?? 'unknown')
      return { state: 'closed' }
    }
    const locked = link.person.lockedAt !== null
    await markTapped(tx, link.id)
    await tx.audit({
      actor: anonymous,
      action: 'link.tap',
      object: { kind: 'link', id: link.id },
      outcome: locked ? 'refused' : 'done',
      patient: link.patientId,
      origin: originOf(browser),
      ...(locked ? { reason: 'locked' } : {}),
    })
    if (locked) return { state: 'locked' }
    await advanceNotices(tx, { person: link.person.id }, { kind: 'opened' })
    const own = await sameBrowser(tx, link, browser)
    if (own) {
      await advanceNotices(tx, { person: link.person.id }, { kind: 'verified' })
      return { state: 'session', ...(await renewSession(tx, own, link.id, originOf(browser))), replaced: [] }
    }
    const binding = browser.binding ?? newBinding(tx)
    const person = { hasPin: link.person.pin !== null }
    return {
      state: 'factors',
      factors: factorsLeft(settings['link.factors'], person, await passedFactors(tx, link.id, binding)),
      lang: link.person.lang,
      triesLeft: triesLeft(link.person.tries),
      reason: link.reason,
      expiresAt: link.expiresAt,
      binding,
    }
  })
