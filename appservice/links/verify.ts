import { minutes } from '../../core/domain/clock.ts'
import { type Factor, factorsLeft, triesLeft } from '../../core/domain/factor.ts'
import { closedBy } from '../../core/domain/link.ts'
import type { Settings } from '../../core/domain/settings/settings.ts'
import {
  checkFactor,
  countWrong,
  forgetAttempts,
  notePassed,
  passedFactors,
  resetTries,
} from '../../core/store/links/factors.ts'
import { bindLink, type FoundLink, findLink } from '../../core/store/links/links.ts'
import { startSession } from '../../core/store/links/sessions.ts'
import { advanceNotices } from '../../core/store/patients/notices.ts'
import { type Tx, transact } from '../../core/store/tx.ts'
import { anonymous, type Browser, type LinkDeps, originOf } from './deps.ts'
import { auditClosed, type Closed, type Locked, newBinding, type Started } from './tap.ts'

export type Wrong = { state: 'wrong'; triesLeft: number }
export type MoreFactors = { state: 'factors'; factors: Factor[]; triesLeft: number; binding: string }
export type Verified = Closed | Locked | Wrong | MoreFactors | Started

/** The session's times by the clinic's settings. */
export const sessionTimes = (settings: Settings) => ({
  idleMs: minutes(settings['session.idle_minutes']),
  reauthMs: minutes(settings['session.reauth_minutes']),
})

const auditTry = (tx: Tx, link: FoundLink, browser: Browser, factor: Factor, right: boolean): Promise<void> =>
  tx.audit({
    actor: anonymous,
    action: 'link.verify',
    object: { kind: 'link', id: link.id },
    outcome: right ? 'done' : 'refused',
    patient: link.patientId,
    origin: originOf(browser),
    detail: { factor },
  })

const wrong = async (
  tx: Tx,
  link: FoundLink,
  ofCode: number | undefined,
  browser: Browser,
): Promise<Wrong | Locked> => {
  if (ofCode !== undefined) return { state: 'wrong', triesLeft: ofCode }
  const after = await countWrong(tx, link.person, originOf(browser))
  return after.lockedAt === null ? { state: 'wrong', triesLeft: triesLeft(after.tries) } : { state: 'locked' }
}

/**
 * One factor's answer (rows 19, 56, 57): the next factor, or a session that ends the person's former one. Right or wrong, counting, audit and session
 * commit together; the person's row is locked, so that parallel guesses count one by one.
 */
export const verify = (
  deps: LinkDeps,
  settings: Settings,
  asked: { token: string; factor: Factor; value: string },
  browser: Browser,
): Promise<Verified> =>
  transact(deps.store, async (tx): Promise<Verified> => {
    const link = await findLink(tx, asked.token)
    const closed = link ? closedBy(link, tx.now) : 'unknown'
    if (!link || closed) {
      await auditClosed(tx, 'link.verify', link, browser, closed ?? 'unknown')
      return { state: 'closed' }
    }
    if (link.person.lockedAt !== null) {
      await auditClosed(tx, 'link.verify', link, browser, 'locked')
      return { state: 'locked' }
    }
    const binding = browser.binding ?? newBinding(tx)
    const person = { hasPin: link.person.pin !== null }
    const before = await passedFactors(tx, link.id, binding)
    const left = (passed: Factor[]) => factorsLeft(settings['link.factors'], person, passed)
    const more = (passed: Factor[]): MoreFactors => ({
      state: 'factors',
      factors: left(passed),
      triesLeft: triesLeft(link.person.tries),
      binding,
    })
    if (left(before)[0] !== asked.factor) return more(before)
    const checked = await checkFactor(tx, link.person, asked.factor, asked.value)
    await auditTry(tx, link, browser, asked.factor, checked.right)
    if (!checked.right) return wrong(tx, link, checked.triesLeft, browser)
    const passed = [...before, asked.factor]
    if (left(passed).length > 0) {
      await notePassed(tx, link.id, binding, passed)
      return more(passed)
    }
    await resetTries(tx, link.person.id)
    await forgetAttempts(tx, link.id)
    await bindLink(tx, link.id, binding)
    const started = await startSession(tx, link, sessionTimes(settings), originOf(browser))
    await advanceNotices(tx, { person: link.person.id }, { kind: 'verified' })
    return { state: 'session', ...started, binding }
  })
