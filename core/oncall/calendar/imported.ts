import type { Instant } from '../../domain/clock.ts'

/** One shift as a calendar or a table tells it: `from` inclusive, `to` exclusive. `uid` and `recurrenceId` (the original start of one of a series, `20261122T070000Z`, or `20261122` for whole days) together name it from one reading to the next. */
export type ImportedShift = {
  from: Instant
  to: Instant
  /** Who is on duty, as written there: an attendee's name, else the summary. */
  name: string
  uid: string
  recurrenceId?: string
  summary: string
  /** E-mail addresses of those who were invited. */
  contacts?: readonly string[]
}

/** What a problem means: `refused` (nothing may be taken from this source), `skipped` (one entry is missing from the shifts), `question` (a person must say; until then nothing may be taken), `note` (worth knowing). */
export type Effect = 'refused' | 'skipped' | 'question' | 'note'

export type ImportProblem = {
  code: string
  effect: Effect
  /** The line of the text, counted from 1, where the entry or the property begins. */
  line?: number
  sentence: string
}

/** `shifts` are sorted and overlap the window; they are empty as soon as one problem refuses or asks. */
export type Imported = { shifts: ImportedShift[]; problems: ImportProblem[] }

const shownProblems = 100

/** Collects problems: a hundred in full, the rest as a number, so that a hostile file makes no large report. */
export type Problems = {
  add(effect: Effect, code: string, line: number | undefined, sentence: string): void
  /** Has one refused or asked, so that there are no shifts? */
  refused(): boolean
  list(): ImportProblem[]
}

export const problemList = (): Problems => {
  const found: ImportProblem[] = []
  let more = 0
  let refused = false
  return {
    add: (effect, code, line, sentence) => {
      refused ||= effect === 'refused' || effect === 'question'
      if (found.length < shownProblems) found.push({ code, effect, line, sentence })
      else if (effect === 'note') more += 1
      else {
        const note = found.findIndex(p => p.effect === 'note')
        if (note >= 0) found.splice(note, 1)
        if (note >= 0 || effect === 'refused') found.push({ code, effect, line, sentence })
        if (note >= 0 || effect !== 'refused') more += 1
      }
    },
    refused: () => refused,
    list: () => {
      const sorted = found.toSorted((a, b) => (a.line ?? 0) - (b.line ?? 0))
      return more === 0
        ? sorted
        : [...sorted, { code: 'more-problems', effect: 'skipped', sentence: `${more} more problems are not shown.` }]
    },
  }
}

/** Foreign text in a sentence of ours: one line, no control characters, short. */
export const quoted = (text: string): string => {
  const plain = text
    .slice(0, 200)
    .replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu, ' ')
    .trim()
  return `“${plain.length > 40 ? `${plain.slice(0, 39)}…` : plain}”`
}

/** The result: sorted, only what overlaps the window, and nothing when the source is refused. */
export const imported = (
  shifts: ImportedShift[],
  problems: Problems,
  window: { from: Instant; until: Instant },
): Imported => ({
  shifts: problems.refused()
    ? []
    : shifts
        .filter(s => s.from < window.until && s.to > window.from)
        .sort((a, b) => a.from - b.from || a.to - b.to || compare(a.uid, b.uid) || compare(a.name, b.name)),
  problems: problems.list(),
})

const compare = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0)
