import type { Shift } from '../shift.ts'
import { addMonths, minutesADay, minutesAWeek, monthsBetween, type Wall } from '../zones.ts'

export type RotationUnit = 'hour' | 'day' | 'week' | 'month'

/**
 * People who take turns. The first turn begins at `start`; the k-th lasts `lengths[k % lengths.length]` units of the wall's calendar and is `people[k % people.length]`'s.
 * So `[1]` weeks is weekly, `[12]` hours from 07:00 is day and night, `[2, 2, 3]` days with two people is every other weekend.
 */
export type Turns = {
  kind: 'turns'
  unit: RotationUnit
  lengths: readonly number[]
  start: Wall
  people: readonly string[]
}

/** A list of shifts, written by hand or imported. Where two overlap, the one that began last is on (then the one further down the list). */
export type ShiftList = { kind: 'list'; shifts: readonly Shift[] }

export type Rotation = Turns | ShiftList

/** A turn on the wall's calendar, `to` exclusive. */
export type Turn = { from: Wall; to: Wall; person: string }

const sum = (ns: readonly number[], count = ns.length): number => {
  let total = 0
  for (let i = 0; i < count; i++) total += ns[i] ?? 0
  return total
}

const unitMinutes = { hour: 60, day: minutesADay, week: minutesAWeek }

/** The wall time at which the k-th turn begins: always reckoned from the start, so that a month that is too short shortens no other. */
export const handoff = (r: Turns, k: number): Wall => {
  const rounds = Math.floor(k / r.lengths.length)
  const units = rounds * sum(r.lengths) + sum(r.lengths, k - rounds * r.lengths.length)
  return r.unit === 'month' ? addMonths(r.start, units) : r.start + units * unitMinutes[r.unit]
}

/** The number of the turn that a reading of the wall falls into; negative before the start. */
export const turnNumber = (r: Turns, wall: Wall): number => {
  if (wall < r.start) return -1
  const passed = r.unit === 'month' ? monthsBetween(r.start, wall) : Math.floor((wall - r.start) / unitMinutes[r.unit])
  const round = sum(r.lengths)
  const rounds = Math.floor(passed / round)
  let rest = passed - rounds * round
  let k = rounds * r.lengths.length
  for (const length of r.lengths) {
    if (rest < length) break
    rest -= length
    k++
  }
  // A month has begun by its name before the handoff's day of it has come.
  return handoff(r, k) > wall ? k - 1 : k
}

export const personOfTurn = (r: Turns, k: number): string => {
  const person = r.people[k % r.people.length]
  if (person === undefined) throw new Error('a rotation without people was let through')
  return person
}

/** The turns that touch a stretch of the wall's calendar, in order, whole. */
export const turnsBetween = (r: Turns, from: Wall, to: Wall): Turn[] => {
  const turns: Turn[] = []
  for (let k = Math.max(0, turnNumber(r, from)); ; k++) {
    const begins = handoff(r, k)
    if (begins >= to) return turns
    turns.push({ from: begins, to: handoff(r, k + 1), person: personOfTurn(r, k) })
  }
}
