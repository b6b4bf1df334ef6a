import { type Instant, minutes } from '../../clock.ts'
import { type Refusal, refuse } from '../../refusal.ts'
import { climb, isUnreachable, newLadder, stopLadder } from './ladder.ts'
import type { Asked, News, Page, PageEffect, PagingPorts, Turn } from './page.ts'
import { fallbackMs, targetWords } from './policy.ts'
import { settle } from './timeline.ts'

/** One decision under way: the page as it becomes, and what is to be done. Never leaves the functions of this folder. */
export type Work = { page: Page; effects: PageEffect[]; now: Instant; ports: PagingPorts }

export const begin = (page: Page, now: Instant, ports: PagingPorts): Work => ({
  page: settle(page, now),
  effects: [],
  now,
  ports,
})

export const done = ({ page, effects }: Work): Turn => ({ page, effects })

export const set = (w: Work, change: Partial<Page>): void => {
  w.page = { ...w.page, ...change }
}

export const setAsked = (w: Work, person: string, change: Partial<Asked>): void =>
  set(w, { asked: w.page.asked.map(a => (a.person === person ? { ...a, ...change } : a)) })

export const askedOf = (page: Page, person: string): Asked | undefined => page.asked.find(a => a.person === person)

export const unique = (people: readonly string[]): string[] => [...new Set(people)]

export const tell = (w: Work, news: News): void => {
  w.effects.push({ do: 'tell', ref: w.page.ref, to: w.page.senders, news })
}

/** Climbs one person's ladder by what is due; says when nobody can be reached on it. */
export const climbDue = (w: Work, person: string): void => {
  const asked = askedOf(w.page, person)
  if (asked && asked.ladder.dueAt !== null && asked.ladder.dueAt <= w.now) {
    const { quietUntil } = w.ports.contact(person, w.now, w.page.priority)
    const key = String(w.page.contacts + 1)
    const { priority, ref, count } = w.page
    const step = climb(asked.ladder, { priority, quietUntil: asked.last ? null : quietUntil, key }, w.now)
    setAsked(w, person, { ladder: step.ladder })
    if (step.send) {
      set(w, { contacts: w.page.contacts + 1 })
      w.effects.push({ do: 'send', ref, key, way: step.send.way, person, priority, count })
    }
    if (step.heldUntil !== undefined) tell(w, { kind: 'quiet', person, until: step.heldUntil })
  }
  markUnreachable(w, person)
}

const markUnreachable = (w: Work, person: string): void => {
  const asked = askedOf(w.page, person)
  if (!asked || (asked.state !== 'asked' && asked.state !== 'ignored') || !isUnreachable(asked.ladder)) return
  setAsked(w, person, { state: 'unreachable', ladder: stopLadder(asked.ladder) })
  tell(w, { kind: 'unreachable', person })
  if (asked.last) fallbackFailed(w)
}

/** Nobody comes after the named fallback: the sender, and the desk, must see to it. Said once. */
export const fallbackFailed = (w: Work): void => {
  if (w.page.phase !== 'exhausted') return
  set(w, { dueAt: null, lineKey: null })
  tell(w, { kind: 'fallback_failed', fallback: w.page.plan.fallback })
}

/** Calls somebody by their ladder; one that still runs for this page is not begun anew. */
export const ask = (w: Work, person: string, last = false): void => {
  const before = askedOf(w.page, person)
  const runs = before !== undefined && before.ladder.dueAt !== null && !(last && before.ladder.held)
  const ladder = runs ? before.ladder : newLadder(w.ports.contact(person, w.now, w.page.priority).rungs, w.now)
  const asked: Asked = { person, state: 'asked', ladder, last }
  if (before) setAsked(w, person, asked)
  else set(w, { asked: [...w.page.asked, asked] })
  climbDue(w, person)
}

/** Ends every call of this page, and says so to those who were still wanted. */
export const standDown = (
  w: Work,
  by: string,
  because: 'accepted' | 'resolved' | 'kept',
  only?: readonly string[],
): void => {
  const wanted = (a: Asked) =>
    a.person !== by && (a.state === 'asked' || a.state === 'ignored') && (!only || only.includes(a.person))
  const people = w.page.asked.filter(wanted).map(a => a.person)
  set(w, {
    asked: w.page.asked.map(a =>
      only && !only.includes(a.person)
        ? a
        : { ...a, state: wanted(a) ? 'released' : a.state, ladder: stopLadder(a.ladder) },
    ),
  })
  if (people.length > 0) w.effects.push({ do: 'stand_down', ref: w.page.ref, people, by, because })
}

/** The bot tells somebody that their answer was understood. */
export const confirm = (
  w: Work,
  person: string,
  answer: 'accepted' | 'declined' | 'handed_over' | 'resolved',
): void => {
  w.effects.push({ do: 'confirm', ref: w.page.ref, person, answer })
}

export const closed = (): Refusal => refuse('closed', 'This page is resolved.')
export const notAsked = (): Refusal =>
  refuse('not-asked', 'This page did not ask you. To take it all the same: !accept')

const waits = (w: Work): boolean => w.page.current.some(p => askedOf(w.page, p)?.state === 'asked')

/** Begins a round of a step, or the step after it when nobody is there to be called; after the last one the fallback is called. */
const startStep = (w: Work, step: number, round: number): void => {
  const policyStep = w.page.plan.steps[step]
  if (!policyStep) {
    exhaust(w)
    return
  }
  const found = unique(policyStep.targets.flatMap(t => w.ports.people(t, w.now)))
  const people = found.filter(p => !['declined', 'accepted'].includes(askedOf(w.page, p)?.state ?? ''))
  const queue = policyStep.ask === 'all' ? (people.length > 0 ? [people] : []) : people.map(p => [p])
  set(w, { step, round, queue })
  if (round === 0 && people.length === 0) tell(w, { kind: 'nobody', step })
  if (people.length === 0) startStep(w, step + 1, 0)
  else nextTurn(w)
}

/** Calls whoever comes next; the page then waits for their answer. */
export const nextTurn = (w: Work): void => {
  for (;;) {
    const { step, round, queue, plan } = w.page
    const policyStep = plan.steps[step]
    const [people, ...later] = queue
    if (!people) {
      if (policyStep && round < policyStep.repeat) startStep(w, step, round + 1)
      else startStep(w, step + 1, 0)
      return
    }
    const still = people.filter(p => !['declined', 'accepted'].includes(askedOf(w.page, p)?.state ?? ''))
    set(w, { queue: later, current: still, dueAt: w.now + (policyStep?.waitMs ?? 0) })
    if (still.length === 0) continue
    tell(w, { kind: 'asked', people: still, step })
    for (const p of still) ask(w, p)
    if (waits(w)) return
  }
}

/** Goes on at once when nobody whose answer is waited for can still give it. */
export const goOnIfSettled = (w: Work): void => {
  if (w.page.phase === 'open' && !waits(w)) nextTurn(w)
}

/** The policy has begun, or begins again with another plan. */
export const startPlan = (w: Work): void => {
  set(w, { phase: 'open', guard: null, startAt: null, handover: null })
  startStep(w, 0, 0)
}

/** Nobody has accepted: the named fallback is called and the sender told (row 38). */
const exhaust = (w: Work): void => {
  const { plan, acceptedBy, ref, priority, count } = w.page
  set(w, { phase: 'exhausted', dueAt: null, current: [], queue: [], step: plan.steps.length })
  const { fallback } = plan
  tell(w, { kind: 'exhausted', fallback, have: acceptedBy.length, need: plan.acks })
  if (fallback.kind === 'user') {
    if (acceptedBy.includes(fallback.user)) {
      fallbackFailed(w)
      return
    }
    // Whoever lets a card, a text and a call pass has not been reached either.
    const climbMs = w.ports.contact(fallback.user, w.now, priority).rungs.reduce((sum, r) => sum + r.waitMs, minutes(1))
    set(w, { dueAt: w.now + Math.max(fallbackMs[priority], climbMs) })
    ask(w, fallback.user, true)
    return
  }
  const key = String(w.page.contacts + 1)
  set(w, { contacts: w.page.contacts + 1, lineKey: key })
  w.effects.push({ do: 'call_line', ref, key, line: targetWords(fallback), priority, count })
}
