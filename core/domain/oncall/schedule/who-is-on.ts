import type { Instant } from '../../clock.ts'
import type { Zones } from '../zones.ts'
import { layerAt } from './layer.ts'
import { resolve } from './resolve.ts'
import type { OnDuty, Schedule, Why } from './schedule.ts'

const covers = (at: Instant) => (s: { from: Instant; to: Instant }) => s.from <= at && at < s.to

/** Who is on duty at an instant, and why: somebody always is. The same as the segment of `shifts` that holds it. */
export const whoIsOn = (schedule: Schedule, at: Instant, zones: Zones): OnDuty => {
  const now = covers(at)
  const reached = zones.reached(at, schedule.zone)
  const temporary = schedule.temporary.findLast(now)
  const layers = temporary?.layers ?? schedule.layers
  const candidates: { person: string; why: Why }[] = []
  for (const layer of layers.toReversed()) {
    const person = layerAt(layer, at, reached)
    if (person !== undefined) candidates.push({ person, why: layerWhy(layer.id, temporary?.id) })
  }
  return resolve(
    candidates,
    schedule.overrides.filter(now),
    person => schedule.absences.some(a => a.person === person && now(a)),
    schedule.fallback,
  )
}

export const layerWhy = (layer: string, temporary: string | undefined): Why =>
  temporary === undefined ? { by: 'layer', layer } : { by: 'temporary', temporary, layer }
