import { type Refusal, refuse } from '../../refusal.ts'
import { everybody, handoverSettled, planFor } from './escalation.ts'
import { takeOver } from './hand-over.ts'
import { stopLadder } from './ladder.ts'
import type { AnswerWay } from './page.ts'
import {
  askedOf,
  closed,
  confirm,
  fallbackFailed,
  goOnIfSettled,
  nextTurn,
  notAsked,
  set,
  setAsked,
  standDown,
  startPlan,
  tell,
  type Work,
} from './work.ts'

/** Enough people have accepted, `by` being the last of them. */
export const taken = (w: Work, by: string): void => {
  set(w, { phase: 'accepted', dueAt: null, guard: null, startAt: null, current: [] })
  standDown(w, by, 'accepted')
}

/** Is this the telephone line that was called last? */
const isCalledLine = ({ page: { phase, plan } }: Work, by: string): boolean =>
  phase === 'exhausted' && plan.fallback.kind === 'line' && plan.fallback.line === by

/** Somebody takes the page, or takes over what is handed over to them. */
export const accept = (w: Work, by: string, way: AnswerWay): Refusal | undefined => {
  const { phase, acceptedBy, handover, plan } = w.page
  if (phase === 'resolved') return closed()
  // Answers come twice: by webhook, and from somebody who taps again.
  if (acceptedBy.includes(by)) return undefined
  const asked = askedOf(w.page, by)
  const isLine = isCalledLine(w, by)
  if (!asked && way !== 'command' && !isLine) return notAsked()
  if (phase === 'accepted') {
    if (!handover) return refuse('already-accepted', `${acceptedBy.join(' and ')} has taken this page.`)
    if (!asked) return notAsked()
    if (!handover.to.includes(by))
      return refuse('handed-to-another', `This page is being handed over to ${handover.to.join(' or ')}.`)
    takeOver(w, by, handover.from)
    return undefined
  }
  const have = [...acceptedBy, by]
  const { guard } = w.page
  set(w, { acceptedBy: have, plan: guard ? planFor(plan, everybody(guard)) : plan })
  if (asked) setAsked(w, by, { state: 'accepted', ladder: stopLadder(asked.ladder) })
  confirm(w, by, 'accepted')
  tell(w, { kind: 'accepted', person: by, have: have.length, need: plan.acks })
  if (have.length < plan.acks) {
    goOnIfSettled(w)
    return undefined
  }
  taken(w, by)
  return undefined
}

/** An acceptance that is taken back: the page goes on where it stood. */
const giveBack = (w: Work, by: string): void => {
  const { phase, handover } = w.page
  const wasHandingOver = handover
  setAsked(w, by, { state: 'declined' })
  set(w, { acceptedBy: w.page.acceptedBy.filter(p => p !== by) })
  tell(w, { kind: 'given_back', person: by })
  confirm(w, by, 'declined')
  if (phase !== 'accepted') return
  if (wasHandingOver) {
    // Those to whom it was being handed over are being called already: their answer is waited for.
    set(w, { phase: 'open', handover: null, current: wasHandingOver.to })
    goOnIfSettled(w)
    return
  }
  set(w, { phase: 'open', dueAt: null, current: [] })
  // Taken before anybody was called: then it begins now.
  if (w.page.asked.length === 0) startPlan(w)
  else nextTurn(w)
}

/** Somebody will not take the page, or gives it back. */
export const decline = (w: Work, by: string): Refusal | undefined => {
  const { phase, acceptedBy } = w.page
  if (phase === 'resolved') return closed()
  if (acceptedBy.includes(by)) {
    giveBack(w, by)
    return undefined
  }
  if (isCalledLine(w, by)) {
    // As where it does not answer; a call that is over has said so already.
    if (w.page.lineKey !== null) fallbackFailed(w)
    return undefined
  }
  const asked = askedOf(w.page, by)
  if (!asked) return notAsked()
  if (asked.state === 'declined') return undefined
  if (asked.state === 'released') return refuse('already-accepted', `${acceptedBy.join(' and ')} has taken this page.`)
  setAsked(w, by, { state: 'declined', ladder: stopLadder(asked.ladder) })
  tell(w, { kind: 'declined', person: by })
  confirm(w, by, 'declined')
  if (asked.last) fallbackFailed(w)
  goOnIfSettled(w)
  handoverSettled(w)
  return undefined
}
