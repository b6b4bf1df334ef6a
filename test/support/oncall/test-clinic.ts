import { nameKey } from '../../../core/domain/oncall/admission/misdirection.ts'
import { defaultRungs } from '../../../core/domain/oncall/paging/ladder.ts'
import type { EscalationPolicy, Plan } from '../../../core/domain/oncall/paging/policy.ts'
import type { Duty, DutyPerson } from '../../../core/oncall/pages/duty.ts'
import { plan, role, step, user } from './paging.ts'

export const at = (name: string): string => `@${name}:clinic.example`
export const phones: Readonly<Record<string, string>> = { ann: '+12025550171', bob: '+12025550172', cy: '+12025550173' }
export const lineNumber = '+12025550179'

/** The role first, twice; then Bob; then the switchboard. */
const policy: Plan = plan(
  [step([role('cardiology')], { waitMs: 120_000 }), step([user(at('bob'))], { waitMs: 120_000 })],
  {},
)
export const policies: EscalationPolicy = {
  name: 'cardiology',
  plans: { routine: policy, urgent: policy, stat: policy },
}

export type Clinic = {
  /** Who has cardiology, by name. */
  on: string[]
  /** Who is in its schedule at some time. */
  members: string[]
  absent: string[]
  names: Record<string, string>
  quietUntil: Record<string, number>
}

/** A clinic by plain names: Ann has cardiology, Bob and Cy are in its schedule too. */
export const clinic = (): Clinic => ({
  on: ['ann'],
  members: ['ann', 'bob', 'cy'],
  absent: [],
  names: {},
  quietUntil: {},
})

export const dutyOf = (c: Clinic): Duty => {
  const nameOf = (u: string) => /^@([^:]+)/.exec(u)?.[1] ?? u
  const person = (u: string): DutyPerson => ({
    user: u,
    name: c.names[nameOf(u)] ?? nameOf(u),
    lang: 'en',
    rungs: defaultRungs,
    quiet: { hours: null, until: c.quietUntil[nameOf(u)] ?? null },
    phone: phones[nameOf(u)] ?? null,
  })
  return {
    role: async (_tx, key) =>
      key === 'cardiology'
        ? {
            key,
            name: 'Cardiology',
            policy: policies,
            on: () => c.on.map(at),
            has: p => c.members.map(at).includes(p),
            endsAt: () => null,
          }
        : undefined,
    roles: async () => ['cardiology'],
    person: async (_tx, u) => person(u),
    peopleWithNumber: async (_tx, e164) =>
      Object.keys(phones)
        .filter(n => phones[n] === e164)
        .map(at),
    line: async (_tx, name) => (name === 'switchboard' ? lineNumber : undefined),
    namesakes: async (_tx, u) =>
      c.members.map(at).filter(o => o !== u && nameKey(person(o).name) === nameKey(person(u).name)),
    isAbsent: async (_tx, u) => c.absent.map(at).includes(u),
  }
}
