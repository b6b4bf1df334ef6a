import type { Instant } from '../../clock.ts'
import { type Refusal, refuse } from '../../refusal.ts'
import { accept, decline, taken } from './answers.ts'
import { everybody, handoverSettled, planFor, startOrHold } from './escalation.ts'
import { handOver } from './hand-over.ts'
import { failRung, stopLadder } from './ladder.ts'
import type { Asked, Page, PageEvent, PagingPorts, Turn } from './page.ts'
import { guardMs, type Plan } from './policy.ts'
import { isHigher, type Priority } from './priority.ts'
import {
  ask,
  askedOf,
  begin,
  climbDue,
  closed,
  confirm,
  done,
  fallbackFailed,
  goOnIfSettled,
  set,
  setAsked,
  standDown,
  startPlan,
  tell,
  unique,
  type Work,
} from './work.ts'

/** Senders beyond this many are counted and not told: a storm's duplicates come from few. */
const maxSenders = 50

const resolve = (w: Work, by: string): void => {
  if (w.page.phase === 'resolved') return
  set(w, { phase: 'resolved', dueAt: null, startAt: null, guard: null, handover: null, queue: [], current: [] })
  standDown(w, by, 'resolved')
  tell(w, { kind: 'resolved', by })
  confirm(w, by, 'resolved')
}

const failed = (w: Work, key: string): void => {
  const { phase, lineKey } = w.page
  if (phase === 'resolved') return
  if (key === lineKey) {
    set(w, { lineKey: null })
    fallbackFailed(w)
    return
  }
  const asked = w.page.asked.find(a => a.ladder.sent.includes(key))
  const ladder = asked && failRung(asked.ladder, key, w.now)
  if (!asked || !ladder) return
  setAsked(w, asked.person, { ladder })
  climbDue(w, asked.person)
  goOnIfSettled(w)
  handoverSettled(w)
}

/** Whoever sees the page's card: the ones being called, and those who took it. */
const watching = (page: Page): string[] =>
  unique([
    ...page.acceptedBy,
    ...page.asked.filter(a => a.state === 'asked' || a.state === 'ignored').map(a => a.person),
  ])

const showAgain = (w: Work): void => {
  const people = watching(w.page)
  const { ref, count, priority } = w.page
  if (people.length > 0) w.effects.push({ do: 'update', ref, people, count, priority })
}

const again = (w: Work, by: string): Refusal | undefined => {
  if (w.page.phase === 'resolved') return closed()
  const { senders, count } = w.page
  const known = senders.includes(by) || senders.length >= maxSenders
  set(w, { count: count + 1, senders: known ? senders : [...senders, by] })
  w.effects.push({ do: 'tell', ref: w.page.ref, to: [by], news: { kind: 'joined', count: count + 1 } })
  showAgain(w)
  return undefined
}

const callAgain = (w: Work, person: string): void => {
  const asked = askedOf(w.page, person)
  if (asked) setAsked(w, person, { ladder: stopLadder(asked.ladder) })
  ask(w, person)
}

/** Those who were being called are called again, with what the new priority allows. */
const callAnew = (w: Work): void => {
  const called = w.page.asked.filter(a => a.state === 'asked').map(a => a.person)
  const stopped = (a: Asked): Asked => ({
    ...a,
    state: a.state === 'asked' ? 'ignored' : a.state,
    ladder: stopLadder(a.ladder),
  })
  set(w, { asked: w.page.asked.map(stopped) })
  startPlan(w)
  const others = called.filter(p => askedOf(w.page, p)?.state === 'ignored')
  if (w.page.phase === 'open') set(w, { current: [...w.page.current, ...others] })
  for (const p of others) ask(w, p)
}

const raise = (w: Work, priority: Priority, plan: Plan): Refusal | undefined => {
  const { phase, guard, handover } = w.page
  if (phase === 'resolved') return closed()
  if (!isHigher(priority, w.page.priority)) return undefined
  set(w, { priority })
  tell(w, { kind: 'raised', priority })
  showAgain(w)
  if (phase === 'accepted') {
    for (const p of handover?.to ?? []) if (askedOf(w.page, p)?.state === 'asked') callAgain(w, p)
    handoverSettled(w)
  } else if (guard && priority !== 'stat')
    set(w, { plan, dueAt: Math.min(w.page.dueAt ?? w.now, w.now + guardMs.urgent) })
  else {
    // The guard's names stay in the plan, whoever else the new one calls first.
    set(w, { plan: guard ? planFor(plan, everybody(guard)) : plan, startAt: null })
    const { acceptedBy } = w.page
    const last = acceptedBy.at(-1)
    // The new plan may want fewer people than the old one, and have them.
    if (last !== undefined && acceptedBy.length >= plan.acks) {
      taken(w, last)
      tell(w, { kind: 'accepted', person: last, have: acceptedBy.length, need: plan.acks })
    } else callAnew(w)
  }
  return undefined
}

const choose = (w: Work, by: string, people: readonly string[]): Refusal | undefined => {
  const { phase, senders, guard, plan } = w.page
  if (phase !== 'asking' || !guard) return refuse('already-sent', 'This page has gone out already.')
  if (!senders.includes(by)) return refuse('not-sender', 'Only the sender may answer this.')
  if (people.length === 0) return refuse('nobody-chosen', 'Choose whom to page.')
  set(w, { plan: planFor(plan, people), guard: null, dueAt: null })
  startOrHold(w)
  return undefined
}

const apply = (w: Work, e: PageEvent): Refusal | undefined => {
  switch (e.kind) {
    case 'accept':
      return accept(w, e.by, e.way)
    case 'decline':
      return decline(w, e.by)
    case 'hand_over':
      return handOver(w, e.by, e.to)
    case 'resolve':
      resolve(w, e.by)
      return undefined
    case 'failed':
      failed(w, e.key)
      return undefined
    case 'again':
      return again(w, e.by)
    case 'raise':
      return raise(w, e.priority, e.plan)
    case 'choose':
      return choose(w, e.by, e.people)
  }
}

/**
 * The page after an answer or a report. The same event twice changes nothing more (except `again`, which counts). Refuses with `closed`, `not-asked`,
 * `already-accepted`, `handed-to-another`, `handing-over`, `nobody-there`, `already-sent`, `not-sender` or `nobody-chosen`, and then nothing has changed.
 */
export const onEvent = (page: Page, event: PageEvent, now: Instant, ports: PagingPorts): Turn | Refusal => {
  const w = begin(page, now, ports)
  return apply(w, event) ?? done(w)
}
