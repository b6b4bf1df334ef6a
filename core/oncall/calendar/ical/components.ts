import { type Problems, quoted } from '../imported.ts'
import type { Line } from './lines.ts'

/** A component as written: its own lines, and the components inside it. Names are in upper case. */
export type Component = { name: string; line: number; lines: Line[]; children: Component[] }

const deepest = 4
const delimiter = /^(BEGIN|END)\s*:\s*([\w-]{1,100})\s*$/i

/**
 * The calendars of a text. A text that is cut short, wrongly nested or deeper than any calendar is refused as a
 * whole: half a feed would otherwise look like shifts that were removed.
 */
export const readComponents = (lines: readonly Line[], most: number, problems: Problems): Component[] => {
  const first = lines[0]
  if (!first || !/^BEGIN\s*:\s*VCALENDAR\s*$/i.test(first.text)) {
    problems.add('refused', 'not-a-calendar', first?.number ?? 1, 'This is not an iCalendar file.')
    return []
  }
  const calendars: Component[] = []
  const stack: Component[] = []
  let count = 0
  for (const line of lines) {
    const [, verb, written] = delimiter.exec(line.text) ?? []
    const inside = stack.at(-1)
    if (verb === undefined || written === undefined) {
      if (inside) inside.lines.push(line)
      else problems.add('note', 'outside', line.number, 'A line stands outside of the calendar.')
      continue
    }
    const name = written.toUpperCase()
    if (verb.toUpperCase() === 'BEGIN') {
      count += 1
      if (stack.length === deepest || (inside === undefined) !== (name === 'VCALENDAR') || count > most) {
        const [code, sentence] =
          count > most
            ? ['too-many-components', `The calendar has more than ${most} parts.`]
            : ['malformed', `${quoted(name)} cannot stand here: the calendar is malformed.`]
        problems.add('refused', code, line.number, sentence)
        return []
      }
      const component: Component = { name, line: line.number, lines: [], children: [] }
      if (inside) inside.children.push(component)
      else calendars.push(component)
      stack.push(component)
    } else if (inside?.name === name) stack.pop()
    else {
      problems.add(
        'refused',
        'malformed',
        line.number,
        `END of ${quoted(name)} has no BEGIN: the calendar is malformed.`,
      )
      return []
    }
  }
  const open = stack.at(-1)
  if (open) {
    problems.add('refused', 'cut-short', open.line, `${quoted(open.name)} has no end: the calendar is cut short.`)
    return []
  }
  return calendars
}
