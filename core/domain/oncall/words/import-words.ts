import type { ImportPlan } from '../import-plan.ts'
import type { Shift } from '../shift.ts'
import type { Zones } from '../zones.ts'
import { conflictWords, overrideWords, spanWords } from './duty-words.ts'

const shown = 8

const clipped = (lines: readonly string[]): string[] =>
  lines.length > shown ? [...lines.slice(0, shown), `… and ${lines.length - shown} more`] : [...lines]

const meets = {
  stands: 'stands, although the source would put somebody else on',
  agrees: 'and the source now say the same',
  idle: 'has nothing to do any more: whom it takes off is no longer on there',
}

/** The report of an import, in sections: what it changes, where overrides meet it, gaps and conflicts that it makes. */
export const planSections = (plan: ImportPlan, zone: string, zones: Zones): { title: string; lines: string[] }[] => {
  const span = (s: { from: number; to: number }) => spanWords(s, zone, zones)
  const duty = (s: Shift) => `${s.person}, ${span(s)}`
  const sections = [
    { title: `Added: ${plan.added.length}`, lines: plan.added.map(duty) },
    { title: `Removed: ${plan.removed.length}`, lines: plan.removed.map(duty) },
    {
      title: `Moved: ${plan.moved.length}`,
      lines: plan.moved.map(m => `${duty(m.before)} → ${duty(m.after)}`),
    },
    {
      title: 'Overrides stay in force:',
      lines: plan.overrides.map(m => `${m.override.id} (${overrideWords(m.override)}) ${meets[m.meets]}, ${span(m)}`),
    },
    {
      title: '⚠️ Gaps that it makes, which the fallback covers:',
      lines: plan.gaps.filter(g => g.fresh).map(g => `${span(g)}: ${g.fallback}`),
    },
    {
      title: '⚠️ Conflicts that it makes:',
      lines: plan.conflicts.filter(c => c.fresh).map(c => `${span(c)}: ${conflictWords(c)}`),
    },
  ]
  return sections.filter(s => s.lines.length > 0).map(s => ({ ...s, lines: clipped(s.lines) }))
}

/** Does an import want a person's word before it counts, and why? */
export const doubtOf = (plan: ImportPlan, first: boolean): string | undefined => {
  if (first) return 'it is the first from this source'
  if (plan.emptied) return 'the source has no duties any more'
  const [gap, conflict] = [plan.gaps.some(g => g.fresh), plan.conflicts.some(c => c.fresh)]
  if (gap && conflict) return 'it makes gaps and conflicts'
  return gap ? 'it makes gaps' : conflict ? 'it makes conflicts' : undefined
}
