import fc from 'fast-check'
import { days, hours, type Instant } from '../../../core/domain/clock.ts'
import type { RecordClass } from '../../../core/domain/records/facts.ts'
import { type Policy, type PolicyScope, windowBases } from '../../../core/domain/records/policy.ts'

/** What is done to records, in any order: by people, by time, and by the deletion. `nth` chooses among what there is, by remainder. */
export type Step =
  | { do: 'send'; message: Message }
  | { do: 'policy'; scope: PolicyScope; minimum: boolean; value: Pick<Policy, 'from' | 'keepMs'> | null }
  | { do: 'hold'; criteria: Criteria; matter: string }
  | { do: 'release' | 'recall' | 'remove' | 'read'; nth: number }
  | { do: 'wait'; ms: number }
  | { do: 'delete' }

export type Criteria = { room?: string; user?: string; patient?: string; since?: Instant; until?: Instant }
export type Message = {
  room: string
  class: RecordClass
  patient?: string
  sender: string
  labels: string[]
  /** Before the step's time. */
  ageMs: number
}
/** What a hold's criteria are compared with. */
export type Marks = { room: string; sender: string; patient?: string; sentAt: Instant }

/** Could one message be under both? Said once more as well. */
export const meet = (a: Criteria, b: Criteria): boolean => {
  const apart = (x?: string, y?: string) => x !== undefined && y !== undefined && x !== y
  if (apart(a.room, b.room) || apart(a.user, b.user) || apart(a.patient, b.patient)) return false
  const begins = (a.since ?? 0) > (b.since ?? 0) ? a.since : b.since
  const ends = (a.until ?? Infinity) < (b.until ?? Infinity) ? a.until : b.until
  return begins === undefined || ends === undefined || begins < ends
}
/** `Claim  1` is `claim 1`. */
export const plainly = (matter: string): string => matter.toLowerCase().replace('  ', ' ')

export const begin: Instant = Date.UTC(2026, 0, 1)
const users = ['@ann:h', '@bob:h', '@cy:h'] as const
/** A room's class and patient are its own. */
export const rooms = [
  { room: '!1:h', class: 'care', patient: 'pt_1' },
  { room: '!2:h', class: 'care', patient: 'pt_2' },
  { room: '!3:h', class: 'staff' },
] as const

/** Does a hold by these criteria cover the message? Said once more, apart from the code under test. */
export const covers = (c: Criteria, m: Marks): boolean => {
  if (c.room && c.room !== m.room) return false
  if (c.user && c.user !== m.sender) return false
  if (c.patient && c.patient !== m.patient) return false
  if (c.since !== undefined && m.sentAt < c.since) return false
  return c.until === undefined || m.sentAt < c.until
}

type Draw = <T>(of: readonly T[]) => T
const drawing = (n: number): Draw => {
  let left = n
  return of => {
    const one = of[left % of.length]
    left = Math.floor(left / of.length)
    return one as (typeof of)[number]
  }
}

const message = (draw: Draw): Message => ({
  ...draw(rooms),
  sender: draw(users),
  labels: draw([[], [], ['billing']]),
  ageMs: hours(draw([0, 1, 12, 30, 60, 100])),
})

const scopes = (draw: Draw): PolicyScope =>
  draw([
    { kind: 'organisation' },
    { kind: 'class', class: draw(['care', 'staff'] as const) },
    { kind: 'room', room: draw(rooms).room },
    { kind: 'user', user: draw(users) },
    { kind: 'label', label: 'billing' },
  ] as const)

const criteria = (draw: Draw): Criteria => {
  const room = draw(rooms).room
  const user = draw(users)
  const patient = draw(['pt_1', 'pt_2'])
  const of: Criteria[] = [{ room }, { user }, { patient }, { room }, { user }, { room, user }, { user, patient }, {}]
  const about = draw(of)
  const since = draw([undefined, undefined, undefined, begin + hours(80)])
  const until = draw([undefined, undefined, undefined, begin + days(9)])
  // Dates alone are a hold as well; nothing at all is none.
  return Object.keys(about).length > 0 || since || until ? { ...about, since, until } : { until: begin + days(9) }
}

const step = (n: number): Step => {
  const draw = drawing(n)
  const kind = draw([
    ...(['delete', 'delete', 'delete', 'hold', 'hold', 'release', 'recall', 'recall'] as const),
    ...(['remove', 'policy', 'policy', 'wait', 'wait', 'read', 'send'] as const),
  ])
  const nth = () => draw(Array.from({ length: 16 }, (_, i) => i))
  switch (kind) {
    case 'delete':
      return { do: kind }
    case 'wait':
      return { do: kind, ms: hours(draw([1, 20, 50, 24 * 8])) }
    case 'send':
      return { do: kind, message: message(draw) }
    case 'hold':
      return { do: kind, criteria: criteria(draw), matter: draw(['claim 1', 'claim 2', 'claim 3', 'Claim  1']) }
    case 'policy': {
      const keepMs = draw([1, 10, 40, 90, 200, null].map(h => (h === null ? null : hours(h))))
      const value = draw([0, 1, 1, 1]) ? { from: draw(windowBases), keepMs } : null
      return { do: kind, scope: scopes(draw), minimum: draw([false, false, true]), value }
    }
    default:
      return { do: kind, nth: nth() }
  }
}

// Whole numbers that are read as steps: a hundred times quicker than a choice of records, and they shrink as well.
const numbers = (min: number, max: number) =>
  fc.noBias(fc.array(fc.nat(), { minLength: min, maxLength: max, size: 'max' }))

/** Messages that are there at the beginning. */
export const someMessages: fc.Arbitrary<Message[]> = numbers(3, 9).map(all => all.map(n => message(drawing(n))))
/** Steps in any order. */
export const someSteps = (max: number): fc.Arbitrary<Step[]> => numbers(2, max).map(all => all.map(step))
