import type { OnDuty, Why } from '../../../../core/domain/oncall/schedule/schedule.ts'
import { localName } from '../../../../core/oncall/pages/look-up.ts'
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

/** What people, roles and lines are called: people as they said themselves, a role that stands in another's schedule as such. */
export const namesFor = async (tx: Tx, ids: Iterable<string>): Promise<Names> => {
  const all = [...new Set(ids)]
  const said = await namesOf(tx, all)
  const roles = new Map((await onCallRoles(tx)).map(({ role }) => [role.user, role.name]))
  return Object.fromEntries(all.map(id => [id, said.get(id) ?? roles.get(id) ?? localName(id)]))
}
