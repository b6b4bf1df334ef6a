import type { Instant } from '../../clock.ts'
import type { OpenHours } from '../../settings/open-hours.ts'
import type { Kind } from '../../settings/setting.ts'
import type { AuditAction } from '../event.ts'
import type { AuditRecord } from '../record.ts'

export type Severity = 'critical' | 'warning' | 'notice'

/** One parameter of a rule, as `!audit alerts set` reads and shows it. */
export type Param<T extends number | boolean = number | boolean> = {
  kind: Kind<T>
  default: T
  unit?: string
  help: string
}
export type Values = Readonly<Record<string, number | boolean>>

/** What the log alone does not say about an entry: found out by the store when the entry comes, never stored. */
export type Facts = {
  /** A patient's person and the member of staff have a surname in common. */
  sameSurname?: boolean
  /** The member of staff is not in the patient's care room. */
  outsideTeam?: boolean
}

/** An entry as the rules see it. */
export type Seen = AuditRecord & { facts: Facts }

/** What of the clinic's settings the rules need. */
export type RuleContext = { hours: OpenHours; timeZone: string }

/** What a rule found. `about` names staff, commitments and codes, never a patient; `key` is the same for what belongs together. */
export type Finding = {
  rule: string
  key: string
  about: Readonly<Record<string, string>>
  /** How many entries led to it. */
  count: number
  /** The first and the last of these; null for a state that is not in the log. */
  first: number | null
  last: number | null
  at: Instant
}

/** A rule: data, and a pure decision where it looks at entries. A rule without `find` watches a state, and whoever watches it raises it. */
export type Rule = {
  name: string
  help: string
  severity: Severity
  params: Readonly<Record<string, Param>>
  actions: readonly AuditAction[]
  /** How long after its last finding the same one only counts up. */
  collapseMs: number
  /** How far back it must look to decide about a new entry. */
  lookMs?: (values: Values) => number
  /** Entries in order, those of the past that it must know first; findings are for entries from index `from` on. */
  find?: (seen: readonly Seen[], from: number, values: Values, context: RuleContext) => Finding[]
  /** One sentence without any patient. */
  sentence: (about: Readonly<Record<string, string>>, count: number) => string
  /** What to do now. `{entry}` is the number of the last entry. */
  next: string
}

/** Values with the code's own where nothing usable is stored. */
export const valuesOf = (rule: Rule, stored: Readonly<Record<string, string>>): Values =>
  Object.fromEntries(
    Object.entries(rule.params).map(([name, p]) => [name, (p as Param).kind.revive(stored[name]) ?? p.default]),
  )

export const number = (values: Values, name: string): number => {
  const value = values[name]
  if (typeof value !== 'number') throw new Error(`the rule has no number ${name}`)
  return value
}

type Burst = {
  /** What is counted together; undefined leaves the entry out. */
  key: (seen: Seen) => string | undefined
  /** Counts different values of it instead of entries. */
  distinct?: (seen: Seen) => string
  threshold: number
  windowMs: number
}

/** For each entry from `from` on: how many of its key there were in the window that ends with it, where that reaches the threshold. */
export const bursts = (
  seen: readonly Seen[],
  from: number,
  { key, distinct, threshold, windowMs }: Burst,
): { key: string; entry: Seen; first: Seen; count: number }[] => {
  const windows = new Map<string, { entries: Seen[]; start: number; values: Map<string, number> }>()
  const found: { key: string; entry: Seen; first: Seen; count: number }[] = []
  for (const entry of seen) {
    const k = key(entry)
    if (k === undefined) continue
    const w = windows.get(k) ?? { entries: [], start: 0, values: new Map<string, number>() }
    windows.set(k, w)
    const counted = distinct ?? ((s: Seen) => String(s.idx))
    for (let old = w.entries[w.start]; old && old.at <= entry.at - windowMs; old = w.entries[++w.start]) {
      const left = (w.values.get(counted(old)) ?? 1) - 1
      if (left > 0) w.values.set(counted(old), left)
      else w.values.delete(counted(old))
    }
    w.entries.push(entry)
    const value = counted(entry)
    const before = w.values.get(value) ?? 0
    w.values.set(value, before + 1)
    // Something that was counted already is no news.
    if (entry.idx >= from && w.values.size >= threshold && before === 0)
      found.push({ key: k, entry, first: w.entries[w.start] ?? entry, count: w.values.size })
  }
  return found
}

/** An alert: findings of one rule and key, each soon after the one before. */
export type Collapsed = Finding & { firstAt: Instant }

/** Puts findings that belong together into one, in order of their first; `count` grows by one for each that is added. */
export const collapse = (findings: readonly Finding[], collapseMs: number): Collapsed[] => {
  const out: Collapsed[] = []
  const open = new Map<string, Collapsed>()
  for (const f of findings) {
    const known = open.get(f.key)
    if (known && f.at - known.at <= collapseMs) Object.assign(known, { count: known.count + 1, last: f.last, at: f.at })
    else {
      const fresh = { ...f, firstAt: f.at }
      out.push(fresh)
      open.set(f.key, fresh)
    }
  }
  return out
}
