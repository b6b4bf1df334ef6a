import type { Rule } from '../../../core/domain/records/decide.ts'
import type { ExitDecision } from '../../../core/domain/records/exit.ts'
import type { Policy } from '../../../core/domain/records/policy.ts'
import { scopeWords, valueWords } from '../../../core/domain/records/policy-words.ts'

/** `legal hold lh_…`, `the window for care rooms: 365 days after …`. */
export const ruleWords = (rule: Rule, policies: readonly Policy[]): string => {
  const policy = 'id' in rule ? policies.find(p => p.id === rule.id) : undefined
  switch (rule.kind) {
    case 'hold':
      return `legal hold ${rule.id}`
    case 'minimum':
      return policy ? `the minimum for ${scopeWords(policy.scope)}: ${valueWords(policy)}` : 'a minimum'
    case 'window':
      return policy ? `the window for ${scopeWords(policy.scope)}: ${valueWords(policy)}` : 'a window'
    case 'recall':
      return 'it was recalled'
    case 'removed':
      return "it was removed in somebody's client, and is kept sealed for seven days in case of a hold"
    case 'none':
      return 'no rule says that it goes'
  }
}

const day = (at: number) => new Date(at).toISOString().slice(0, 10)

/** Why the keys of a patient's record are still there, or that they go now. */
export const exitWords = (d: ExitDecision, policies: readonly Policy[]): string => {
  if (d.do === 'destroy') return 'they go now'
  const until = 'until' in d && d.until !== null ? `, until ${day(d.until)}` : ''
  switch (d.why) {
    case 'open':
      return 'kept: the patient is in care'
    case 'none':
      return 'kept: no rule says that they go; compliance can: !patient erase'
    case 'hold':
      return `kept by ${ruleWords({ kind: 'hold', id: d.id }, policies)}`
    case 'export':
      return `kept for the export ${d.id}, which waits or is approved`
    case 'minimum':
    case 'window':
      return `kept by ${ruleWords({ kind: d.why, id: d.id }, policies)}${until}`
    case 'messages':
      return `kept until ${d.count} message${d.count === 1 ? ' is' : 's are'} gone`
  }
}
