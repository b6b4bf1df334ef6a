import { quietUntil } from '../../domain/oncall/paging/do-not-disturb.ts'
import type { Page, PageEvent, PagingPorts } from '../../domain/oncall/paging/page.ts'
import type { Plan, Target } from '../../domain/oncall/paging/policy.ts'
import { isChatAway } from '../../store/oncall/chat-away.ts'
import type { Tx } from '../../store/tx.ts'
import type { Duty, DutyPerson, DutyRole } from './duty.ts'

/** `chatAway`: no card can be delivered now. */
export type LookedUp = PagingPorts & {
  chatAway: boolean
  name(user: string): string
  personOf(user: string): DutyPerson | undefined
}

const roleOf = (t: Target): string | undefined =>
  t.kind === 'role' ? t.role : t.kind === 'rotation' ? t.rotation : undefined

/** `@ann:clinic.example` is a person; anything else that a schedule names (`switchboard`) is not. */
export const isPerson = (id: string): boolean => id.startsWith('@')

const targetsOf = (plan: Plan): Target[] => plan.steps.flatMap(s => s.targets)

/** What one decision about a page may ask, looked up beforehand: its targets at this instant, and everybody whom it may call or name. */
export const lookUp = async (
  tx: Tx,
  duty: Duty,
  about: { page?: Page; plan?: Plan; event?: PageEvent; people?: readonly string[]; chatAway?: boolean },
): Promise<LookedUp> => {
  const { page, event } = about
  const plans = [page?.plan, about.plan, event?.kind === 'raise' ? event.plan : undefined].filter(p => p !== undefined)
  const targets = [...plans.flatMap(targetsOf), ...(event?.kind === 'hand_over' ? [event.to] : [])]
  const roles = new Map<string, DutyRole | undefined>()
  for (const key of targets.map(roleOf))
    if (key !== undefined && !roles.has(key)) roles.set(key, await duty.role(tx, key))

  const people: PagingPorts['people'] = (target, at) => {
    if (target.kind === 'user') return [target.user]
    const role = roles.get(roleOf(target) ?? '')
    return role ? role.on(at).filter(isPerson) : []
  }
  const wanted = new Set([
    ...targets.flatMap(t => people(t, tx.now)),
    ...plans.flatMap(p => (p.fallback.kind === 'user' ? [p.fallback.user] : [])),
    ...(page?.asked.map(a => a.person) ?? []),
    ...(page?.acceptedBy ?? []),
    ...(page?.handover?.to ?? []),
    ...(page?.guard ? [...page.guard.intended, ...page.guard.right] : []),
    ...(event?.kind === 'choose' ? event.people : []),
    ...(event && 'by' in event ? [event.by] : []),
    ...(about.people ?? []),
  ])
  const persons = new Map<string, DutyPerson>()
  for (const user of wanted) if (isPerson(user)) persons.set(user, await duty.person(tx, user))

  const chatAway = about.chatAway ?? (await isChatAway(tx.sql))
  return {
    chatAway,
    people,
    contact: (person, at, priority) => {
      const p = persons.get(person)
      // A decision that names somebody who was not looked up would call nobody: that is a fault of `wanted`, not of the clinic.
      if (!p) throw new Error('somebody is to be called who was not looked up')
      const rungs = p.rungs[priority].filter(r => r.way === 'matrix' || p.phone !== null)
      // Whoever wants only cards is texted while there can be none.
      if (chatAway && p.phone !== null && rungs.every(r => r.way === 'matrix'))
        return { rungs: [...rungs, { way: 'sms', waitMs: 0 }], quietUntil: quietUntil(p.quiet, at) }
      return { rungs, quietUntil: quietUntil(p.quiet, at) }
    },
    name: user => persons.get(user)?.name ?? localName(user),
    personOf: user => persons.get(user),
  }
}

/** `ann` of `@ann:clinic.example`. */
export const localName = (user: string): string => /^@([^:]+):/.exec(user)?.[1] ?? user
