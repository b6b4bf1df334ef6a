import fc from 'fast-check'
import { days, hours, type Instant, minutes } from '../../../core/domain/clock.ts'
import type { Restriction } from '../../../core/domain/oncall/schedule/restriction.ts'
import type { Rotation } from '../../../core/domain/oncall/schedule/rotation.ts'
import type { Absence, Layer, Override, Schedule, Temporary } from '../../../core/domain/oncall/schedule/schedule.ts'

export type RandomSchedule = { schedule: Schedule; from: Instant; to: Instant }

const people = ['ann', 'bob', 'cyd', 'dan', 'eve', 'fay']
const person = fc.constantFrom(...people)

const zones = [
  'America/New_York',
  'Europe/London',
  'Australia/Lord_Howe',
  'Antarctica/Troll',
  'Africa/Cairo',
  'Pacific/Apia',
  'America/St_Johns',
  'Asia/Kolkata',
  'UTC',
]

/** The beginning of an hour or any minute: both have met bugs. */
const minute = fc.oneof(
  fc.integer({ min: 0, max: 23 }).map(h => h * 60),
  fc.integer({ min: 0, max: 1439 }),
)

const restriction: fc.Arbitrary<Restriction> = fc
  .record({
    days: fc.uniqueArray(fc.integer({ min: 0, max: 6 }), { minLength: 1, maxLength: 7 }),
    from: minute,
    to: minute,
  })
  .map(r => ({ ...r, to: r.to === r.from ? (r.to + 60) % 1440 : r.to }))

/** Around an instant, by up to 12 days on both sides. */
const spanAt = (middle: Instant, longest: number) =>
  fc
    .tuple(fc.integer({ min: -12 * 1440, max: 12 * 1440 }), fc.integer({ min: 1, max: longest / 60_000 }))
    .map(([offset, length]) => ({
      from: middle + minutes(offset),
      to: middle + minutes(offset + length),
    }))

const rotation = (middle: Instant): fc.Arbitrary<Rotation> =>
  fc.oneof(
    {
      weight: 4,
      arbitrary: fc.record({
        kind: fc.constant('turns' as const),
        unit: fc.constantFrom('hour' as const, 'day' as const, 'week' as const, 'month' as const),
        lengths: fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 1, maxLength: 3 }),
        start: fc.integer({ min: -40 * 1440, max: 5 * 1440 }).map(n => Math.floor(middle / 60_000) + n),
        people: fc.uniqueArray(person, { minLength: 1, maxLength: 5 }),
      }),
    },
    {
      weight: 1,
      arbitrary: fc.record({
        kind: fc.constant('list' as const),
        shifts: fc.array(
          fc.tuple(spanAt(middle, days(3)), person).map(([s, who]) => ({ ...s, person: who })),
          { minLength: 1, maxLength: 12 },
        ),
      }),
    },
  )

const layers = (middle: Instant): fc.Arbitrary<Layer[]> =>
  fc
    .array(
      fc.record({
        rotation: rotation(middle),
        restrictions: fc.oneof(fc.constant([]), fc.array(restriction, { minLength: 1, maxLength: 3 })),
        only: fc.option(spanAt(middle, days(20)), { freq: 4, nil: {} }),
      }),
      { maxLength: 3 },
    )
    .map(all => all.map(({ only, ...layer }, i) => ({ id: `l${i}`, ...layer, ...only })))

const override = (middle: Instant): fc.Arbitrary<Override> =>
  fc
    .record({
      span: spanAt(middle, days(5)),
      person,
      kind: fc.constantFrom('add' as const, 'remove' as const, 'replace' as const),
      replaces: fc.option(person, { nil: undefined }),
    })
    .map(({ span, kind, replaces, ...o }) => {
      const base = { id: '', ...o, ...span }
      if (kind !== 'replace') return { ...base, kind }
      return replaces === undefined || replaces === o.person ? { ...base, kind } : { ...base, kind, replaces }
    })

const numbered = <T extends { id: string }>(prefix: string, all: readonly T[]): T[] =>
  all.map((x, i) => ({ ...x, id: `${prefix}${i}` }))

/** Ordinary and strange schedules with a stretch to look at, in zones and at times of year where clocks change. */
export const randomSchedules: fc.Arbitrary<RandomSchedule> = fc
  .tuple(
    fc.integer({ min: 2000, max: 2037 }),
    fc.constantFrom(2, 3, 4, 8, 9, 10, 11),
    fc.integer({ min: 0, max: 44_640 }),
  )
  .map(([year, month, offset]) => Date.UTC(year, month, 1) + minutes(offset))
  .chain(middle => {
    const temporary: fc.Arbitrary<Temporary> = fc
      .tuple(spanAt(middle, days(6)), layers(middle))
      .map(([span, own]) => ({ id: '', ...span, layers: own }))
    const absence: fc.Arbitrary<Absence> = fc
      .tuple(spanAt(middle, days(10)), person)
      .map(([span, who]) => ({ id: '', ...span, person: who }))
    return fc.record({
      schedule: fc.record({
        id: fc.constant('s'),
        zone: fc.constantFrom(...zones),
        layers: layers(middle),
        fallback: fc.constant('switchboard'),
        overrides: fc.array(override(middle), { maxLength: 6 }).map(all => numbered('o', all)),
        temporary: fc.array(temporary, { maxLength: 1 }).map(all => numbered('t', all)),
        absences: fc.array(absence, { maxLength: 2 }).map(all => numbered('a', all)),
      }),
      from: fc.integer({ min: 0, max: 6 * 1440 * 60 }).map(s => middle - s * 1000),
      to: fc.integer({ min: 1, max: 8 * 1440 * 60 }).map(s => middle + s * 1000 + hours(1)),
    })
  })
