import type { Instant } from '../clock.ts'
import type { Shift } from './shift.ts'

/** A shift that came from a source, with the name that it has there (`uid`, and the original start of one of a series). */
export type SourcedShift = Shift & { key: string }

/** `moved`: the source's own entry now has another time or another person. `shifts` is what the source says from now on, in order. */
export type ImportDiff = {
  shifts: SourcedShift[]
  added: SourcedShift[]
  removed: SourcedShift[]
  moved: { before: SourcedShift; after: SourcedShift }[]
  same: number
}

const content = (s: Shift): string => `${s.from} ${s.to} ${s.person}`
const text = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0)
const inOrder = (a: SourcedShift, b: SourcedShift): number =>
  a.from - b.from || a.to - b.to || text(a.person, b.person) || text(a.key, b.key)

/** Pairs each of `news` with one of `olds` of the same name, each once; what has no partner is left. */
const pair = (olds: readonly SourcedShift[], news: readonly SourcedShift[], name: (s: SourcedShift) => string) => {
  const waiting = Map.groupBy(olds, name)
  const pairs: [SourcedShift, SourcedShift][] = []
  const left: SourcedShift[] = []
  for (const after of news) {
    const before = waiting.get(name(after))?.shift()
    if (before) pairs.push([before, after])
    else left.push(after)
  }
  return { pairs, olds: [...waiting.values()].flat(), news: left }
}

/**
 * What a new reading of a source changes. Only shifts that overlap the window are compared: a feed forgets what is past
 * and does not reach for ever. The same duty under a new key is the same duty, for some programs make new UIDs with every
 * export; so the same feed again changes nothing.
 */
export const importDiff = (
  current: readonly SourcedShift[],
  imported: readonly SourcedShift[],
  window: { from: Instant; to: Instant },
): ImportDiff => {
  const inside = (s: Shift) => s.from < window.to && s.to > window.from
  const sorted = (list: readonly SourcedShift[]) => list.filter(inside).sort(inOrder)
  const same = pair(sorted(current), sorted(imported), s => `${content(s)} ${s.key}`)
  const renamed = pair(same.olds, same.news, content)
  const moved = pair(renamed.olds, renamed.news, s => s.key)
  return {
    shifts: [...current.filter(s => !inside(s)), ...imported.filter(inside)].sort(inOrder),
    added: moved.news.sort(inOrder),
    removed: moved.olds.sort(inOrder),
    moved: moved.pairs.map(([before, after]) => ({ before, after })),
    same: same.pairs.length + renamed.pairs.length,
  }
}
