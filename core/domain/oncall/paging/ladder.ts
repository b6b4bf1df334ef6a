import { type Instant, minutes, seconds } from '../../clock.ts'
import type { Priority } from './priority.ts'

/** A way to reach a person. An SMS has no content; a voice call reads none. */
export type Way = 'matrix' | 'sms' | 'voice'

/** One rung of a person's contact ladder: the way, and how long it waits before the next rung, in ms. */
export type Rung = { way: Way; waitMs: number }

/** The ladders of somebody who has chosen none: chat alone for routine pages, and ever sooner by telephone for the others. */
export const defaultRungs: Readonly<Record<Priority, readonly Rung[]>> = {
  routine: [{ way: 'matrix', waitMs: 0 }],
  urgent: [
    { way: 'matrix', waitMs: minutes(1) },
    { way: 'sms', waitMs: minutes(2) },
    { way: 'voice', waitMs: 0 },
  ],
  stat: [
    { way: 'matrix', waitMs: seconds(15) },
    { way: 'sms', waitMs: seconds(30) },
    { way: 'voice', waitMs: 0 },
  ],
}

/** Where one page stands on one person's ladder; plain data. */
export type Ladder = {
  rungs: readonly Rung[]
  /** Index of the rung that is next. */
  next: number
  dueAt: Instant | null
  /** Do-not-disturb holds the next rung: `dueAt` is a time on the person's wall, which a late engine does not move. */
  held: boolean
  /** Keys of what was sent by this ladder, a rung each, and those of them that failed. */
  sent: readonly string[]
  failed: readonly string[]
}

export type Climb = { ladder: Ladder; send?: { way: Way; key: string }; heldUntil?: Instant }

/** A ladder whose first rung is due now. */
export const newLadder = (rungs: readonly Rung[], now: Instant): Ladder => ({
  rungs,
  next: 0,
  dueAt: rungs.length > 0 ? now : null,
  held: false,
  sent: [],
  failed: [],
})

/** May this rung disturb now? A chat message always may: the person's own client keeps it silent. Stat overrides do-not-disturb. */
const mayDisturb = (way: Way, priority: Priority): boolean => way === 'matrix' || priority === 'stat'

/**
 * Takes the rung that is due, under the key that names this one contact. `quietUntil` is when the person's do-not-disturb ends, null when it is not on;
 * what it holds is due then, and is sent then if the page still wants them.
 */
export const climb = (
  ladder: Ladder,
  { priority, quietUntil, key }: { priority: Priority; quietUntil: Instant | null; key: string },
  now: Instant,
): Climb => {
  const rung = ladder.rungs[ladder.next]
  if (!rung) return { ladder: { ...ladder, dueAt: null, held: false } }
  if (quietUntil !== null && quietUntil > now && !mayDisturb(rung.way, priority))
    return { ladder: { ...ladder, dueAt: quietUntil, held: true }, ...(ladder.held ? {} : { heldUntil: quietUntil }) }
  const next = ladder.next + 1
  const dueAt = next < ladder.rungs.length ? now + rung.waitMs : null
  return {
    ladder: { ...ladder, next, dueAt, held: false, sent: [...ladder.sent, key] },
    send: { way: rung.way, key },
  }
}

/** The ladder after the contact `key` failed: the next rung is due at once, unless a later rung is under way already. Undefined: nothing new. */
export const failRung = (ladder: Ladder, key: string, now: Instant): Ladder | undefined => {
  if (!ladder.sent.includes(key) || ladder.failed.includes(key)) return undefined
  const failed = [...ladder.failed, key]
  const current = ladder.sent.at(-1) === key && ladder.dueAt !== null && !ladder.held
  return { ...ladder, failed, dueAt: current ? now : ladder.dueAt }
}

/** No way to this person is left, and none of those tried has worked. */
export const isUnreachable = (ladder: Ladder): boolean => ladder.failed.length >= ladder.rungs.length

export const stopLadder = (ladder: Ladder): Ladder => ({ ...ladder, dueAt: null, held: false })
