import type { Instant } from '../clock.ts'
import type { RecordFacts } from './facts.ts'
import { type Hold, holdOver } from './hold.ts'
import { minimumFor, type Policy, windowEnd, windowFor } from './policy.ts'

/** Which rule decided, for `!retention why`, receipts and certificates. */
export type Rule =
  | { kind: 'hold'; id: string }
  | { kind: 'minimum'; id: string }
  | { kind: 'window'; id: string }
  | { kind: 'recall' }
  | { kind: 'removed' }
  | { kind: 'none' }

/**
 * What is to be done with an event's content now. `keep`: nothing, until then (null: no end is known). `hide`: it goes from the participants' eyes, and a
 * sealed copy stays until nothing binds it any more. `destroy`: for good, everywhere here.
 */
export type Decision =
  | { do: 'keep'; rule: Rule; until: Instant | null }
  | { do: 'hide'; rule: Rule; binds: Rule; until: Instant | null }
  | { do: 'destroy'; rule: Rule }

/** How long what a member's own client removed is kept for a hold that may come, as Synapse's `redaction_retention_period` has it (7 days). */
export const removalGrace = 7 * 86_400_000

const earliest = (a: Instant | undefined, b: Instant | undefined): Instant | undefined =>
  a === undefined || b === undefined ? (a ?? b) : Math.min(a, b)

/** An edit goes when the message that it replaces goes: its window is that one's, and either's recall or removal is both's. */
const asEdited = (facts: RecordFacts): RecordFacts => {
  const { edited } = facts
  if (!edited) return facts
  return {
    ...facts,
    labels: edited.labels,
    sentAt: edited.sentAt,
    readAt: edited.readAt,
    recalledAt: earliest(facts.recalledAt, edited.recalledAt),
    removedAt: earliest(facts.removedAt, edited.removedAt),
  }
}

/** Why the content should go from people's eyes by now, or undefined. */
const leaves = (facts: RecordFacts, policies: readonly Policy[], now: Instant): Rule | undefined => {
  const window = windowFor(policies, facts)
  const end = window && windowEnd(window, facts)
  if (window && end !== null && end !== undefined && end <= now) return { kind: 'window', id: window.id }
  if (facts.recalledAt !== undefined && facts.recalledAt <= now) return { kind: 'recall' }
  if (facts.removedAt !== undefined && facts.removedAt <= now) return { kind: 'removed' }
  return undefined
}

/**
 * What keeps the content from being destroyed, or undefined: a hold before everything, over an edit or the message that it replaces; then a statutory minimum,
 * which for an edit runs from the edit; then the grace after a client's removal.
 */
const bound = (
  facts: RecordFacts,
  shown: RecordFacts,
  { policies, holds }: { policies: readonly Policy[]; holds: readonly Hold[] },
  rule: Rule,
  now: Instant,
): { rule: Rule; until: Instant | null } | undefined => {
  const hold = holdOver(holds, facts) ?? holdOver(holds, { ...facts, sentAt: shown.sentAt })
  if (hold) return { rule: { kind: 'hold', id: hold.id }, until: null }
  const minimum = minimumFor(policies, facts)
  const end = minimum ? windowEnd(minimum, facts) : now
  const graceEnds = rule.kind === 'removed' && shown.removedAt !== undefined ? shown.removedAt + removalGrace : now
  if (minimum && (end === null || (end > now && end >= graceEnds)))
    return { rule: { kind: 'minimum', id: minimum.id }, until: end }
  return graceEnds > now ? { rule, until: graceEnds } : undefined
}

/**
 * Decides one event's fate: hold > statutory minimum > label > user > room > class > organisation > recall (design §10). A window that has run out leaves what
 * is bound where it is; a recall, or a removal by a client, hides it meanwhile. Pure: the same facts give the same answer, in whatever order rules are listed.
 */
export const decide = (
  facts: RecordFacts,
  rules: { policies: readonly Policy[]; holds: readonly Hold[] },
  now: Instant,
): Decision => {
  const shown = asEdited(facts)
  const rule = leaves(shown, rules.policies, now)
  const binds = bound(facts, shown, rules, rule ?? { kind: 'none' }, now)
  if (rule && !binds) return { do: 'destroy', rule }
  const hidden = shown.recalledAt !== undefined || shown.removedAt !== undefined
  if (rule && binds && hidden) return { do: 'hide', rule, binds: binds.rule, until: binds.until }
  if (binds && (rule || binds.rule.kind === 'hold')) return { do: 'keep', rule: binds.rule, until: binds.until }
  const window = windowFor(rules.policies, shown)
  if (!window) return { do: 'keep', rule: { kind: 'none' }, until: null }
  const end = windowEnd(window, shown)
  const later = binds?.until === null ? null : end === null ? null : Math.max(end, binds?.until ?? end)
  const byMinimum = binds && (later === null || later !== end)
  return { do: 'keep', rule: byMinimum ? binds.rule : { kind: 'window', id: window.id }, until: later }
}
