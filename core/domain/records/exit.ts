import type { Instant } from '../clock.ts'
import { decide } from './decide.ts'
import type { RecordFacts } from './facts.ts'
import type { Hold } from './hold.ts'
import { minimumFor, type Policy, windowEnd } from './policy.ts'

/** What the end of one patient's record depends on. */
export type ExitFacts = {
  patient: string
  /** Null: the enrolment never came to a care room. */
  room: string | null
  labels: readonly string[]
  /** Undefined while the patient is in care. */
  closedAt?: Instant
  /** The room's last message. */
  activeAt: Instant
  /** When two people decided that everything goes; otherwise the rules decide. */
  requestedAt?: Instant
  /** What is there of the care room's messages and has not passed the point of no return. */
  live: readonly RecordFacts[]
  /** How many are not destroyed yet, those included that have passed it. */
  left: number
  /** An export that waits or is approved: first it is had, then the keys go. */
  exporting?: string
}

/** What let it go. */
export type ExitRule = { kind: 'request' } | { kind: 'window'; id: string }

export type ExitDecision =
  | { do: 'destroy'; rule: ExitRule }
  | { do: 'keep'; why: 'open' | 'none' }
  | { do: 'keep'; why: 'hold' | 'export'; id: string }
  | { do: 'keep'; why: 'minimum' | 'window'; id: string; until: Instant | null }
  | { do: 'keep'; why: 'messages'; count: number }

type Rules = { policies: readonly Policy[]; holds: readonly Hold[] }
type Minimum = { id: string; until: Instant | null }

/** The record as one message, the last of its room. Without a request it is as old as its closing, so that closing an old chart by mistake destroys nothing at once. */
const wholeOf = (f: ExitFacts, closedAt: Instant): RecordFacts => {
  const sentAt = f.requestedAt === undefined ? Math.max(closedAt, f.activeAt) : f.activeAt
  const whole = { event: '', room: f.room ?? '', class: 'care' as const, sender: '', patient: f.patient }
  const times = { sentAt, roomActiveAt: sentAt, dischargedAt: closedAt, readAt: closedAt }
  return { ...whole, ...times, labels: f.labels, recalledAt: f.requestedAt }
}

/** A hold that names the room or the patient keeps all of it, whatever its dates and whether or not a message is left. */
const holdNaming = (holds: readonly Hold[], { room, patient }: ExitFacts): Hold | undefined =>
  holds.find(
    h =>
      h.releasedAt === undefined &&
      (h.room !== undefined || h.patient !== undefined) &&
      (h.room === undefined || h.room === room) &&
      (h.patient === undefined || h.patient === patient),
  )

const later = (a: Minimum | undefined, b: Minimum): Minimum =>
  a === undefined || (a.until !== null && (b.until === null || b.until > a.until)) ? b : a

/** What keeps messages from being destroyed even if everybody wanted it: the first hold, the minimum that binds longest. */
const binding = (live: readonly RecordFacts[], rules: Rules, now: Instant): { hold?: string; minimum?: Minimum } => {
  let hold: string | undefined
  let minimum: Minimum | undefined
  for (const m of live) {
    const d = decide({ ...m, recalledAt: m.recalledAt ?? now }, rules, now)
    if (d.do !== 'hide') continue
    if (d.binds.kind === 'hold') hold ??= d.binds.id
    if (d.binds.kind === 'minimum') minimum = later(minimum, { id: d.binds.id, until: d.until })
  }
  return { ...(hold === undefined ? {} : { hold }), ...(minimum === undefined ? {} : { minimum }) }
}

/**
 * Has a patient's record reached its end, so that every key to it may be destroyed (row 53)? By the deletion run's own decision, over each message and over the
 * record as a whole: hold > statutory minimum > export > request or window. Pure.
 */
export const decideExit = (f: ExitFacts, rules: Rules, now: Instant): ExitDecision => {
  if (f.closedAt === undefined) return { do: 'keep', why: 'open' }
  const whole = wholeOf(f, f.closedAt)
  const bound = binding(f.live, rules, now)
  const hold = holdNaming(rules.holds, f)?.id ?? bound.hold
  if (hold !== undefined) return { do: 'keep', why: 'hold', id: hold }
  const own = minimumFor(rules.policies, whole)
  const until = own ? windowEnd(own, whole) : now
  const minimum = own && (until === null || until > now) ? later(bound.minimum, { id: own.id, until }) : bound.minimum
  if (minimum) return { do: 'keep', why: 'minimum', ...minimum }
  if (f.exporting !== undefined) return { do: 'keep', why: 'export', id: f.exporting }
  const decided = decide(whole, { ...rules, holds: [] }, now)
  if (decided.do !== 'destroy')
    return 'id' in decided.rule
      ? { do: 'keep', why: 'window', id: decided.rule.id, until: decided.until }
      : { do: 'keep', why: 'none' }
  if (f.left > 0) return { do: 'keep', why: 'messages', count: f.left }
  return {
    do: 'destroy',
    rule: f.requestedAt === undefined && decided.rule.kind === 'window' ? decided.rule : { kind: 'request' },
  }
}

/** What is destroyed, as the log's entries name it. */
export const exitParts = [
  'k',
  'waiting_device',
  'backup',
  'secret_storage',
  'account',
  'room_owner',
  'links',
  'sessions',
  'identity',
] as const
export type ExitPart = (typeof exitParts)[number]
