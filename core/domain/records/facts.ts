import type { Instant } from '../clock.ts'

/** What a room is for, as policies name it. */
export const recordClasses = ['care', 'staff', 'direct', 'role', 'desk'] as const
export type RecordClass = (typeof recordClasses)[number]

/** What retention needs to know of one Matrix event with content; never the content. */
export type RecordFacts = {
  event: string
  room: string
  class: RecordClass
  sender: string
  patient?: string
  labels: readonly string[]
  sentAt: Instant
  /** The room's last message, for windows that run from the last activity. */
  roomActiveAt: Instant
  /** When the patient was discharged; absent while they are in care. */
  dischargedAt?: Instant
  /** When it was first read by somebody else, as far as receipts tell. */
  readAt?: Instant
  /** When somebody who may asked for it to be recalled. */
  recalledAt?: Instant
  /** When a member's own client removed it (`m.room.redaction`). */
  removedAt?: Instant
  /** Of an edit (`m.replace`) the message that it replaces, by the same sender in the same room: they go together. */
  edited?: Pick<RecordFacts, 'labels' | 'sentAt' | 'readAt' | 'recalledAt' | 'removedAt'>
}
