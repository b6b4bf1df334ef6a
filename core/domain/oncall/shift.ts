import type { Instant } from '../clock.ts'

/** One person's uninterrupted time on duty: `from` inclusive, `to` exclusive. `person` is whatever names a person to the caller: a Matrix user id here. */
export type Shift = { from: Instant; to: Instant; person: string }
