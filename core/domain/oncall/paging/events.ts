import type { Instant } from '../../clock.ts'
import { type Refusal, refuse } from '../../refusal.ts'
import { everybody, handoverSettled, planFor, startOrHold } from './escalation.ts'
import { failRung } from './ladder.ts'
import type { AnswerWay, Page, PageEvent, PagingPorts, Turn } from './page.ts'
import { guardMs, handoverMs, type Plan, type Target, targetWords } from './policy.ts'
import { isHigher, type Priority } from './priority.ts'
import {
  ask,
  askedOf,
  begin,
  climbDue,
  done,
  goOnIfSettled,
  nextTurn,
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

const closed = (): Refusal => refuse('closed', 'This page is resolved.')
const notAsked = (): Refusal => refuse('not-asked', 'This page did not ask you. To take it all the same: !accept')

const confirm = (w: Work, person: string, answer: 'accepted' | 'declined' | 'handed_over' | 'resolved'): void => {
  w.effects.push({ do: 'confirm', ref: w.page.ref, person, answer })
}

const takeOver = (w: Work, by: string, from: string): void => {
  setAsked(w, by, { state: 'accepted' })
  setAsked(w, from, { state: 'released' })
  set(w, { acceptedBy: unique([...w.page.acceptedBy.filter(p => p !== from), by]), handover: null, dueAt: null })
  standDown(w, by, 'accepted')
  tell(w, { kind: 'handed_over', from, person: by })
  confirm(w, by, 'accepted')
}

const accept = (w: Work, by: string, way: AnswerWay): Refusal | undefined => {
  const { phase, acceptedBy, handover, plan } = w.page
  if (phase === 'resolved') return closed()
  // Answers come twice: by webhook, and from somebody who taps again.
  if (acceptedBy.includes(by)) return undefined
  const asked = askedOf(w.page, by)
  const isLine = phase === 'exhausted' && plan.fallback.kind === 'line' && plan.fallback.line === by
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
  if (asked) setAsked(w, by, { state: 'accepted', ladder: { ...asked.ladder, dueAt: null, held: false } })
  confirm(w, by, 'accepted')
  tell(w, { kind: 'accepted', person: by, have: have.length, need: plan.acks })
  if (have.length < plan.acks) {
    goOnIfSettled(w)
    return undefined
  }
  set(w, { phase: 'accepted', dueAt: null, guard: null, startAt: null, current: [] })
  standDown(w, by, 'accepted')
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

const decline = (w: Work, by: string): Refusal | undefined => {
  const { phase, acceptedBy } = w.page
  if (phase === 'resolved') return closed()
  if (acceptedBy.includes(by)) {
    giveBack(w, by)
    return undefined
  }
  const asked = askedOf(w.page, by)
  if (!asked) return notAsked()
  if (asked.state === 'declined') return undefined
  if (asked.state === 'released') return refuse('already-accepted', `${acceptedBy.join(' and ')} has taken this page.`)
  setAsked(w, by, { state: 'declined', ladder: { ...asked.ladder, dueAt: null, held: false } })
  tell(w, { kind: 'declined', person: by })
  confirm(w, by, 'declined')
  if (phase === 'exhausted' && asked.last) tell(w, { kind: 'fallback_failed', fallback: w.page.plan.fallback })
  goOnIfSettled(w)
  handoverSettled(w)
  return undefined
}

const handOver = (w: Work, by: string, target: Target): Refusal | undefined => {
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
  if (accepted) set(w, { acceptedBy: acceptedBy.filter(p => p !== by) })
  setAsked(w, by, { state: 'declined', ladder: { ...(asked?.ladder ?? noLadder), dueAt: null, held: false } })
  tell(w, { kind: 'handing_over', from: by, to })
  confirm(w, by, 'handed_over')
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
const noLadder = { rungs: [], next: 0, dueAt: null, held: false, sent: [], failed: [] }

const resolve = (w: Work, by: string): void => {
  if (w.page.phase === 'resolved') return
  set(w, { phase: 'resolved', dueAt: null, startAt: null, guard: null, handover: null, queue: [], current: [] })
  standDown(w, by, 'resolved')
  tell(w, { kind: 'resolved', by })
  confirm(w, by, 'resolved')
}

const failed = (w: Work, key: string): void => {
  const { phase, lineKey, plan } = w.page
  if (phase === 'resolved') return
  if (key === lineKey) {
    set(w, { lineKey: null })
    if (phase === 'exhausted') tell(w, { kind: 'fallback_failed', fallback: plan.fallback })
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

const raise = (w: Work, priority: Priority, plan: Plan): Refusal | undefined => {
  const { phase, guard } = w.page
  if (phase === 'resolved') return closed()
  if (!isHigher(priority, w.page.priority)) return undefined
  // What do-not-disturb holds is asked again at once, by the new priority.
  const asked = w.page.asked.map(a =>
    a.ladder.held ? { ...a, ladder: { ...a.ladder, held: false, dueAt: w.now } } : a,
  )
  set(w, { priority, asked })
  tell(w, { kind: 'raised', priority })
  showAgain(w)
  if (phase === 'accepted') {
    for (const p of w.page.handover?.to ?? []) climbDue(w, p)
    handoverSettled(w)
    return undefined
  }
  if (guard && priority !== 'stat') {
    set(w, { plan, dueAt: Math.min(w.page.dueAt ?? w.now, w.now + guardMs.urgent) })
    return undefined
  }
  // A guard's names stay in the plan, whoever else the new one calls first.
  set(w, { plan: guard ? planFor(plan, everybody(guard)) : plan, startAt: null })
  for (const a of asked) climbDue(w, a.person)
  set(w, { asked: w.page.asked.map(a => (a.state === 'asked' ? { ...a, state: 'ignored' } : a)) })
  startPlan(w)
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
