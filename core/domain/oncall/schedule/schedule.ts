import type { Instant } from '../../clock.ts'
import type { Shift } from '../shift.ts'
import type { Restriction } from './restriction.ts'
import type { Rotation } from './rotation.ts'

/** A rotation that is in force where its restrictions hold (any of them; none: always) and, where given, between two instants. */
export type Layer = {
  id: string
  rotation: Rotation
  restrictions: readonly Restriction[]
  from?: Instant
  /** Exclusive. */
  to?: Instant
}

/**
 * A change by hand for a while. `add`: this person too. `remove`: not this person; whoever is below takes over. `replace`: this person, instead of everybody or,
 * with `replaces`, wherever that person would have been on.
 */
export type Override = { id: string; from: Instant; to: Instant; person: string } & (
  | { kind: 'add' }
  | { kind: 'remove' }
  | { kind: 'replace'; replaces?: string; swap?: string }
)

/** Other layers in place of the schedule's own for a while: a holiday, a move, a downtime. */
export type Temporary = { id: string; from: Instant; to: Instant; layers: readonly Layer[] }

/** Somebody is away: their turns fall to whoever is below. An override that names them still counts, and is reported. */
export type Absence = { id: string; person: string; from: Instant; to: Instant }

export type Schedule = {
  id: string
  /** IANA; wall times of rotations and restrictions are this zone's. */
  zone: string
  /** A later layer lies above an earlier one and hides it where it is in force. */
  layers: readonly Layer[]
  /** Whoever is on when nobody else is. */
  fallback: string
  /** In the order in which they were made: a later one counts over an earlier one. In-force swaps are among them. */
  overrides: readonly Override[]
  /** A later one counts over an earlier one. */
  temporary: readonly Temporary[]
  absences: readonly Absence[]
}

/** What puts somebody on duty, by id. */
export type Why =
  | { by: 'layer'; layer: string }
  | { by: 'temporary'; temporary: string; layer: string }
  | { by: 'override'; override: string; swap?: string }
  | { by: 'fallback' }

/** `also` are those whom overrides added; the first to be called is `person`. */
export type OnDuty = { person: string; why: Why; also: readonly { person: string; why: Why }[] }

/** A stretch in which the same people are on for the same reason: a shift, and why. */
export type Segment = Shift & OnDuty

export const sameDuty = (a: OnDuty, b: OnDuty): boolean =>
  a.person === b.person &&
  sameWhy(a.why, b.why) &&
  a.also.length === b.also.length &&
  a.also.every((x, i) => x.person === b.also[i]?.person && sameWhy(x.why, b.also[i].why))

const sameWhy = (a: Why, b: Why): boolean => {
  if (a === b) return true
  if (a.by === 'fallback') return b.by === 'fallback'
  if (a.by === 'override') return b.by === 'override' && a.override === b.override
  if (a.by === 'layer') return b.by === 'layer' && a.layer === b.layer
  return b.by === 'temporary' && a.temporary === b.temporary && a.layer === b.layer
}
