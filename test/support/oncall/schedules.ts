import type { Instant } from '../../../core/domain/clock.ts'
import type { CheckContext } from '../../../core/domain/oncall/schedule/check.ts'
import type { RotationUnit, Turns } from '../../../core/domain/oncall/schedule/rotation.ts'
import type { Layer, Override, Schedule } from '../../../core/domain/oncall/schedule/schedule.ts'
import { parseWall } from '../../../core/domain/oncall/zones.ts'
import { runtimeZones } from '../../../core/time-zones.ts'

export const zones = runtimeZones()
export const zone = 'America/New_York'

const wall = (text: string) => {
  const [day = '', time = '00:00'] = text.split(' ')
  const found = parseWall(day, time)
  if (found === undefined) throw new Error(`${text} is no time`)
  return found
}

/** `2026-06-01 08:00` in the schedules' zone. */
export const at = (text: string): Instant => zones.instant(wall(text), zone)

export const span = (from: string, to: string) => ({ from: at(from), to: at(to) })

export const turns = (unit: RotationUnit, start: string, people: readonly string[], lengths = [1]): Turns => ({
  kind: 'turns',
  unit,
  lengths,
  start: wall(start),
  people,
})

export const layer = (id: string, rotation: Layer['rotation'], more: Partial<Layer> = {}): Layer => ({
  id,
  rotation,
  restrictions: [],
  ...more,
})

/** Weekly from Monday 1 June 2026 at 08:00: Ann, Bob, Cyd; the switchboard when nobody is. */
export const schedule = (more: Partial<Schedule> = {}): Schedule => ({
  id: 'cardiology',
  zone,
  layers: [layer('weekly', turns('week', '2026-06-01 08:00', ['ann', 'bob', 'cyd']))],
  fallback: 'switchboard',
  overrides: [],
  temporary: [],
  absences: [],
  ...more,
})

export const replace = (id: string, person: string, from: string, to: string, replaces?: string): Override => ({
  id,
  kind: 'replace',
  person,
  ...(replaces === undefined ? {} : { replaces }),
  ...span(from, to),
})

export const context = (now: string, more: Partial<CheckContext> = {}): CheckContext => ({
  now: at(now),
  zones,
  known: person => ['ann', 'bob', 'cyd', 'dan', 'switchboard'].includes(person),
  ...more,
})
