import type { Guard, GuardReason } from '../paging/page.ts'

/** What is known of the people whom a page is meant for, at the instant at which it is sent. */
export type GuardFacts = {
  /** Has a shift now; undefined for somebody who is in no schedule at all: then nothing can be said. */
  onShift(person: string): boolean | undefined
  /** On leave or absent now. */
  isAbsent(person: string): boolean
  /** Is this person in the care team of the patient whom the page is about? Undefined without a patient. */
  onTeam?: (person: string) => boolean
  /** Others with the same display name, by `sameName`. */
  namesakes(person: string): readonly string[]
  /** Who has this person's duty now, in the order in which to call them; on the patient's team first. */
  standIns(person: string): readonly string[]
}

/** Display names that a reader takes for one another: case, accents, titles, punctuation and the order of the words do not tell them apart. */
export const nameKey = (displayName: string): string =>
  displayName
    .normalize('NFKD')
    .replace(/\p{M}/gu, '')
    .toLowerCase()
    .split(/[^\p{L}\p{N}]+/u)
    .filter(w => w !== '' && !['dr', 'dra', 'prof', 'md', 'rn', 'nurse', 'np', 'pa'].includes(w))
    .sort()
    .join(' ')

export const sameName = (a: string, b: string): boolean => nameKey(a) !== '' && nameKey(a) === nameKey(b)

const reasonsFor = (person: string, facts: GuardFacts): GuardReason[] => {
  const absent = facts.isAbsent(person)
  const reasons: GuardReason[] = []
  if (absent) reasons.push({ person, kind: 'absent' })
  else if (facts.onShift(person) === false) reasons.push({ person, kind: 'off_shift' })
  if (facts.onTeam && !facts.onTeam(person)) reasons.push({ person, kind: 'not_on_team' })
  if (facts.namesakes(person).length > 0) reasons.push({ person, kind: 'namesake' })
  return reasons
}

/** Could this page be meant for them: here, on shift as far as is known, and on the team? */
const fits = (person: string, facts: GuardFacts): boolean =>
  !facts.isAbsent(person) && facts.onShift(person) !== false && (facts.onTeam?.(person) ?? true)

/**
 * Looks at a page before it goes out (competitor row 7): undefined lets it go. Otherwise the sender is asked, `right` being one tap away each, best first;
 * a stat page goes to the intended and to all of `right` (escalation.ts). A namesake is offered only where they fit the page. A page to a role needs no
 * guard: it is whoever is on duty.
 */
export const guardFor = (intended: readonly string[], facts: GuardFacts): Guard | undefined => {
  const reasons = intended.flatMap(p => reasonsFor(p, facts))
  // A namesake alone is no doubt where the named person fits and the other does not.
  const doubts = reasons.filter(
    r => r.kind !== 'namesake' || !fits(r.person, facts) || facts.namesakes(r.person).some(n => fits(n, facts)),
  )
  if (doubts.length === 0) return undefined
  const offered = doubts.flatMap(r => [
    ...facts.namesakes(r.person).filter(n => fits(n, facts)),
    ...(r.kind === 'namesake' ? [] : facts.standIns(r.person)),
  ])
  const right = [...new Set(offered)].filter(p => !intended.includes(p) && !facts.isAbsent(p)).slice(0, 5)
  return { reasons: doubts, intended, right }
}

const because: Record<GuardReason['kind'], string> = {
  off_shift: 'is not on shift',
  not_on_team: 'is not on this patient’s team',
  absent: 'is away',
  namesake: 'has the same name as somebody else',
}
/** `Ann Lee is not on shift and is not on this patient’s team.`, a sentence for each person. */
export const guardWords = (reasons: readonly GuardReason[], nameOf: (person: string) => string): string =>
  [...new Set(reasons.map(r => r.person))]
    .map(
      p =>
        `${nameOf(p)} ${reasons
          .filter(r => r.person === p)
          .map(r => because[r.kind])
          .join(' and ')}.`,
    )
    .join(' ')
