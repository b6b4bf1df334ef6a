import type { Instant } from '../../clock.ts'
import type { Severity } from './rule.ts'
import { ruleNamed } from './rules.ts'

type Alert = {
  rule: string
  severity: Severity
  about: Readonly<Record<string, string>>
  first: number | null
  last: number | null
  count: number
  lastAt: Instant
  clearedAt: Instant | null
  saidCount: number
}

const marks: Record<Severity, string> = { critical: '🔴 critical', warning: '🟠 warning', notice: '🔵 notice' }

const entries = ({ first, last }: Pick<Alert, 'first' | 'last'>): string =>
  last === null ? '' : first === null || first === last ? `Entry #${last}. ` : `Entries #${first} to #${last}. `

/** What the compliance room reads: first the alert, later in its thread that it goes on or is over. Never a patient: entries' numbers instead. */
export const alertWords = (a: Alert): string => {
  const rule = ruleNamed(a.rule)
  if (!rule) return `${marks[a.severity]}: ${a.rule}. ${entries(a)}`.trim()
  const sentence = rule.sentence(a.about, a.count)
  if (a.clearedAt !== null && a.saidCount > 0) return `✅ Over: ${sentence}`
  if (a.saidCount > 0)
    return `Again, ${a.count} by now, until ${new Date(a.lastAt).toISOString().slice(0, 16).replace('T', ' ')} UTC. ${entries(a)}`.trim()
  const next = rule.next.replaceAll(/\{(\w+)\}/g, (_, name) =>
    name === 'entry' ? String(a.last ?? '') : (a.about[name as string] ?? ''),
  )
  return `${marks[a.severity]} · ${a.rule}: ${sentence}\n${entries(a)}${next}`
}
