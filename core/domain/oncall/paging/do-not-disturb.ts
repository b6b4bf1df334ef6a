import type { Instant } from '../../clock.ts'
import { afterQuiet, isQuiet, type QuietHours } from '../../texts/quiet-hours.ts'

/** What a person has chosen: hours of their own day, in their own zone, and a pause until an instant (`!oncall quiet for 2h`); null for none. */
export type DoNotDisturb = { hours: QuietHours | null; until: Instant | null }

/** When do-not-disturb ends, or null where it is not on at `at`; hours that follow on a pause are part of it. */
export const quietUntil = ({ hours, until }: DoNotDisturb, at: Instant): Instant | null => {
  const paused = until !== null && until > at ? until : at
  const end = hours && isQuiet(paused, hours) ? afterQuiet(paused, hours) : paused
  return end > at ? end : null
}
