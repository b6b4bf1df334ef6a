import type { Instant } from '../../domain/clock.ts'
import type { Zones } from '../../domain/oncall/zones.ts'

/** A wall clock's reading as milliseconds, counted as if the clock showed UTC: `Date.UTC(2026, 10, 22, 7)` is 07:00 on that day, wherever. */
export type Wall = number

/** A time zone of the world's or of a calendar's own: how far its clocks are ahead of UTC, in milliseconds, at an instant. */
export type Zone = { id: string; offsetAt(at: Instant): number }

const day = 86_400_000

/**
 * The instant of a wall time. One that occurs twice is the first; one that a clock change skips is read with the
 * offset before the change (RFC 5545 3.3.5: 02:30 in New York's gap is 03:30), as calendar programs show it.
 */
export const toInstant = (zone: Zone, wall: Wall): Instant => {
  const before = zone.offsetAt(wall - day)
  const after = zone.offsetAt(wall + day)
  const readings = [wall - before, wall - after].filter(at => at + zone.offsetAt(at) === wall)
  return readings.length > 0 ? Math.min(...readings) : wall - before
}

export const toWall = (zone: Zone, at: Instant): Wall => at + zone.offsetAt(at)

export const utc: Zone = { id: 'UTC', offsetAt: () => 0 }

const minuteMs = 60_000

/** A zone of the world's as its clocks' distance from UTC; undefined for a name that is not known. */
export const worldZone = (zones: Zones, name: string): Zone | undefined =>
  name.length <= 64 && zones.known(name)
    ? { id: name, offsetAt: at => (zones.wall(at, name) - Math.floor(at / minuteMs)) * minuteMs }
    : undefined
