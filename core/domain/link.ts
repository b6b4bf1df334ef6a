import { hours, type Instant } from './clock.ts'

export type LinkFacts = {
  expiresAt: Instant
  /** The patient ended the session that this link opened. */
  usedAt: Instant | null
  withdrawnAt: Instant | null
  withdrawnReason: string | null
  personRemoved: boolean
  patientState: string
  /** The ghost, its K and the room exist. */
  ready: boolean
}

/** A link's life within what the clinic may choose: one hour to seven days. */
export const linkLifeMs = (lifeMs: number): number => Math.min(Math.max(lifeMs, hours(1)), hours(24 * 7))

/** Why a link opens nothing; the patient is told none of this, only that it is closed. */
export type ClosedBy = 'expired' | 'used' | 'withdrawn' | 'patient' | 'not-ready'

/** `undefined`: the link is open. */
export const closedBy = (link: LinkFacts, now: Instant): ClosedBy | undefined => {
  if (link.withdrawnAt !== null) return 'withdrawn'
  if (link.personRemoved || link.patientState !== 'open') return 'patient'
  if (!link.ready) return 'not-ready'
  if (link.usedAt !== null) return 'used'
  return now >= link.expiresAt ? 'expired' : undefined
}

/** May the holder of this link have a new one texted to the number on file? Not after somebody said that the number is not the patient's. */
export const mayRenew = (link: LinkFacts): boolean =>
  !link.personRemoved && link.patientState === 'open' && link.ready && link.withdrawnReason !== 'not_me'
