import { days } from '../clock.ts'
import { type Policy, type PolicyScope, scopeOrder, type WindowBasis, windowBases } from './policy.ts'

const hour = 3_600_000
const year = days(365)

/** `for ever`, `2 years`, `90 days`, `36 hours`. */
export const keepWords = (keepMs: number | null): string => {
  if (keepMs === null) return 'for ever'
  const [n, unit] =
    keepMs % year === 0
      ? [keepMs / year, 'year']
      : keepMs % days(1) === 0
        ? [keepMs / days(1), 'day']
        : [Math.round((keepMs / hour) * 10) / 10, 'hour']
  return `${n} ${unit}${n === 1 ? '' : 's'}`
}

const baseWords: Record<WindowBasis, string> = {
  sent: 'after it was sent',
  activity: 'after the last message of its room',
  discharge: 'after the patient was discharged',
  read: 'after it was first read',
}

export const basisWords = (basis: WindowBasis): string => baseWords[basis]

/** `room !abc:clinic.example`, `everything else`. */
export const scopeWords = (scope: PolicyScope): string => {
  switch (scope.kind) {
    case 'label':
      return `label ${scope.label}`
    case 'user':
      return `what ${scope.user} sends`
    case 'room':
      return `room ${scope.room}`
    case 'class':
      return `${scope.class} rooms`
    case 'organisation':
      return 'the organisation'
  }
}

export const valueWords = (value: Pick<Policy, 'from' | 'keepMs'> | null): string => {
  if (value === null) return 'no rule'
  return value.keepMs === null ? 'kept for ever' : `${keepWords(value.keepMs)} ${basisWords(value.from)}`
}

/** Does the change let something go sooner, so that a second person must agree? What is unknown counts as sooner. */
export const goesSooner = (
  before: Pick<Policy, 'from' | 'keepMs'> | null,
  after: Pick<Policy, 'from' | 'keepMs'> | null,
  minimum: boolean,
): boolean => {
  // Without a window nothing goes by itself; without a minimum nothing is bound.
  const lasts = (v: typeof before) => (v === null ? (minimum ? 0 : Infinity) : (v.keepMs ?? Infinity))
  return lasts(after) < lasts(before) || (before !== null && after !== null && before.from !== after.from)
}

/**
 * The minimum that a window may not undercut, or undefined: one for the same scope or for the organisation, which binds everywhere, that runs from the same
 * instant. Other minimums bind as well when the time has come; they only cannot be compared beforehand.
 */
export const undercuts = (
  policies: readonly Policy[],
  window: { scope: PolicyScope; from: WindowBasis; keepMs: number | null },
): Policy | undefined => {
  const same = (scope: PolicyScope) => JSON.stringify(scope) === JSON.stringify(window.scope)
  const { keepMs } = window
  if (keepMs === null) return undefined
  return policies.find(
    p =>
      p.minimum &&
      p.from === window.from &&
      (p.scope.kind === 'organisation' || same(p.scope)) &&
      (p.keepMs === null || p.keepMs > keepMs),
  )
}

export const isScopeKind = (word: string): word is PolicyScope['kind'] =>
  (scopeOrder as readonly string[]).includes(word)
export const isBasis = (word: string): word is WindowBasis => (windowBases as readonly string[]).includes(word)
