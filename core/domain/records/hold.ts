import type { Instant } from '../clock.ts'
import type { RecordFacts } from './facts.ts'

/** A legal hold (row 49). Every criterion that is given must fit; at least one is given. */
export type Hold = {
  id: string
  room?: string
  user?: string
  patient?: string
  /** Sent from here on, and before `until`. */
  since?: Instant
  until?: Instant
  placedAt: Instant
  releasedAt?: Instant
}

const fits = (wanted: string | undefined, is: string | undefined): boolean => wanted === undefined || wanted === is

/** Is the event under this hold now? A user's hold covers what they sent. */
export const holds = (hold: Hold, facts: RecordFacts): boolean =>
  hold.releasedAt === undefined &&
  fits(hold.room, facts.room) &&
  fits(hold.user, facts.sender) &&
  fits(hold.patient, facts.patient) &&
  (hold.since === undefined || facts.sentAt >= hold.since) &&
  (hold.until === undefined || facts.sentAt < hold.until)

export const holdOver = (all: readonly Hold[], facts: RecordFacts): Hold | undefined => all.find(h => holds(h, facts))

type Criteria = Pick<Hold, 'room' | 'user' | 'patient' | 'since' | 'until'>

/** Could one message be under both? What one of them leaves open fits the other. */
export const overlaps = (a: Criteria, b: Criteria): boolean =>
  (['room', 'user', 'patient'] as const).every(k => a[k] === undefined || b[k] === undefined || a[k] === b[k]) &&
  Math.max(a.since ?? 0, b.since ?? 0) < Math.min(a.until ?? Infinity, b.until ?? Infinity)

/** One matter, however it was typed. */
export const sameMatter = (a: string, b: string): boolean => plain(a) === plain(b)
const plain = (matter: string) => matter.normalize('NFKC').trim().replace(/\s+/g, ' ').toLowerCase()
