import { hours, type Instant } from '../clock.ts'

/** Between one removal and the next. */
const pauses = [hours(1), hours(7), hours(16), hours(48)]

/**
 * When a recalled message is removed in its room once more, after it was `again` times beside the first; null: never. A homeserver gives a client that comes back
 * only a room's newest events. One that had the message open all the time and missed the removal keeps the words until it meets another: within three days it
 * mostly is there at one of these moments.
 */
export const removeAgainAt = (now: Instant, again: number): Instant | null => {
  const pause = pauses[again]
  return pause === undefined ? null : now + pause
}
