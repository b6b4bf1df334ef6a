import { days, type Instant } from '../domain/clock.ts'
import { shifts, shiftsOf } from '../domain/oncall/schedule/shifts.ts'
import { lastChangeOf, type OnCallFeed } from '../store/oncall/feeds.ts'
import { namesOfPeople } from '../store/oncall/people.ts'
import { namedIn, type OnCallEntry, onCallRole, onCallRoles } from '../store/oncall/read.ts'
import type { StoreDeps } from '../store/tx.ts'
import { type FeedShift, feedUid, writeCalendar } from './calendar/ical/write-calendar.ts'
import { worldZones } from './zones.ts'

/** Duties that ended up to two weeks ago, and those of the next half year; the window moves once a day, so that an unchanged schedule is the same calendar to the byte all day. */
const windowAt = (now: Instant) => {
  const today = Math.floor(now / days(1)) * days(1)
  // A duty that began up to 46 days before the first that is shown keeps its true beginning.
  return { from: today - days(60), shownFrom: today - days(14), to: today + days(183) }
}

const refreshMinutes = 30

/** The duties of a role, or of a person in every role, as iCalendar text: names of staff and roles, times, and nothing else. Undefined when the role is gone. */
export const feedCalendar = async (
  { db, clock }: Pick<StoreDeps, 'db' | 'clock'>,
  feed: Pick<OnCallFeed, 'about'>,
  host: string,
): Promise<string | undefined> => {
  const now = clock.now()
  const reader = { sql: db, now, deps: { db } }
  const { about } = feed
  const one = 'role' in about ? await onCallRole(reader, about.role) : undefined
  if ('role' in about && !one) return undefined
  const entries = one ? [one] : await onCallRoles(reader)
  const people = await namesOfPeople({ sql: db })
  const nameOf = (person: string) => people.get(person)?.name ?? person
  const window = windowAt(now)
  const dutiesOf = async ({ role, schedule }: OnCallEntry): Promise<FeedShift[]> => {
    if ('person' in about && !namedIn(schedule).has(about.person)) return []
    const segments = shifts(schedule, window.from, window.to, worldZones)
    const planned = segments.filter(s => s.why.by !== 'fallback')
    const gaps = 'role' in about ? segments.filter(s => s.why.by === 'fallback') : []
    const changedAt = await lastChangeOf(db, [role.key], [...namedIn(schedule)])
    const duty = (note: string) => (s: { from: Instant; to: Instant; person: string }) => ({
      from: s.from,
      to: s.to,
      name: s.person,
      uid: feedUid(role.key, s, host),
      summary: `${role.name}: ${nameOf(s.person)}${note}`,
      changedAt,
    })
    return [
      ...shiftsOf(planned, 'person' in about ? about.person : undefined).map(duty('')),
      ...gaps.map(duty(' (fallback)')),
    ].filter(s => s.to > window.shownFrom)
  }
  const all: FeedShift[] = []
  for (const entry of entries) all.push(...(await dutiesOf(entry)))
  all.sort((a, b) => a.from - b.from || (a.uid < b.uid ? -1 : 1))
  const title = one ? `${one.role.name}, on call` : 'My duties on call'
  return writeCalendar(all, { title, refreshMinutes })
}
