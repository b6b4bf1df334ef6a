import type { Instant } from '../clock.ts'
import type { Period } from './period.ts'

/** One person of the staff in the access report (row 23): how many patients, and how. `why` is empty for an ordinary month. */
export type AccessUser = {
  user: string
  patients: number
  views: number
  messages: number
  changes: number
  refused: number
  /** Of these, outside `clinic.hours`. */
  outOfHours: number
  why: string[]
}
/** Who dealt with which patient, the busiest first. `patient` is a commitment; `last` the latest entry, for `!audit reveal`. */
export type AccessPair = {
  user: string
  patient: string
  views: number
  messages: number
  changes: number
  last: number
  lastAt: Instant
}
/** A patient whose record many different people opened. */
export type AccessPatient = { patient: string; users: number; views: number; last: number }
/** Who looked at the log, at reports, at receipts (row 121) and at lists of patients, of which no single one is named. */
export type Watching = { user: string; what: string; times: number; lastAt: Instant }
export type AccessDay = { day: string; views: number; messages: number; changes: number }

export type AccessReport = {
  month: string
  period: Period
  users: AccessUser[]
  pairs: AccessPair[]
  patients: AccessPatient[]
  watching: Watching[]
  days: AccessDay[]
}

export type LinksDay = { day: string; created: number; tapped: number; verified: number; refused: number }
/** What became of a month's secure links, texts and sessions; `reasons` of what was refused or failed; `trouble`: patients who had most of it. */
export type LinksReport = {
  month: string
  period: Period
  funnel: { step: string; n: number }[]
  texts: { state: string; n: number }[]
  ended: { how: string; n: number }[]
  reasons: { action: string; reason: string; n: number }[]
  trouble: { patient: string; refused: number; locked: number; textsFailed: number; last: number }[]
  days: LinksDay[]
}

export type CommandUse = { command: string; times: number; refused: number; failed: number; users: number }
export type CommandUser = { user: string; times: number; refused: number; failed: number; commands: number }
export type CommandsReport = {
  month: string
  period: Period
  commands: CommandUse[]
  users: CommandUser[]
  reasons: { command: string; reason: string; n: number }[]
  days: { day: string; times: number; refused: number }[]
}

const middle = (sorted: readonly number[]): number => {
  const half = sorted.length / 2
  return ((sorted[Math.ceil(half) - 1] ?? 0) + (sorted[Math.floor(half)] ?? 0)) / 2
}
const ascending = (numbers: readonly number[]) => numbers.toSorted((a, b) => a - b)

/** More patients than this are unlike the colleagues': the median plus three robust deviations, and at least 10 and twice the median. Undefined below five people. */
export const patientsLimit = (patients: readonly number[]): number | undefined => {
  if (patients.length < 5) return undefined
  const median = middle(ascending(patients))
  const deviation = 1.4826 * middle(ascending(patients.map(n => Math.abs(n - median))))
  return Math.max(10, 2 * median, median + 3 * deviation)
}

const actsOf = (u: Omit<AccessUser, 'why'>) => u.views + u.messages + u.changes

/** Marks who differs from the others: many more patients, mostly out of hours, many refusals. Sorted: marked ones first, then by patients. */
export const withOutliers = (users: readonly Omit<AccessUser, 'why'>[]): AccessUser[] => {
  const limit = patientsLimit(users.map(u => u.patients))
  const median = middle(ascending(users.map(u => u.patients)))
  const why = (u: Omit<AccessUser, 'why'>): string[] => [
    ...(limit !== undefined && u.patients > limit ? [`${u.patients} patients; the median is ${median}`] : []),
    ...(actsOf(u) >= 20 && u.outOfHours * 2 > actsOf(u)
      ? [`${Math.round((100 * u.outOfHours) / actsOf(u))} % out of hours`]
      : []),
    ...(u.refused >= 10 ? [`${u.refused} refused or failed`] : []),
  ]
  return users
    .map(u => ({ ...u, why: why(u) }))
    .sort((a, b) => b.why.length - a.why.length || b.patients - a.patients || (a.user < b.user ? -1 : 1))
}

/** Counts of one action and outcome on one day of the report (its place in the list of days). */
export type DayCount = { day: number; action: string; outcome: string; status: string | null; n: number }

const sum = (rows: readonly DayCount[], ...wanted: ((r: DayCount) => boolean)[]): number =>
  rows.filter(r => wanted.some(w => w(r))).reduce((total, r) => total + r.n, 0)
const is =
  (action: string, outcome = 'done') =>
  (r: DayCount) =>
    r.action === action && r.outcome === outcome
const went = (status: string) => (r: DayCount) => r.action === 'text.status' && r.status === status
/** A refusal or failure of a step that a patient takes. */
const stopped = (r: DayCount) => r.outcome !== 'done' && r.action.startsWith('link.')

/** The parts of the links report that come from counts. */
export const linksFrom = (
  days: readonly string[],
  rows: readonly DayCount[],
): Pick<LinksReport, 'funnel' | 'texts' | 'ended' | 'days'> => ({
  funnel: [
    { step: 'links made', n: sum(rows, is('link.create')) },
    { step: 'tapped', n: sum(rows, is('link.tap')) },
    { step: 'identity confirmed', n: sum(rows, is('link.verify')) },
    { step: 'page opened', n: sum(rows, is('session.start')) },
    { step: 'messages read', n: sum(rows, is('message.read')) },
    { step: 'written by patients', n: sum(rows, is('session.write')) },
  ],
  texts: [
    { state: 'queued', n: sum(rows, is('text.queue')) },
    { state: 'sent', n: sum(rows, is('text.send')) },
    { state: 'delivered', n: sum(rows, went('delivered')) },
    { state: 'failed', n: sum(rows, is('text.send', 'failed'), is('text.status', 'failed')) },
    { state: 'held back', n: sum(rows, is('text.queue', 'refused'), is('text.send', 'refused')) },
  ],
  ended: [
    { how: 'identity not confirmed', n: sum(rows, is('link.verify', 'refused')) },
    { how: 'locked after wrong answers', n: sum(rows, is('link.lock')) },
    { how: 'renewed', n: sum(rows, is('link.renew')) },
    { how: 'withdrawn', n: sum(rows, is('link.withdraw')) },
    { how: '"this isn’t me"', n: sum(rows, is('link.not_me')) },
    { how: 'tapped in vain', n: sum(rows, is('link.tap', 'refused')) },
    { how: 'numbers stopped (STOP)', n: sum(rows, is('number.stop')) },
  ],
  days: days.map((day, i) => {
    const own = rows.filter(r => r.day === i)
    return {
      day,
      created: sum(own, is('link.create')),
      tapped: sum(own, is('link.tap')),
      verified: sum(own, is('link.verify')),
      refused: sum(own, stopped),
    }
  }),
})

/** A number of each day, 0 where there is none. */
export const eachDay = <T extends object>(days: readonly string[], rows: readonly (T & { day: number })[], none: T) =>
  days.map((day, i) => ({ ...none, ...rows.find(r => r.day === i), day }))
