import { type Refusal, refuse } from '../../refusal.ts'
import { handoverSettled, planFor } from './escalation.ts'
import { stopLadder } from './ladder.ts'
import { handoverMs, type Target, targetWords } from './policy.ts'
import {
  ask,
  askedOf,
  closed,
  confirm,
  goOnIfSettled,
  notAsked,
  set,
  setAsked,
  standDown,
  startPlan,
  tell,
  unique,
  type Work,
} from './work.ts'

/** Somebody to whom an accepted page is handed over has accepted it. */
export const takeOver = (w: Work, by: string, from: string): void => {
  setAsked(w, by, { state: 'accepted' })
  setAsked(w, from, { state: 'released' })
  set(w, { acceptedBy: unique([...w.page.acceptedBy.filter(p => p !== from), by]), handover: null, dueAt: null })
  standDown(w, by, 'accepted')
  tell(w, { kind: 'handed_over', from, person: by })
  confirm(w, by, 'accepted')
}

/** Gives the page to whoever a target means: an accepted one stays with `by` until one of them accepts; of one that is not accepted, they are called in place of `by`. */
export const handOver = (w: Work, by: string, target: Target): Refusal | undefined => {
  const { phase, acceptedBy, current, plan, step } = w.page
  if (phase === 'resolved') return closed()
  const accepted = acceptedBy.includes(by)
  const asked = askedOf(w.page, by)
  if (!accepted && !(asked && (asked.state === 'asked' || asked.state === 'ignored'))) return notAsked()
  const to = unique(w.ports.people(target, w.now)).filter(p => p !== by && !acceptedBy.includes(p))
  if (to.length === 0) return refuse('nobody-there', `Nobody else is on duty for ${targetWords(target)}.`)
  if (accepted && phase === 'accepted') {
    if (w.page.handover) return refuse('handing-over', 'This page is being handed over already.')
    set(w, { handover: { from: by, to }, dueAt: w.now + handoverMs })
    tell(w, { kind: 'handing_over', from: by, to })
    for (const p of to) ask(w, p)
    handoverSettled(w)
    return undefined
  }
  const { handover } = w.page
  if (phase === 'accepted') {
    // Handed on by somebody who was to take it over: it still stays with the one who has it.
    if (!handover?.to.includes(by)) return notAsked()
    if (asked) setAsked(w, by, { state: 'declined', ladder: stopLadder(asked.ladder) })
    set(w, {
      handover: { ...handover, to: unique([...handover.to.filter(p => p !== by), ...to]) },
      dueAt: w.now + handoverMs,
    })
    tell(w, { kind: 'handing_over', from: by, to })
    confirm(w, by, 'handed_over')
    for (const p of to) ask(w, p)
    handoverSettled(w)
    return undefined
  }
  if (accepted) set(w, { acceptedBy: acceptedBy.filter(p => p !== by) })
  if (asked) setAsked(w, by, { state: 'declined', ladder: stopLadder(asked.ladder) })
  tell(w, { kind: 'handing_over', from: by, to })
  confirm(w, by, 'handed_over')
  if (phase === 'asking' || phase === 'held') {
    // Nobody was called yet: it begins with them, and the rest of the policy follows.
    set(w, { plan: planFor(plan, to), dueAt: null })
    startPlan(w)
    return undefined
  }
  const waitMs = plan.steps[Math.min(step, plan.steps.length - 1)]?.waitMs ?? handoverMs
  set(w, {
    phase: 'open',
    guard: null,
    current: unique([...current.filter(p => p !== by), ...to]),
    dueAt: w.now + waitMs,
  })
  for (const p of to) ask(w, p)
  goOnIfSettled(w)
  return undefined
}
