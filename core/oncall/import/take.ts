import { createHash } from 'node:crypto'
import { days } from '../../domain/clock.ts'
import type { SourcedShift } from '../../domain/oncall/import-diff.ts'
import { type ImportPlan, planImport } from '../../domain/oncall/import-plan.ts'
import { doubtOf, planSections } from '../../domain/oncall/words/import-words.ts'
import { isRefusal, type Refusal, refuse } from '../../domain/refusal.ts'
import { staffOf } from '../../store/oncall/directory.ts'
import { lockOnCall } from '../../store/oncall/history.ts'
import { emailsOfPeople, namesOfPeople } from '../../store/oncall/people.ts'
import type { OnCallEntry, OnCallReader } from '../../store/oncall/read.ts'
import { changeOnCallRole, unchanged } from '../../store/oncall/roles.ts'
import {
  keepPastMs,
  lookAgainMs,
  noteRead,
  noteTaken,
  type OnCallSource,
  sourceOf,
} from '../../store/oncall/sources.ts'
import { type StoreDeps, type Tx, transact } from '../../store/tx.ts'
import type { Effect, ImportedShift } from '../calendar/imported.ts'
import { type KnownPerson, matchNames, type NameQuestion, nameKey } from '../calendar/names/match-names.ts'
import { type ApartLimits, readApart } from '../calendar/read-apart.ts'
import { worldZones } from '../zones.ts'

/** How far ahead a source is read. */
const aheadMs = days(200)

export type Section = { title: string; lines: string[] }

/** What became of a reading. `doubt`: why it waits for a person's word. `before`, `after`: the role when it took effect. */
export type Taken =
  | { kind: 'same' }
  | { kind: 'problem'; sections: Section[] }
  | { kind: 'pending'; doubt: string; sections: Section[] }
  | { kind: 'taken'; sections: Section[]; before: OnCallEntry; after: OnCallEntry }

export const textHash = (text: string): string => createHash('sha256').update(text, 'utf8').digest('hex')

/** The staff by every name that an import may call them. */
const knownPeople = async (store: StoreDeps): Promise<KnownPerson[]> => {
  const reader: OnCallReader = { sql: store.db, now: store.clock.now(), deps: store }
  const names = await namesOfPeople(reader)
  const emails = await emailsOfPeople({ sql: store.db, deps: store })
  return [...(await staffOf(reader))].map(person => {
    const p = names.get(person)
    const local = person.slice(1, person.indexOf(':')).replace(/[._-]+/g, ' ')
    return {
      person,
      names: [...(p?.name ? [p.name] : []), ...(p?.aliases ?? []), local],
      emails: emails.get(person) ?? [],
    }
  })
}

const questionLine = (q: NameQuestion): string => {
  const like = q.candidates.map(c => c.person).join(' or ')
  const why = q.reason === 'several' ? 'can mean several people' : 'is nobody that I know'
  return `“${q.name}” (${q.shifts} shifts) ${why}${like ? `; perhaps ${like}` : ''}`
}

const sourced = (shifts: readonly ImportedShift[], people: ReadonlyMap<string, string>): SourcedShift[] =>
  shifts.map(s => ({
    from: s.from,
    to: s.to,
    person: people.get(nameKey(s)) as string,
    key: s.recurrenceId === undefined ? s.uid : `${s.uid} ${s.recurrenceId}`,
  }))

/** `skipped`: entries that could not be read, without which the rest may be taken on a person's word. */
type Reading = { shifts: SourcedShift[]; skipped: string[] } | { sections: Section[] }

/** A source's text as duties of people that we know, or what stands in the way. */
const read = async (
  store: StoreDeps,
  source: OnCallSource,
  zone: string,
  text: string,
  limits?: ApartLimits,
): Promise<Reading> => {
  const now = store.clock.now()
  const window = { zone, from: now, until: now + aheadMs }
  const { dates } = source.options
  const found = await readApart(
    source.format === 'csv'
      ? { kind: 'csv', text, ...window, ...(dates ? { dates } : {}) }
      : { kind: 'calendar', text, ...window },
    limits,
  )
  const lines = (effects: readonly Effect[]) =>
    found.problems
      .filter(p => effects.includes(p.effect))
      .slice(0, 10)
      .map(p => (p.line === undefined ? p.sentence : `line ${p.line}: ${p.sentence}`))
  const wrong = lines(['refused', 'question'])
  if (wrong.length > 0) return { sections: [{ title: 'It cannot be taken as it is:', lines: wrong }] }
  const { people, questions } = matchNames(found.shifts, await knownPeople(store))
  if (questions.length > 0)
    return { sections: [{ title: 'Who is meant?', lines: questions.slice(0, 20).map(questionLine) }] }
  return { shifts: sourced(found.shifts, people), skipped: lines(['skipped']) }
}

const planFor = (
  entry: OnCallEntry,
  source: OnCallSource,
  imported: readonly SourcedShift[],
  now: number,
): ImportPlan =>
  planImport(
    {
      schedule: entry.schedule,
      layer: source.layer,
      current: source.shifts,
      imported,
      from: now,
      to: now + aheadMs,
    },
    worldZones,
  )

/** Puts a plan in force. */
const take = async (
  tx: Tx,
  entry: OnCallEntry,
  source: OnCallSource,
  plan: ImportPlan,
  by: string,
): Promise<Taken | Refusal> => {
  const shifts = plan.shifts.filter(s => s.to > tx.now - keepPastMs)
  const layers = plan.schedule.layers.flatMap(l => {
    if (l.id !== source.layer) return [l]
    const list = shifts.map(({ from, to, person }) => ({ from, to, person }))
    return list.length === 0 ? [] : [{ ...l, rotation: { kind: 'list' as const, shifts: list } }]
  })
  const counts = { added: plan.added.length, removed: plan.removed.length, moved: plan.moved.length }
  const after = await changeOnCallRole(tx, entry.role.key, { layers }, { by, as: 'import', noted: counts })
  if (isRefusal(after)) return after
  await noteTaken(tx, source, { shifts, ...counts }, by)
  const sections = planSections(plan, entry.schedule.zone, worldZones)
  return { kind: 'taken', sections, before: entry, after }
}

/**
 * Reads a source's text, in a thread of its own, and takes it where nothing speaks against it: a first reading, one that makes gaps or conflicts, and one without any
 * duty waits for a person's word, and the schedule stays as it was; so it does after a text that cannot be read or names nobody known. Overrides are never touched.
 */
export const takeText = async (
  store: StoreDeps,
  source: OnCallSource,
  text: string,
  { by, limits }: { by: string; limits?: ApartLimits },
): Promise<Taken | Refusal> => {
  const hash = textHash(text)
  const recent = source.readAt !== null && source.readAt > store.clock.now() - lookAgainMs
  if (source.readHash === hash && recent && source.problem === null && source.pending === null) {
    await transact(store, tx => noteRead(tx, source, { problem: null }))
    return { kind: 'same' }
  }
  const zone = await transact(store, async tx => {
    const entry = await unchanged(tx, source.role)
    return isRefusal(entry) ? entry : entry.schedule.zone
  })
  if (isRefusal(zone)) return zone
  const reading = await read(store, source, zone, text, limits)
  return transact(store, async tx => {
    await lockOnCall(tx)
    const [entry, now] = [await unchanged(tx, source.role), await sourceOf(tx, source.role, source.layer)]
    if (isRefusal(entry)) return entry
    if (now?.id !== source.id) return refuse('source-gone', 'The source was removed meanwhile.')
    if ('sections' in reading) {
      const problem = reading.sections.map(s => `${s.title} ${s.lines[0] ?? ''}`).join(' ')
      await noteRead(tx, now, { hash, problem: problem.slice(0, 500), pending: null })
      return { kind: 'problem', sections: reading.sections }
    }
    const plan = planFor(entry, now, reading.shifts, tx.now)
    const { skipped } = reading
    const doubt = skipped.length > 0 ? 'some entries cannot be read' : doubtOf(plan, now.changedAt === null)
    if (plan.nothing && now.changedAt !== null) {
      await noteRead(tx, now, { hash, problem: null, pending: null })
      return { kind: 'same' }
    }
    if (doubt !== undefined) {
      await noteRead(tx, now, { hash, problem: null, pending: reading.shifts })
      const unread = skipped.length > 0 ? [{ title: '⚠️ Left out:', lines: skipped }] : []
      return { kind: 'pending', doubt, sections: [...unread, ...planSections(plan, entry.schedule.zone, worldZones)] }
    }
    await noteRead(tx, now, { hash, problem: null, pending: null })
    return take(tx, entry, now, plan, by)
  })
}

/** Somebody's word: what waits of a source takes effect as far as it still lies ahead. */
export const takePending = async (tx: Tx, source: OnCallSource, by: string): Promise<Taken | Refusal> => {
  await lockOnCall(tx)
  const [entry, now] = [await unchanged(tx, source.role), await sourceOf(tx, source.role, source.layer)]
  if (isRefusal(entry)) return entry
  if (!now?.pending) return refuse('nothing-pending', `Nothing waits for ${source.role}, layer ${source.layer}.`)
  return take(tx, entry, now, planFor(entry, now, now.pending, tx.now), by)
}
