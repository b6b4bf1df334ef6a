import { hours, type Instant } from '../../domain/clock.ts'
import { sameName } from '../../domain/oncall/admission/misdirection.ts'
import type { Rung } from '../../domain/oncall/paging/ladder.ts'
import type { Priority } from '../../domain/oncall/paging/priority.ts'
import { priorities } from '../../domain/oncall/paging/priority.ts'
import type { Schedule } from '../../domain/oncall/schedule/schedule.ts'
import { shifts } from '../../domain/oncall/schedule/shifts.ts'
import { whoIsOn } from '../../domain/oncall/schedule/who-is-on.ts'
import { staffOf } from '../../store/oncall/directory.ts'
import { namesOfPeople, onCallPeopleByPhone, onCallPerson, rungsOf } from '../../store/oncall/people.ts'
import { namedIn, type OnCallEntry, onCallRole, onCallRoles } from '../../store/oncall/read.ts'
import { isStaff } from '../../store/staff/roles.ts'
import { readSettings } from '../../store/staff/settings.ts'
import { worldZones } from '../zones.ts'
import type { Duty, DutyPerson, DutyRole } from './duty.ts'
import { localName } from './look-up.ts'

/** The layer alone, as overrides, swaps, absences and temporary schedules change it: what the target `rotation cardiology/nights` means. */
const onlyLayer = (s: Schedule, id: string): Schedule => ({ ...s, layers: s.layers.filter(l => l.id === id) })

/** Whoever is on; a role that stands in another's schedule means whoever has that one. `seen` ends a loop, which no policy may have. */
const peopleOn = (
  entries: readonly OnCallEntry[],
  schedule: Schedule,
  at: Instant,
  seen: ReadonlySet<string> = new Set(),
): string[] => {
  if (seen.has(schedule.id)) return []
  const on = whoIsOn(schedule, at, worldZones)
  const people = [on.person, ...on.also.map(a => a.person)]
  return people.flatMap(p => {
    const role = entries.find(e => e.role.user === p)
    return role ? peopleOn(entries, role.schedule, at, new Set([...seen, schedule.id])) : [p]
  })
}

const dutyRole = (entries: readonly OnCallEntry[], { role, schedule, policy }: OnCallEntry): DutyRole => {
  const named = namedIn(schedule)
  return {
    key: role.key,
    name: role.name,
    policy,
    on: at => [...new Set(peopleOn(entries, schedule, at))],
    has: person => named.has(person),
    endsAt: at => shifts(schedule, at, at + hours(24), worldZones)[0]?.to ?? null,
  }
}

const nobodys: DutyPerson['rungs'] = { routine: [], urgent: [], stat: [] }

/** The clinic's schedules, contact data and settings as paging asks for them. */
export const clinicDuty: Duty = {
  role: async (tx, key) => {
    const [name = '', layer] = key.split('/')
    const entry = await onCallRole(tx, name)
    if (!entry) return undefined
    const entries = await onCallRoles(tx)
    return dutyRole(entries, layer === undefined ? entry : { ...entry, schedule: onlyLayer(entry.schedule, layer) })
  },
  roles: async tx => (await onCallRoles(tx)).map(e => e.role.key),
  person: async (tx, user): Promise<DutyPerson> => {
    const p = await onCallPerson(tx, user)
    // Whoever holds no role of the clinic, or not any more, stands in no chat in which patients are spoken of: the page passes them over at once.
    if (!(await isStaff(tx, user)))
      return { user, name: p.name ?? localName(user), lang: p.lang, rungs: nobodys, quiet: p.doNotDisturb, phone: null }
    const rungs = Object.fromEntries(priorities.map(q => [q, rungsOf(p, q)])) as Record<Priority, readonly Rung[]>
    return { user, name: p.name ?? localName(user), lang: p.lang, rungs, quiet: p.doNotDisturb, phone: p.phone }
  },
  peopleWithNumber: async (tx, e164) => {
    const people = await onCallPeopleByPhone(tx, e164)
    const staff = people.length > 0 ? await staffOf(tx) : new Set()
    return people.filter(p => staff.has(p))
  },
  line: async (tx, name) => {
    const phone = (await readSettings(tx.sql))['clinic.phone'].replace(/[ ().-]/g, '')
    return name === 'switchboard' && phone !== '' ? phone : undefined
  },
  namesakes: async (tx, user) => {
    const names = await namesOfPeople(tx)
    const own = names.get(user)?.name ?? localName(user)
    const staff = await staffOf(tx)
    return [...names]
      .filter(([other, { name }]) => other !== user && staff.has(other) && sameName(name ?? localName(other), own))
      .map(([u]) => u)
  },
  isAbsent: async (tx, user) =>
    (await onCallRoles(tx)).some(e =>
      e.schedule.absences.some(a => a.person === user && a.from <= tx.now && tx.now < a.to),
    ),
}
