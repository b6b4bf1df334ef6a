import type { Instant } from '../../clock.ts'
import type { Asked, Page } from './page.ts'

/** Whose ladder still runs for this page. */
const climbs = (page: Page, a: Asked): boolean =>
  a.ladder.dueAt !== null && page.phase !== 'resolved' && (a.state === 'asked' || a.state === 'ignored')

/** The next thing that is due: a person's ladder, or (`person` undefined) the page itself. Of equal instants, ladders first, in the order of asking. */
export const earliest = (page: Page): { dueAt: Instant; person?: string; held: boolean } | undefined => {
  let found: { dueAt: Instant; person?: string; held: boolean } | undefined
  for (const a of page.asked) {
    const dueAt = a.ladder.dueAt
    if (dueAt !== null && climbs(page, a) && (!found || dueAt < found.dueAt))
      found = { dueAt, person: a.person, held: a.ladder.held }
  }
  if (page.dueAt !== null && (!found || page.dueAt < found.dueAt)) found = { dueAt: page.dueAt, held: false }
  return found
}

/** When `advance` has something to do; null when only a person's answer can change anything. */
export const nextDue = (page: Page): Instant | null => earliest(page)?.dueAt ?? null

/** Should `advance` be called now? Also when the clock stands before the instant at which the page was last looked at: it has gone back. */
export const isDue = (page: Page, now: Instant): boolean => {
  const due = nextDue(page)
  return due !== null && (due <= now || page.at > now)
}

/** Moves all that the page waits for by `by` ms, as the engine does with every open page after a step of the clock; ends of do-not-disturb stay on the wall. */
export const shift = (page: Page, by: number): Page =>
  by === 0
    ? page
    : {
        ...page,
        at: page.at + by,
        dueAt: page.dueAt === null ? null : page.dueAt + by,
        asked: page.asked.map(a =>
          a.ladder.dueAt === null || a.ladder.held ? a : { ...a, ladder: { ...a.ladder, dueAt: a.ladder.dueAt + by } },
        ),
      }

/** The first instant that a late engine may move: ends of do-not-disturb are on the wall. */
const movable = (page: Page): Instant | null => {
  const dues = page.asked.filter(a => climbs(page, a) && !a.ladder.held).map(a => a.ladder.dueAt as Instant)
  if (page.dueAt !== null) dues.push(page.dueAt)
  return dues.length === 0 ? null : Math.min(...dues)
}

/**
 * The page as of now. After the clock has gone back, everything comes as much sooner; when something is overdue, all the rest comes as much later. So
 * whoever is called late still has their full time to answer, and the order never depends on how late the engine was.
 */
export const settle = (page: Page, now: Instant): Page => {
  const back = page.at > now ? shift(page, now - page.at) : page
  const first = movable(back)
  const late = first !== null && first < now ? shift(back, now - first) : back
  return { ...late, at: now }
}

export type Reading = { wall: Instant; monotonic: number }

/** By how much the wall clock was set between two readings (ms, negative: back); 0 below `tolerance`, where it is only drift. */
export const clockStep = (before: Reading, after: Reading, tolerance = 1000): number => {
  const step = after.wall - before.wall - (after.monotonic - before.monotonic)
  return Math.abs(step) < tolerance ? 0 : Math.round(step)
}
