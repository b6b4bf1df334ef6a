import { minutes } from '../../clock.ts'
import type { EscalationPolicy, Plan } from './policy.ts'

/** What a role begins with: whoever is on duty, the more often the more urgent, then the named fallback. */
export const defaultPolicy = (role: string, fallback: string): EscalationPolicy => {
  const plan = (wait: number, repeat: number): Plan => ({
    steps: [{ targets: [{ kind: 'role', role }], ask: 'all', waitMs: minutes(wait), repeat }],
    acks: 1,
    fallback: { kind: 'user', user: fallback },
  })
  return { name: role, plans: { routine: plan(30, 1), urgent: plan(5, 1), stat: plan(2, 1) } }
}
