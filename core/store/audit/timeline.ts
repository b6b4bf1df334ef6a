import type { AuditClass } from '../../domain/audit/catalogue/entry.ts'
import { entryOf } from '../../domain/audit/catalogue/index.ts'
import type { AuditRecord } from '../../domain/audit/record.ts'
import { oneLine, type Resolved, sentenceOf } from '../../domain/audit/sentence.ts'
import type { Instant } from '../../domain/clock.ts'
import type { StoreDeps } from '../tx.ts'
import { type EntryFilter, findEntries } from './log/entries.ts'
import { resolveRefs } from './subjects.ts'

/** An entry as a line of a timeline. `patient`: whom it is about, by a name that the caller allowed or a shortened commitment; `erased` when nobody can tell any more. */
export type TimelineRow = {
  idx: number
  at: Instant
  actor: string
  action: AuditRecord['action']
  class: AuditClass | null
  outcome: AuditRecord['outcome']
  sentence: string
  patient: string | null
  erased: boolean
}

/** The name under which a timeline may show what a commitment stands for; undefined keeps the commitment. */
export type Naming = (subject: Resolved) => string | undefined

const isRef = (text: unknown): text is string => typeof text === 'string' && /^[A-Za-z0-9_-]{43}$/.test(text)

/** Every commitment that an entry holds. */
export const refsOf = (r: AuditRecord): string[] =>
  [
    r.patient,
    r.object.ref,
    r.actor.ref,
    r.actor.device,
    r.room,
    r.origin,
    r.reason,
    ...Object.values(r.detail ?? {}),
  ].filter(isRef)

const shortened = (ref: string) => `#${ref.slice(0, 8)}`

/** Entries as lines. What was erased is said so; nothing else is resolved but what `naming` names. */
export const timelineRows = async (
  deps: Pick<StoreDeps, 'db' | 'seal'>,
  records: readonly AuditRecord[],
  naming: Naming = () => undefined,
): Promise<TimelineRow[]> => {
  const known = await resolveRefs(deps, records.flatMap(refsOf))
  const shown = (ref: string): Resolved | undefined => {
    if (!isRef(ref)) return undefined
    const subject = known.get(ref)
    if (!subject) return { kind: 'erased', value: '(erased)' }
    const value = naming(subject)
    return value === undefined ? undefined : { kind: subject.kind, value }
  }
  return records.map(r => ({
    idx: r.idx,
    at: r.at,
    actor: r.actor.ref,
    action: r.action,
    class: entryOf(r.action)?.class ?? null,
    outcome: r.outcome,
    sentence: oneLine(sentenceOf(r, shown), 600),
    patient: r.patient === undefined ? null : (shown(r.patient)?.value ?? shortened(r.patient)),
    erased: r.patient !== undefined && !known.has(r.patient),
  }))
}

/** Entries that fit any of the filters, newest first, at most `limit` of the first one. */
export const timeline = async (
  deps: Pick<StoreDeps, 'db' | 'seal'>,
  filters: EntryFilter | readonly EntryFilter[],
  naming?: Naming,
): Promise<TimelineRow[]> => {
  const all = [filters].flat() as EntryFilter[]
  const found = new Map<number, AuditRecord>()
  for (const filter of all) for (const r of await findEntries(deps.db, filter)) found.set(r.idx, r)
  const newest = [...found.values()].sort((a, b) => b.idx - a.idx).slice(0, all[0]?.limit ?? 0)
  return timelineRows(deps, newest, naming)
}
