import { days, type Instant } from '../../../core/domain/clock.ts'
import { type Conflict, conflicts } from '../../../core/domain/oncall/schedule/conflicts.ts'
import { type Difference, differences } from '../../../core/domain/oncall/schedule/differences.ts'
import type { Schedule } from '../../../core/domain/oncall/schedule/schedule.ts'
import { type Gap, gaps } from '../../../core/domain/oncall/schedule/shifts.ts'
import { conflictWords, onDutyWords, spanWords } from '../../../core/domain/oncall/words/duty-words.ts'
import { showTime } from '../../../core/domain/oncall/words/time-words.ts'
import { worldZones as zones } from '../../../core/oncall/zones.ts'
import { staffOf } from '../../../core/store/oncall/directory.ts'
import type { Tx } from '../../../core/store/tx.ts'
import { answer, type Block, list, table, text } from '../../framework/answer.ts'
import { say } from '../../framework/say.ts'

type Span = { from: Instant; to: Instant }
/** Of each kind of line: a message may have 64 KiB, encrypted. */
const shown = 8
/** Of roles in one preview. */
export const shownRoles = 5

/** How far a preview looks: as far as a change reaches, and four weeks for one without an end. */
export const horizon = (now: Instant, change?: Span): Span => ({
  from: now,
  to: change ? Math.min(change.to, now + days(400)) : now + days(28),
})

const clip = (lines: readonly string[]): string[] =>
  lines.length > shown ? [...lines.slice(0, shown), `… and ${lines.length - shown} more.`] : [...lines]

const fresh = <T>(before: readonly T[], after: readonly T[]): T[] => {
  const known = new Set(before.map(x => JSON.stringify(x)))
  return after.filter(x => !known.has(JSON.stringify(x)))
}

export const gapLine = (g: Gap, zone: string): string =>
  `${spanWords(g, zone, zones)}: nobody; ${g.fallback} is called as the fallback`

export const conflictLine = (c: Conflict, zone: string): string => `${spanWords(c, zone, zones)}: ${conflictWords(c)}`

export const differenceTable = (found: readonly Difference[], zone: string): Block[] => [
  ...table(
    ['From', 'To', 'Now', 'Then'],
    found
      .slice(0, shown)
      .map(d => [
        showTime(d.from, zone, zones),
        showTime(d.to, zone, zones),
        onDutyWords(d.was),
        onDutyWords(d.becomes),
      ]),
  ),
  ...(found.length > shown ? [text(`… and ${found.length - shown} more.`)] : []),
]

/** What would be different between two schedules: who is on, gaps and conflicts that the change makes. */
export const consequences = async (tx: Tx, before: Schedule, after: Schedule, span: Span): Promise<Block[]> => {
  const known = await staffOf(tx)
  const options = { zones, known: (p: string) => known.has(p), reportTwoRoles: false }
  const found = differences(before, after, span.from, span.to, zones)
  const newGaps = fresh(gaps(before, span.from, span.to, zones), gaps(after, span.from, span.to, zones))
  const newConflicts = fresh(
    conflicts([before], span.from, span.to, options),
    conflicts([after], span.from, span.to, options),
  )
  const until = showTime(span.to, after.zone, zones)
  return [
    ...(found.length === 0
      ? [text(`Nobody else would be on duty until ${until} (${after.zone}).`)]
      : [text(`Who would be on duty (${after.zone}):`), ...differenceTable(found, after.zone)]),
    ...(newGaps.length > 0
      ? [text('⚠️ Gaps that this makes:'), list(clip(newGaps.map(g => gapLine(g, after.zone))))]
      : []),
    ...(newConflicts.length > 0
      ? [text('⚠️ Conflicts that this makes:'), list(clip(newConflicts.map(c => conflictLine(c, after.zone))))]
      : []),
  ]
}

/** Everybody whose duty changes within four weeks is told, but for whoever changed it. `key` makes it happen once. */
export const tellAffected = async (
  tx: Tx,
  key: string,
  { name, by }: { name: string; by: string },
  before: Schedule,
  after: Schedule,
): Promise<string[]> => {
  const found = differences(before, after, tx.now, tx.now + days(28), zones)
  const on = (d: Difference['was']) => [d.person, ...d.also.map(a => a.person)]
  const people = [...new Set(found.flatMap(d => [...on(d.was), ...on(d.becomes)]))].filter(p => p !== by)
  const told: string[] = []
  for (const person of people.slice(0, 50)) {
    const mine = found.filter(d => on(d.was).includes(person) !== on(d.becomes).includes(person))
    if (mine.length === 0) continue
    const lines = mine.map(d => {
      const when = spanWords(d, after.zone, zones)
      return on(d.becomes).includes(person) ? `on duty ${when}` : `not on duty ${when}: ${onDutyWords(d.becomes)} is`
    })
    await say(
      tx,
      `oncall-changed:${key}:${person}`,
      { user: person },
      answer(`${by} changed who is on call for ${name} (${after.zone}). You are now:`, list(clip(lines))),
    )
    told.push(person)
  }
  return told
}
