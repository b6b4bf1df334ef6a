import type { Instant } from '../clock.ts'

/** No routine text from `from` o'clock to `to` o'clock of the recipient's day, e.g. 21 to 8; equal hours mean never quiet. */
export type QuietHours = { from: number; to: number; timeZone: string }

type Wall = { year: number; month: number; day: number; hour: number }

const wallClock = (at: Instant, timeZone: string): Wall => {
  const parts = new Intl.DateTimeFormat('en-US', {
    timeZone,
    hourCycle: 'h23',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
  }).formatToParts(at)
  const n = (type: string) => Number(parts.find(p => p.type === type)?.value)
  return { year: n('year'), month: n('month'), day: n('day'), hour: n('hour') }
}

export const isQuiet = (at: Instant, { from, to, timeZone }: QuietHours): boolean => {
  if (from === to) return false
  const { hour } = wallClock(at, timeZone)
  return from < to ? hour >= from && hour < to : hour >= from || hour < to
}

const quarter = 15 * 60_000

/**
 * The first instant from `at` on at which a routine text may go out. Walks in quarters of an hour, because every zone's offset and every change of clocks
 * is a multiple of it; so a night that is an hour longer or shorter comes out right.
 */
export const afterQuiet = (at: Instant, quiet: QuietHours): Instant => {
  if (!isQuiet(at, quiet)) return at
  let next = Math.floor(at / quarter) * quarter + quarter
  while (isQuiet(next, quiet)) next += quarter
  return next
}
