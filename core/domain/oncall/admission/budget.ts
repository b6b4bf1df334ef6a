import { type Instant, minutes } from '../../clock.ts'
import type { Priority } from '../paging/priority.ts'

/** One time that somebody was interrupted: a page's first contact with them. */
export type Interruption = { person: string; at: Instant; priority: Priority }

export type BudgetRules = {
  /** How many interruptions of a shift a person has room for; what is routine beyond it waits for the end of the shift's digests. */
  perShift: number
  /** Routine pages go together, at instants this far apart; 0: each at once. */
  digestMs: number
  /** No routine page waits longer than this, whatever the budget says. */
  longestHoldMs: number
  /** Not more urgent pages than this within `burstMs` interrupt one person apart; the next waits, never beyond `burstMs`. */
  burst: number
  burstMs: number
}
export const budgetDefaults: BudgetRules = {
  perShift: 20,
  digestMs: minutes(30),
  longestHoldMs: minutes(120),
  burst: 3,
  burstMs: minutes(1),
}

/** What a person has had: the interruptions of their shift (or of the last twelve hours without one), and when the shift ends. */
export type Load = { interruptions: readonly Interruption[]; shiftEndsAt: Instant | null }

/** `over`: this goes beyond the budget, which the weekly report counts. */
export type Admission = {
  at: Instant
  because: 'now' | 'digest' | 'budget' | 'burst'
  over: boolean
}

/** The digest instants are the same for everybody, so that what waits goes together. */
const nextDigest = (now: Instant, every: number): Instant => (Math.floor(now / every) + 1) * every

/**
 * When a page may interrupt one person. Stat: always now. Urgent: now, except in a burst, where it waits for less than `burstMs`. Routine: with the next
 * digest, and beyond the budget with the last one that is still allowed.
 */
export const admit = (priority: Priority, load: Load, rules: BudgetRules, now: Instant): Admission => {
  const over = load.interruptions.length >= rules.perShift
  if (priority === 'stat') return { at: now, because: 'now', over }
  if (priority === 'urgent') {
    const recent = load.interruptions
      .filter(i => i.priority === 'urgent' && i.at > now - rules.burstMs && i.at <= now)
      .map(i => i.at)
      .sort((a, b) => b - a)
    const last = recent[rules.burst - 1]
    return last === undefined ? { at: now, because: 'now', over } : { at: last + rules.burstMs, because: 'burst', over }
  }
  if (rules.digestMs <= 0 && !over) return { at: now, because: 'now', over }
  const latest = now + rules.longestHoldMs
  const digest = rules.digestMs <= 0 ? now : nextDigest(now, rules.digestMs)
  if (!over) return { at: Math.min(digest, latest), because: 'digest', over }
  // With the end of the shift whoever comes next has a budget of their own.
  const ends = load.shiftEndsAt !== null && load.shiftEndsAt > now ? load.shiftEndsAt : latest
  return { at: Math.min(Math.max(digest, ends), latest), because: 'budget', over }
}

/** When a page to several people begins: as soon as the first of them has room; now where nobody is named. */
export const admitAll = (admissions: readonly Admission[], now: Instant): Instant =>
  admissions.length === 0 ? now : Math.min(...admissions.map(a => a.at))
