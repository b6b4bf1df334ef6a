import type { Instant } from '../../clock.ts'
import { type Refusal, refuse } from '../../refusal.ts'
import type { Shift } from '../shift.ts'
import { type CheckContext, checkPerson, checkSpan, showAt } from './check.ts'
import { isOn } from './check-change.ts'
import type { Override, Schedule } from './schedule.ts'
import { shifts } from './shifts.ts'

export type SwapState = 'proposed' | 'in-force' | 'declined' | 'withdrawn' | 'lapsed'

/**
 * One person gives their duty away; the partner takes it and, where `takes` is set, gives a duty of their own for it. Nothing changes before both have consented; a proposal
 * lapses when the first of the duties begins, or when one of the two is no longer on then.
 */
export type Swap = {
  id: string
  schedule: string
  gives: Shift
  partner: string
  /** The partner's duty. */
  takes?: Shift
  proposedBy: string
  proposedAt: Instant
  consents: readonly string[]
  state: SwapState
  /** Set when the swap is no longer proposed. */
  settledAt?: Instant
}

/** What became of the swap, and the overrides to be made in the same transaction; where it lapsed at the second consent, `because` says why. */
export type SwapStep = { swap: Swap; overrides: readonly Override[]; because?: Refusal }

/** When a proposal that is not consented to lapses. */
export const lapsesAt = (swap: Swap): Instant => Math.min(swap.gives.from, swap.takes?.from ?? swap.gives.from)

const dutiesOf = (swap: Pick<Swap, 'gives' | 'takes' | 'partner'>): { duty: Shift; takenBy: string }[] => [
  { duty: swap.gives, takenBy: swap.partner },
  ...(swap.takes ? [{ duty: swap.takes, takenBy: swap.gives.person }] : []),
]

const stillStands = (
  swap: Pick<Swap, 'gives' | 'takes' | 'partner'>,
  schedule: Schedule,
  context: CheckContext,
): Refusal | undefined => {
  for (const { duty, takenBy } of dutiesOf(swap)) {
    const [from, to] = [duty.from, duty.to].map(at => showAt(at, schedule.zone, context.zones))
    const segments = shifts(schedule, duty.from, duty.to, context.zones)
    if (!segments.every(s => isOn(s, duty.person) && s.why.by !== 'fallback')) {
      return refuse('not-on-duty', `${duty.person} is not on duty all the time from ${from} to ${to}.`)
    }
    if (segments.some(s => isOn(s, takenBy))) {
      return refuse('already-on-duty', `${takenBy} is on duty already at a time from ${from} to ${to}.`)
    }
    if (schedule.absences.some(a => a.person === takenBy && a.from < duty.to && a.to > duty.from)) {
      return refuse('absent', `${takenBy} is away at a time from ${from} to ${to}.`)
    }
  }
  return undefined
}

/** A new proposal; whoever proposes and is one of the two consents by that. Refuses duties that are not theirs, not ahead, or that the other cannot take. */
export const proposeSwap = (
  proposal: Pick<Swap, 'id' | 'gives' | 'partner' | 'takes' | 'proposedBy'>,
  schedule: Schedule,
  context: CheckContext,
): SwapStep | Refusal => {
  const { gives, partner, takes, proposedBy } = proposal
  if (partner === gives.person) return refuse('same-person', `${partner} cannot swap with themselves.`)
  if (takes && takes.person !== partner) {
    return refuse('not-theirs', `What ${partner} gives for it must be ${partner}'s own duty.`)
  }
  for (const { duty } of dutiesOf(proposal)) {
    const wrong = checkSpan('The duty', duty)
    if (wrong) return wrong
    if (duty.from <= context.now) {
      const began = showAt(duty.from, schedule.zone, context.zones)
      return refuse('in-the-past', `The duty of ${began} has begun; only duties ahead can be swapped.`)
    }
  }
  const refused = checkPerson(partner, context) ?? stillStands(proposal, schedule, context)
  if (refused) return refused
  const consents = [gives.person, partner].filter(p => p === proposedBy)
  const swap: Swap = { ...proposal, schedule: schedule.id, proposedAt: context.now, consents, state: 'proposed' }
  return { swap, overrides: [] }
}

const settle = (swap: Swap, state: SwapState, now: Instant): SwapStep => ({
  swap: { ...swap, state, settledAt: now },
  overrides: [],
})

/** The proposal at its time: lapsed when its first duty has begun, otherwise as it was. */
export const lapseSwap = (swap: Swap, now: Instant): SwapStep =>
  swap.state === 'proposed' && now >= lapsesAt(swap) ? settle(swap, 'lapsed', now) : { swap, overrides: [] }

const settled: Record<Exclude<SwapState, 'proposed'>, string> = {
  'in-force': 'This swap is in force already.',
  declined: 'This swap was declined.',
  withdrawn: 'This swap was withdrawn.',
  lapsed: 'This swap has lapsed: its first duty has begun, or the schedule was changed.',
}

const inForce = (swap: Swap, now: Instant): SwapStep => ({
  swap: { ...swap, state: 'in-force', settledAt: now },
  overrides: dutiesOf(swap).map(({ duty, takenBy }, i) => ({
    id: `${swap.id}-${i + 1}`,
    kind: 'replace',
    person: takenBy,
    replaces: duty.person,
    swap: swap.id,
    from: duty.from,
    to: duty.to,
  })),
})

/**
 * One of the two (or, to withdraw it, whoever proposed it) answers. The second consent puts the swap in force, unless the schedule has changed so that it can no longer be
 * done: then it lapses, as it does when it is too late. Refuses whoever has no say, and an answer to what is settled.
 */
export const answerSwap = (
  swap: Swap,
  answer: { by: string; consents: boolean },
  schedule: Schedule,
  context: CheckContext,
): SwapStep | Refusal => {
  const late = lapseSwap(swap, context.now)
  if (swap.state !== 'proposed') return refuse('settled', settled[swap.state])
  if (late.swap.state === 'lapsed') return late
  const parties = [swap.gives.person, swap.partner]
  if (!answer.consents && answer.by === swap.proposedBy) return settle(swap, 'withdrawn', context.now)
  if (!parties.includes(answer.by)) return refuse('not-theirs', 'Only the two whose duties these are can answer.')
  if (!answer.consents) return settle(swap, 'declined', context.now)
  if (swap.consents.includes(answer.by)) {
    return refuse('already-consented', 'You have agreed already; the other has not answered yet.')
  }
  const agreed = { ...swap, consents: [...swap.consents, answer.by] }
  if (!parties.every(p => agreed.consents.includes(p))) return { swap: agreed, overrides: [] }
  const because = stillStands(swap, schedule, context)
  return because ? { ...settle(agreed, 'lapsed', context.now), because } : inForce(agreed, context.now)
}
