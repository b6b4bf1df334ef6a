import { days, hours, type Instant, minutes } from '../clock.ts'
import type { Settings } from '../settings/settings.ts'
import { auditClasses } from './catalogue/entry.ts'
import { entryOf } from './catalogue/index.ts'
import { type AuditAction, auditActions } from './event.ts'
import { addDays, type Period, startOfDay, wallClock } from './period.ts'
import type { AccessUser } from './reports.ts'

export type Count = { action: string; outcome: string; n: number }

/** Everything that a week's digest is made of (row 47); `sinks`, `pins` and `alerts` as they are at the time it is made. */
export type DigestFacts = {
  period: Period
  timeZone: string
  now: Instant
  counts: readonly Count[]
  /** The same of the week before. */
  before: readonly Count[]
  users: readonly { user: string; times: number; refused: number }[]
  access: readonly AccessUser[]
  alerts: readonly { rule: string; severity: string; times: number; last: number | null; open: boolean }[]
  sinks: readonly { name: string; type: string; state: string; lagEntries: number; dead: number }[]
  /** The newest checkpoint, and how much waits to come into the log. */
  log: { size: number; checkpointAt: Instant | null; waiting: number; oldestWaiting: Instant | null }
  pins: readonly { place: string; size: number; at: Instant; failing: boolean }[]
}

export type DigestTable = { title: string; head: readonly string[]; rows: readonly (readonly string[])[]; none: string }
/** What the compliance room reads each week: first what a person must look at, then the figures. */
export type Digest = { title: string; attention: readonly string[]; tables: readonly DigestTable[] }

const weekdays = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun']
const weekdayOf = (day: string) => (new Date(`${day}T00:00:00Z`).getUTCDay() + 6) % 7

/** The last time at or before `now` at which a digest was due, and the seven whole days before that day. */
export const digestDue = (
  now: Instant,
  settings: Pick<Settings, 'audit.digest_day' | 'audit.digest_hour' | 'clinic.time_zone'>,
): { due: Instant; key: string; period: Period } => {
  const zone = settings['clinic.time_zone']
  const today = wallClock(now, zone).day
  const back = (weekdayOf(today) - weekdays.indexOf(settings['audit.digest_day']) + 7) % 7
  const dueOn = (day: string) => startOfDay(day, zone) + hours(settings['audit.digest_hour'])
  const latest = addDays(today, -back)
  const day = dueOn(latest) <= now ? latest : addDays(latest, -7)
  return {
    due: dueOn(day),
    key: `digest:${day}`,
    period: { from: startOfDay(addDays(day, -7), zone), until: startOfDay(day, zone) },
  }
}

const total = (counts: readonly Count[], fits: (c: Count) => boolean = () => true) =>
  counts.filter(fits).reduce((sum, c) => sum + c.n, 0)
const isAction = (name: string): name is AuditAction => (auditActions as readonly string[]).includes(name)
const titleOf = (action: string) => (isAction(action) ? (entryOf(action)?.title ?? action) : action)

const change = (now: number, before: number): string => {
  if (before === 0) return now === 0 ? '' : 'new'
  const percent = Math.round((100 * (now - before)) / before)
  return percent === 0 ? 'as before' : `${percent > 0 ? '+' : ''}${percent} %`
}

const byClass = (f: DigestFacts): DigestTable => ({
  title: 'What happened',
  head: ['Class', 'Entries', 'Week before', 'Change', 'Refused', 'Failed'],
  rows: auditClasses.map(c => {
    const of = ({ action }: Count) => isAction(action) && entryOf(action)?.class === c
    const [now, then] = [total(f.counts, of), total(f.before, of)]
    const ended = (outcome: string) => String(total(f.counts, x => of(x) && x.outcome === outcome))
    return [c, String(now), String(then), change(now, then), ended('refused'), ended('failed')]
  }),
  none: 'Nothing was recorded.',
})

const notDone = (f: DigestFacts): DigestTable => ({
  title: 'Most often refused or failed',
  head: ['What', 'Outcome', 'Times', 'Week before'],
  rows: f.counts
    .filter(c => c.outcome !== 'done')
    .toSorted((a, b) => b.n - a.n)
    .slice(0, 10)
    .map(c => {
      const then = total(f.before, b => b.action === c.action && b.outcome === c.outcome)
      return [titleOf(c.action), c.outcome, String(c.n), String(then)]
    }),
  none: 'Nothing was refused and nothing failed.',
})

const people = (f: DigestFacts): DigestTable => ({
  title: 'Who did most',
  head: ['Person', 'Entries', 'Refused or failed'],
  rows: f.users.slice(0, 10).map(u => [u.user, String(u.times), String(u.refused)]),
  none: 'Nobody of the staff did anything.',
})

const reviews = (f: DigestFacts): DigestTable => ({
  title: 'Access to patients',
  head: ['Person', 'Patients', 'Looked', 'Messages', 'Out of hours'],
  rows: f.access
    .slice(0, 10)
    .map(u => [u.user, String(u.patients), String(u.views), String(u.messages), String(u.outOfHours)]),
  none: "Nobody of the staff looked at a patient's data.",
})

const alerts = (f: DigestFacts): DigestTable => ({
  title: 'Alerts',
  head: ['Rule', 'Severity', 'Times', 'Last entry', 'State'],
  rows: f.alerts.map(a => [
    a.rule,
    a.severity,
    String(a.times),
    a.last === null ? '' : `#${a.last}`,
    a.open ? 'open' : 'closed',
  ]),
  none: 'No alert.',
})

const sinks = (f: DigestFacts): DigestTable => ({
  title: 'Sinks',
  head: ['Sink', 'Type', 'State', 'Waiting', 'Set aside'],
  rows: f.sinks.map(s => [s.name, s.type, s.state, String(s.lagEntries), String(s.dead)]),
  none: 'No sink: the log is exported nowhere.',
})

const moment = (at: Instant, zone: string) => {
  const { day, time } = wallClock(at, zone)
  return `${day} ${time.slice(0, 5)}`
}

const pins = (f: DigestFacts): DigestTable => ({
  title: 'Log and checkpoints',
  head: ['Where', 'Entries', 'At', 'State'],
  rows: [
    [
      'checkpoint',
      String(f.log.size),
      f.log.checkpointAt === null ? 'never' : moment(f.log.checkpointAt, f.timeZone),
      f.log.waiting > 0 ? `${f.log.waiting} waiting` : 'complete',
    ],
    ...f.pins.map(p => [p.place, String(p.size), moment(p.at, f.timeZone), p.failing ? 'failing' : 'ok']),
  ],
  none: '',
})

/** How long an event may wait for the sequencer, and a place outside for the newest checkpoint, before the digest says so. */
const limits = { waiting: minutes(5), pin: days(2) }

const attention = (f: DigestFacts): string[] => {
  const refused = (counts: readonly Count[]) => total(counts, c => c.outcome !== 'done')
  const [now, then] = [refused(f.counts), refused(f.before)]
  const late = f.log.oldestWaiting !== null && f.now - f.log.oldestWaiting > limits.waiting
  const open = f.alerts.filter(a => a.open)
  return [
    ...(late
      ? [`${f.log.waiting} events wait to come into the log since ${moment(f.log.oldestWaiting ?? 0, f.timeZone)}.`]
      : []),
    ...(f.log.size === 0 ? ['The log is empty: does the audit process run?'] : []),
    ...(open.length > 0 ? [`Alerts are open: ${open.map(a => a.rule).join(', ')}.`] : []),
    ...f.sinks
      .filter(s => s.state !== 'ok')
      .map(s => `The sink ${s.name} is ${s.state}; ${s.lagEntries} entries wait.`),
    ...f.sinks.filter(s => s.dead > 0).map(s => `The sink ${s.name} has ${s.dead} entries set aside.`),
    ...(f.pins.length === 0
      ? ['No checkpoint is kept outside this database: nobody could show that the log was replaced.']
      : []),
    ...f.pins
      .filter(p => p.failing || (f.log.size > p.size && f.now - p.at > limits.pin))
      .map(p => `Checkpoints do not reach ${p.place} since ${moment(p.at, f.timeZone)}.`),
    ...f.access
      .filter(u => u.why.length > 0)
      .map(u => `Access of ${u.user} is unlike the others: ${u.why.join('; ')}.`),
    ...(now >= 20 && now > 3 * then ? [`${now} refusals and failures, after ${then} in the week before.`] : []),
  ]
}

/** The week's digest: counts by class, refusals, people, access reviews, alerts, sinks, checkpoints. Names staff and codes, never a patient. */
export const digestOf = (f: DigestFacts): Digest => {
  const day = (at: Instant) => wallClock(at, f.timeZone).day
  return {
    title: `Audit digest, ${day(f.period.from)} to ${day(f.period.until - 1)}: ${total(f.counts)} entries`,
    attention: attention(f),
    tables: [byClass(f), notDone(f), people(f), reviews(f), alerts(f), sinks(f), pins(f)],
  }
}
