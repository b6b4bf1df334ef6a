import { z } from 'zod'
import { nextHandoff } from '../../../../core/domain/oncall/schedule/differences.ts'
import { whoIsOn } from '../../../../core/domain/oncall/schedule/who-is-on.ts'
import { worldZones as zones } from '../../../../core/oncall/zones.ts'
import { type OnCallEntry, onCallRoles } from '../../../../core/store/oncall/read.ts'
import type { OnCallNow, RoleNow } from '../../../../web/oncall-contract.ts'
import { view } from '../view.ts'
import { dutyOf, namesFor } from './duty.ts'

const roleNow = ({ role, schedule }: OnCallEntry, now: number): RoleNow => {
  const { key, name, unit } = role
  const { zone, fallback } = schedule
  const at = nextHandoff(schedule, now, zones, 40)
  return {
    key,
    name,
    unit,
    zone,
    fallback,
    on: dutyOf(whoIsOn(schedule, now, zones)),
    next: at === undefined ? null : { at, on: dutyOf(whoIsOn(schedule, at, zones)) },
  }
}

/** Who is on now for every role, who comes next, and whom a page reaches when nobody is. */
export const onCall = view({
  name: 'on-call',
  needs: ['supervisor', 'admin'],
  follow: true,
  body: z.strictObject({}),
  read: async ({ tx }) => {
    const roles = (await onCallRoles(tx))
      .map(entry => roleNow(entry, tx.now))
      .sort((a, b) => a.name.localeCompare(b.name, 'en'))
    const people = roles.flatMap(r => [r.fallback, ...[...r.on, ...(r.next?.on ?? [])].map(d => d.person)])
    const answer: OnCallNow = { roles, names: await namesFor(tx, people), now: tx.now }
    return { answer, seen: { detail: { roles: roles.length } } }
  },
})
