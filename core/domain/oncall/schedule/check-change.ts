import type { Instant } from '../../clock.ts'
import { isRefusal, type Refusal, refuse } from '../../refusal.ts'
import { type CheckContext, checkLayers, checkPerson, checkSpan, showAt } from './check.ts'
import type { Absence, Override, Schedule, Segment, Temporary } from './schedule.ts'
import { shifts } from './shifts.ts'

type Span = { from: Instant; to: Instant }

const longest = 366 * 86_400_000

/** The part of a change that lies ahead: what has been is never changed. */
const ahead = <T extends Span>(what: string, change: T, zone: string, context: CheckContext): T | Refusal => {
  const wrong = checkSpan(what, change)
  if (wrong) return wrong
  if (change.to <= context.now) {
    const ended = showAt(change.to, zone, context.zones)
    return refuse('in-the-past', `${what} would have ended at ${ended}; who was on duty in the past is not changed.`)
  }
  if (change.to - change.from > longest) return refuse('too-long', `${what} lasts at most a year.`)
  return { ...change, from: Math.max(change.from, context.now) }
}

export const isOn = (segment: Segment, person: string): boolean =>
  segment.person === person || segment.also.some(a => a.person === person)

/** The override as it would count, from now on at the earliest. Refuses what ends before it begins, lies in the past, names nobody known, or would change nothing. */
export const checkOverride = (override: Override, schedule: Schedule, context: CheckContext): Override | Refusal => {
  const change = ahead('The override', override, schedule.zone, context)
  if (isRefusal(change)) return change
  const gone = change.kind === 'remove' ? change.person : change.kind === 'replace' ? change.replaces : undefined
  const unknown = change.kind === 'remove' ? undefined : checkPerson(change.person, context)
  if (unknown) return unknown
  if (change.kind === 'replace' && gone === change.person) {
    return refuse('same-person', `${change.person} cannot stand in for themselves.`)
  }
  if (gone !== undefined) {
    const present = { ...schedule, absences: [] }
    if (!shifts(present, change.from, change.to, context.zones).some(s => isOn(s, gone) && s.why.by !== 'fallback')) {
      return refuse('not-on-duty', `${gone} is not on duty at any time of the override, so it would change nothing.`)
    }
  }
  return change
}

/** The temporary schedule as it would count, from now on at the earliest. Refuses one that overlaps another: which of the two was meant is not for us to guess. */
export const checkTemporary = (
  temporary: Temporary,
  schedule: Schedule,
  context: CheckContext,
): Temporary | Refusal => {
  const change = ahead('The temporary schedule', temporary, schedule.zone, context)
  if (isRefusal(change)) return change
  const other = schedule.temporary.find(t => t.id !== change.id && t.from < change.to && t.to > change.from)
  if (other) {
    const [from, to] = [other.from, other.to].map(at => showAt(at, schedule.zone, context.zones))
    return refuse('overlaps', `There is a temporary schedule already, from ${from} to ${to}.`)
  }
  return checkLayers(change.layers, schedule.zone, context) ?? change
}

/** The absence as it would count. `zone` is for the sentence. */
export const checkAbsence = (absence: Absence, zone: string, context: CheckContext): Absence | Refusal => {
  const change = ahead('The absence', absence, zone, context)
  return isRefusal(change) ? change : (checkPerson(change.person, context) ?? change)
}
