import {
  type EscalationPolicy,
  type Plan,
  type PolicyStep,
  targetWords,
} from '../../../core/domain/oncall/paging/policy.ts'
import { priorities } from '../../../core/domain/oncall/paging/priority.ts'

const time = (ms: number): string => (ms % 60_000 === 0 ? `${ms / 60_000}m` : `${Math.round(ms / 1000)}s`)

const stepWords = (s: PolicyStep): string =>
  [
    s.ask === 'first' ? 'one by one' : '',
    s.targets.map(targetWords).join(' '),
    time(s.waitMs),
    s.repeat > 0 ? `x${s.repeat + 1}` : '',
  ]
    .filter(Boolean)
    .join(' ')

const planWords = (p: Plan): string =>
  `${p.steps.map(stepWords).join(', ')}, then ${targetWords(p.fallback)}${p.acks > 1 ? `; ${p.acks} must accept` : ''}`

/** A line for each priority: whom a page calls, for how long, and who comes last. */
export const policyLines = (policy: EscalationPolicy): (readonly [string, string])[] =>
  priorities.map(p => [`Page, ${p}`, planWords(policy.plans[p])] as const)
