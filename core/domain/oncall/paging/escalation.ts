import type { Instant } from '../../clock.ts'
import type { Guard, Page, PagingPorts, Turn } from './page.ts'
import { guardMs, type Plan } from './policy.ts'
import type { Priority } from './priority.ts'
import { earliest } from './timeline.ts'
import {
  askedOf,
  begin,
  climbDue,
  done,
  fallbackFailed,
  goOnIfSettled,
  nextTurn,
  set,
  standDown,
  startPlan,
  tell,
  unique,
  type Work,
} from './work.ts'

export type NewPage = {
  id: string
  /** From `newRef`. */
  ref: string
  priority: Priority
  sender: string
  plan: Plan
  /** What the misdirection guard found; a stat page goes to everybody that it names at once. */
  guard?: Guard | null
  /** Until when this page waits, for a digest or a burst to pass (`admit` in admission/budget.ts); a stat page never waits. */
  startAt?: Instant | null
}

/** The plan with its first step calling these people all at once, for what the guard's answer says. */
export const planFor = (plan: Plan, people: readonly string[]): Plan => {
  const [first, ...later] = plan.steps
  const targets = unique(people).map(user => ({ kind: 'user', user }) as const)
  return {
    ...plan,
    steps: [{ waitMs: first?.waitMs ?? 60_000, repeat: first?.repeat ?? 0, ask: 'all', targets }, ...later],
  }
}

export const everybody = (guard: Guard): string[] => unique([...guard.intended, ...guard.right])

/** Begins, unless a digest or the end of a burst is waited for. */
export const startOrHold = (w: Work): void => {
  const { startAt, priority } = w.page
  if (priority === 'stat' || startAt === null || startAt <= w.now) {
    startPlan(w)
    return
  }
  set(w, { phase: 'held', guard: null, dueAt: startAt })
  tell(w, { kind: 'held', until: startAt })
}

/** A page comes into being (row 38). The turn's effects are its first calls, or the question to its sender. */
export const createPage = (given: NewPage, now: Instant, ports: PagingPorts): Turn => {
  const guard = given.guard ?? null
  const w: Work = {
    now,
    ports,
    effects: [],
    page: {
      id: given.id,
      ref: given.ref,
      priority: given.priority,
      senders: [given.sender],
      count: 1,
      plan: given.plan,
      phase: 'open',
      at: now,
      dueAt: null,
      startAt: given.startAt ?? null,
      step: 0,
      round: 0,
      queue: [],
      current: [],
      asked: [],
      acceptedBy: [],
      handover: null,
      guard,
      lineKey: null,
      contacts: 0,
    },
  }
  tell(w, { kind: 'created', priority: given.priority })
  if (!guard) startOrHold(w)
  else {
    tell(w, { kind: 'guard', reasons: guard.reasons, right: guard.right })
    if (given.priority === 'stat') {
      set(w, { plan: planFor(given.plan, everybody(guard)) })
      startPlan(w)
    } else set(w, { phase: 'asking', dueAt: now + guardMs[given.priority] })
  }
  return done(w)
}

/** A page whose sender does not answer the guard goes to everybody that the guard named: too many beats nobody. */
const guardUnanswered = (w: Work, guard: Guard): void => {
  const people = everybody(guard)
  tell(w, { kind: 'guard_unanswered', people })
  set(w, { plan: planFor(w.page.plan, people), guard: null, dueAt: null })
  startOrHold(w)
}

const turnIgnored = (w: Work): void => {
  const people = w.page.current.filter(p => askedOf(w.page, p)?.state === 'asked')
  set(w, { asked: w.page.asked.map(a => (people.includes(a.person) ? { ...a, state: 'ignored' } : a)) })
  if (people.length > 0) tell(w, { kind: 'ignored', people })
  nextTurn(w)
}

/** Nobody took over what was handed over: it stays with the one who had accepted it, who is told. */
export const handoverFailed = (w: Work): void => {
  const { handover, ref } = w.page
  if (!handover) return
  set(w, { handover: null, dueAt: null })
  standDown(w, handover.from, 'kept', handover.to)
  tell(w, { kind: 'handover_failed', from: handover.from, to: handover.to })
  w.effects.push({ do: 'confirm', ref, person: handover.from, answer: 'kept' })
}

const onPageTimer = (w: Work): void => {
  const { phase, guard } = w.page
  if (phase === 'asking' && guard) guardUnanswered(w, guard)
  else if (phase === 'held') startPlan(w)
  else if (phase === 'open') turnIgnored(w)
  else if (phase === 'accepted') handoverFailed(w)
  else if (phase === 'exhausted') fallbackFailed(w)
  else throw new Error(`a page that is ${phase} has no timer of its own`)
}

/** Goes on at once when nobody can take over any more. */
export const handoverSettled = (w: Work): void => {
  const { handover } = w.page
  if (handover && !handover.to.some(p => askedOf(w.page, p)?.state === 'asked')) handoverFailed(w)
}

/**
 * Does what is due at `now`. May be called at any time and any number of times: early it does nothing, late it does the same in the same order, twice it
 * does nothing new; a clock that went back delays nothing and loses nothing.
 */
export const advance = (page: Page, now: Instant, ports: PagingPorts): Turn => {
  const w = begin(page, now, ports)
  for (let due = earliest(w.page); due && due.dueAt <= now; due = earliest(w.page)) {
    if (due.person === undefined) onPageTimer(w)
    else {
      climbDue(w, due.person)
      goOnIfSettled(w)
      handoverSettled(w)
    }
  }
  return done(w)
}
