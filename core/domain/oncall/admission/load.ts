import type { Instant } from '../../clock.ts'
import type { Interruption } from './budget.ts'

/** One contact about a page, and when the person answered it, if they did. */
export type Answered = Interruption & { answeredAt: Instant | null; overBudget: boolean }

export type LoadRow = {
  person: string
  total: number
  stat: number
  urgent: number
  routine: number
  /** At night by the person's own clock. */
  night: number
  overBudget: number
  unanswered: number
  /** Half of the answers came within this time (ms); null without any. */
  medianMs: number | null
}

const median = (sorted: readonly number[]): number | null => sorted[Math.floor((sorted.length - 1) / 2)] ?? null

/** The weekly report (`!oncall load`): a row for each person who was interrupted from `from` to before `to`, the most interrupted first. */
export const loadReport = (
  answered: readonly Answered[],
  { from, to, isNight }: { from: Instant; to: Instant; isNight: (person: string, at: Instant) => boolean },
): LoadRow[] => {
  const byPerson = new Map<string, Answered[]>()
  for (const a of answered) {
    if (a.at < from || a.at >= to) continue
    const own = byPerson.get(a.person)
    if (own) own.push(a)
    else byPerson.set(a.person, [a])
  }
  const rows = [...byPerson].map(([person, own]): LoadRow => {
    const count = (is: (a: Answered) => boolean) => own.filter(is).length
    // A clock that was set between the call and the answer gives no time worth counting.
    const times = own.flatMap(a => (a.answeredAt !== null && a.answeredAt >= a.at ? [a.answeredAt - a.at] : []))
    return {
      person,
      total: own.length,
      stat: count(a => a.priority === 'stat'),
      urgent: count(a => a.priority === 'urgent'),
      routine: count(a => a.priority === 'routine'),
      night: count(a => isNight(person, a.at)),
      overBudget: count(a => a.overBudget),
      unanswered: count(a => a.answeredAt === null),
      medianMs: median(times.sort((a, b) => a - b)),
    }
  })
  return rows.sort((a, b) => b.total - a.total || b.night - a.night || (a.person < b.person ? -1 : 1))
}
