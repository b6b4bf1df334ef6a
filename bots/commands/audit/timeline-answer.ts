import { wallClock } from '../../../core/domain/audit/period.ts'
import type { TimelineRow } from '../../../core/store/audit/timeline.ts'
import { type Answer, answer, type Block, code, heading, list, literal } from '../../framework/answer.ts'

/** At most so many entries, and so many characters, in one answer: a message of 64 kB holds it twice, as words and as HTML. */
export const entriesPerAnswer = 40
const lettersPerAnswer = 12_000

const dayTitle = (day: string) =>
  new Intl.DateTimeFormat('en-GB', {
    timeZone: 'UTC',
    weekday: 'long',
    day: 'numeric',
    month: 'long',
    year: 'numeric',
  }).format(Date.parse(`${day}T00:00:00Z`))

type Line = { day: string; text: string; idx: number }

type Style = {
  title: string
  timeZone: string
  /** Says after each sentence which patient it is about. */
  withPatient: boolean
  /** The command that gives the next page but for `before <no.>`. */
  again: string
}

/** A timeline by days, newest first. Every entry is one line, whatever it holds, and ends in its number. `rows` may hold one more than fits: then there is an older page. */
export const timelineAnswer = (rows: readonly TimelineRow[], s: Style): Answer => {
  const lines: Line[] = []
  let letters = 0
  for (const r of rows.slice(0, entriesPerAnswer)) {
    const { day, time } = wallClock(r.at, s.timeZone)
    const about =
      s.withPatient && r.patient !== null && !r.sentence.includes(r.patient) ? ` [patient ${r.patient}]` : ''
    const text = `${time} · ${r.sentence}${about} · #${r.idx}`
    letters += text.length
    if (lines.length > 0 && letters > lettersPerAnswer) break
    lines.push({ day, text, idx: r.idx })
  }
  const days = [...new Set(lines.map(l => l.day))]
  const blocks: Block[] = days.flatMap(day => [
    heading(dayTitle(day)),
    literal(list(lines.filter(l => l.day === day).map(l => l.text))),
  ])
  const last = lines.at(-1)
  const more = rows.length > lines.length && last !== undefined
  return answer(
    `${s.title} Times are in ${s.timeZone}; the newest is first.`,
    ...blocks,
    ...(rows.some(r => r.erased)
      ? [
          'Entries marked (erased) are about a patient whose data were erased: they are kept, and nobody can tell any more whom they mean.',
        ]
      : []),
    ...(more ? ['Older:', code(`${s.again} before ${last.idx}`)] : []),
  )
}
