import type { Instant } from '../../clock.ts'
import type { Conflict } from '../schedule/conflicts.ts'
import type { OnDuty, Override, Why } from '../schedule/schedule.ts'
import type { Zones } from '../zones.ts'
import { showTime } from './time-words.ts'

/** `layer nights`, `override ov_…`, `fallback: nobody else is on`. */
export const whyWords = (why: Why): string => {
  switch (why.by) {
    case 'layer':
      return `layer ${why.layer}`
    case 'temporary':
      return `temporary schedule ${why.temporary}, layer ${why.layer}`
    case 'override':
      return why.swap === undefined ? `override ${why.override}` : `swap ${why.swap}`
    case 'fallback':
      return 'fallback: nobody else is on'
  }
}

/** `@ann:clinic.example, with @bob:clinic.example` */
export const onDutyWords = (duty: Pick<OnDuty, 'person' | 'also'>): string =>
  [duty.person, ...duty.also.map(a => `with ${a.person}`)].join(', ')

/** Both ends of a stretch on the zone's wall. */
export const spanWords = ({ from, to }: { from: Instant; to: Instant }, zone: string, zones: Zones): string =>
  `${showTime(from, zone, zones)} to ${showTime(to, zone, zones)}`

/** `@ann instead of @bob`, `@ann as well`, `not @ann`. */
export const overrideWords = (o: Pick<Override, 'kind' | 'person'> & { replaces?: string }): string =>
  o.kind === 'add'
    ? `${o.person} as well`
    : o.kind === 'remove'
      ? `not ${o.person}`
      : `${o.person} instead of ${o.replaces ?? 'whoever is on'}`

/** What a conflict is about, without its times. */
export const conflictWords = (c: Conflict): string => {
  switch (c.kind) {
    case 'double-cover':
      return `${c.people[0]} and ${c.people[1]} are both put on; ${c.people[1]} counts`
    case 'two-roles':
      return `${c.person} is on for ${c.schedules[0]} and ${c.schedules[1]} at once`
    case 'absent':
      return c.person === c.covering
        ? `${c.person} is away and on all the same`
        : `${c.person} is away; ${c.covering} is on`
    case 'unknown-person':
      return `${c.person} is named and holds no role here`
  }
}
