import type { Target } from '../../domain/oncall/paging/policy.ts'
import type { Directory } from '../../domain/oncall/paging/policy-check.ts'
import type { CheckContext } from '../../domain/oncall/schedule/check.ts'
import { roles } from '../../domain/roles.ts'
import { worldZones } from '../../oncall/zones.ts'
import { holdersOf } from '../staff/roles.ts'
import { namedIn, type OnCallEntry, type OnCallReader, onCallRoles } from './read.ts'

/** Who can be put on duty: everybody who holds a role of the clinic that is not suspended. */
export const staffOf = async ({ sql }: OnCallReader): Promise<Set<string>> => new Set(await holdersOf(sql, ...roles))

/** What the checks of schedules need to know at this moment. */
export const checkContext = async (reader: OnCallReader): Promise<CheckContext> => {
  const staff = await staffOf(reader)
  return { now: reader.now, zones: worldZones, known: person => staff.has(person) }
}

/** People of one layer of a role: what a target `rotation cardiology/nights` means. */
const rotationOf = (entries: ReadonlyMap<string, OnCallEntry>, name: string): readonly Target[] | undefined => {
  const [key = '', layer] = name.split('/')
  const found = entries.get(key)?.schedule.layers.find(l => l.id === layer)
  if (!found) return undefined
  const r = found.rotation
  const people = r.kind === 'list' ? r.shifts.map(s => s.person) : r.people
  return [...new Set(people)].map(user => ({ kind: 'user', user }))
}

/** What the check of a policy needs to know at this moment; `also` is a role that is being made. `lines` are the telephone lines that the settings name. */
export const policyDirectory = async (
  reader: OnCallReader,
  { lines, also }: { lines: readonly string[]; also?: { key: string; people: readonly string[] } },
): Promise<Directory> => {
  const staff = await staffOf(reader)
  const entries = new Map((await onCallRoles(reader)).map(e => [e.role.key, e]))
  const roleUsers = new Map([...entries.values()].map(e => [e.role.user, e.role.key]))
  const target = (person: string): Target => {
    const role = roleUsers.get(person)
    return role === undefined ? { kind: 'user', user: person } : { kind: 'role', role }
  }
  return {
    isPerson: user => staff.has(user),
    isLine: line => lines.includes(line),
    members: t => {
      if (t.kind === 'user') return undefined
      if (t.kind === 'rotation') return rotationOf(entries, t.rotation)
      const found = entries.get(t.role)
      if (found) return [...namedIn(found.schedule)].map(target)
      return also?.key === t.role ? also.people.map(target) : undefined
    },
  }
}
