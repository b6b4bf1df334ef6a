import type { Instant } from '../clock.ts'
import type { RecordClass, RecordFacts } from './facts.ts'

/** What a policy is about, from the most to the least specific (design §10: label > user > room > organisation; a class of rooms stands between). */
export const scopeOrder = ['label', 'user', 'room', 'class', 'organisation'] as const
export type PolicyScope =
  | { kind: 'label'; label: string }
  | { kind: 'user'; user: string }
  | { kind: 'room'; room: string }
  | { kind: 'class'; class: RecordClass }
  | { kind: 'organisation' }

/** From when a window runs. `discharge` and `read` do not run before there was one. */
export const windowBases = ['sent', 'activity', 'discharge', 'read'] as const
export type WindowBasis = (typeof windowBases)[number]

export type Policy = {
  id: string
  scope: PolicyScope
  from: WindowBasis
  /** Milliseconds; null: for ever. */
  keepMs: number | null
  /** A statutory minimum: nothing goes earlier, also not by a recall; it makes nothing go by itself. */
  minimum: boolean
}

export const policyMatches = ({ scope }: Policy, facts: RecordFacts): boolean => {
  switch (scope.kind) {
    case 'label':
      return facts.labels.includes(scope.label)
    case 'user':
      return facts.sender === scope.user
    case 'room':
      return facts.room === scope.room
    case 'class':
      return facts.class === scope.class
    case 'organisation':
      return true
  }
}

/** When the window of a policy ends for an event; null: never, or not before something has happened that starts it. */
export const windowEnd = ({ from, keepMs }: Policy, facts: RecordFacts): Instant | null => {
  if (keepMs === null) return null
  const begins = {
    sent: facts.sentAt,
    activity: Math.max(facts.roomActiveAt, facts.sentAt),
    discharge: facts.dischargedAt,
    read: facts.readAt,
  }[from]
  return begins === undefined ? null : begins + keepMs
}

const later = (a: Instant | null, b: Instant | null): boolean => a === null || (b !== null && a > b)

/** Of several policies the one that keeps longest; for equal ends the first by id, so that the answer never depends on an order. */
const longest = (policies: readonly Policy[], facts: RecordFacts): Policy | undefined =>
  policies
    .toSorted((a, b) => (a.id < b.id ? -1 : 1))
    .reduce<Policy | undefined>(
      (best, p) => (best && !later(windowEnd(p, facts), windowEnd(best, facts)) ? best : p),
      undefined,
    )

/** The minimum that binds longest, or undefined. */
export const minimumFor = (policies: readonly Policy[], facts: RecordFacts): Policy | undefined =>
  longest(
    policies.filter(p => p.minimum && policyMatches(p, facts)),
    facts,
  )

/** The window that counts: of the most specific scope that has one; within a scope (several labels) the longest. Undefined: nothing says that it goes. */
export const windowFor = (policies: readonly Policy[], facts: RecordFacts): Policy | undefined => {
  const matching = policies.filter(p => !p.minimum && policyMatches(p, facts))
  const scope = scopeOrder.find(kind => matching.some(p => p.scope.kind === kind))
  return longest(
    matching.filter(p => p.scope.kind === scope),
    facts,
  )
}
