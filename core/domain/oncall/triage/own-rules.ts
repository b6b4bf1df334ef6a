import { isPriority } from '../paging/priority.ts'
import type { TriageRule } from './triage.ts'
import { defaultTriageRules } from './triage-rules.ts'
import { isUnit } from './units.ts'

/** `SpO2 < 88 % stat`; undefined for what is no such rule. */
export const readValueRule = (text: string): TriageRule | undefined => {
  const m = /^(.{1,60}?)\s*([<>])\s*(-?\d{1,9}(?:\.\d{1,6})?)\s*(\S{1,20})\s+(\w+)$/.exec(text.trim())
  const [, name = '', sign = '', limit = '', unit = '', priority = ''] = m ?? []
  const suggest = priority.toLowerCase()
  if (!m || !isPriority(suggest) || suggest === 'routine' || !isUnit(unit)) return undefined
  const value = {
    kind: 'value',
    name,
    unit,
    ...(sign === '<' ? { below: Number(limit) } : { above: Number(limit) }),
  } as const
  const because = `${name} ${sign === '<' ? 'below' : 'above'} ${limit} ${unit}`
  return { id: `own ${because}`, when: [value], suggest, because }
}

type Chosen = {
  'oncall.triage_defaults': boolean
  'oncall.triage_stat': readonly string[]
  'oncall.triage_urgent': readonly string[]
  'oncall.triage_values': readonly string[]
}

/** The triage rules of a clinic by its settings: its own, and the built-in ones unless it wants none of them. */
export const triageRulesOf = (s: Chosen): TriageRule[] => {
  const ownWords = (suggest: 'stat' | 'urgent', any: readonly string[]): TriageRule[] =>
    any.map(word => ({
      id: `own ${word}`,
      when: [{ kind: 'words', any: [word] }],
      suggest,
      because: `the words “${word}”`,
    }))
  return [
    ...(s['oncall.triage_defaults'] ? defaultTriageRules : []),
    ...ownWords('stat', s['oncall.triage_stat']),
    ...ownWords('urgent', s['oncall.triage_urgent']),
    ...s['oncall.triage_values'].flatMap(text => readValueRule(text) ?? []),
  ]
}
