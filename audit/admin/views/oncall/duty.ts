import type { OnDuty, Why } from '../../../../core/domain/oncall/schedule/schedule.ts'
import { isPerson, localName } from '../../../../core/oncall/pages/look-up.ts'
import { staffOf } from '../../../../core/store/oncall/directory.ts'
import { namesOf } from '../../../../core/store/oncall/people.ts'
import { onCallRoles } from '../../../../core/store/oncall/read.ts'
import type { Tx } from '../../../../core/store/tx.ts'
import type { Duty, Names, Reason } from '../../../../web/oncall-contract.ts'

const reasonOf = (why: Why): Reason => {
  switch (why.by) {
    case 'layer':
      return { by: 'layer', id: why.layer }
    case 'temporary':
      return { by: 'temporary', id: why.temporary }
    case 'override':
      return why.swap === undefined ? { by: 'override', id: why.override } : { by: 'swap', id: why.swap }
    case 'fallback':
      return { by: 'fallback' }
  }
}

/** Who is on, the first to be called first, and why. */
export const dutyOf = (on: OnDuty): Duty =>
  [on, ...on.also].map(({ person, why }) => ({ person, reason: reasonOf(why) }))

/** What people, roles and lines are called: people as they said themselves, and that they left the clinic if they did; a role that stands in another's schedule as such. */
export const namesFor = async (tx: Tx, ids: Iterable<string>): Promise<Names> => {
  const all = [...new Set(ids)]
  const said = await namesOf(tx, all)
  const roles = new Map((await onCallRoles(tx)).map(({ role }) => [role.user, role.name]))
  const staff = await staffOf(tx)
  const nameOf = (id: string): string => {
    const role = roles.get(id)
    if (role !== undefined || !isPerson(id)) return role ?? localName(id)
    const name = said.get(id) ?? localName(id)
    return staff.has(id) ? name : `${name} (no role here any more)`
  }
  return Object.fromEntries(all.map(id => [id, nameOf(id)]))
}
