import { stringify } from 'yaml'
import { type Entry, entries, leaves } from './entries.ts'

const notice = 'Written by `wardroom config` from config/schema.ts; do not edit.'

/** The sample file: every entry with its documentation, as `#name: value` where leaving it out is the default. */
export const sampleYaml = (): string =>
  `# ${notice}\n${entries()
    .map(e => sampleEntry(e, 0, false))
    .join('')}`

const sampleEntry = (e: Entry, depth: number, hidden: boolean): string => {
  const name = e.path.at(-1) ?? ''
  const indent = '  '.repeat(depth)
  const line = (text: string, off: boolean) => `${indent}${off ? '#' : ''}${text}\n`
  const variable = e.env ? ` Variable: ${e.env}.` : ''
  const about = wrap(`${e.about}${variable}`, 110 - indent.length).map(text => `${indent}# ${text}\n`)
  const gap = depth === 0 ? '\n' : ''
  if (e.children.length > 0) {
    const off = hidden || e.children.every(isOff)
    return `${gap}${about.join('')}${line(`${name}:`, off)}${e.children.map(c => sampleEntry(c, depth + 1, off)).join('')}`
  }
  const value = isOff(e) ? (e.secret ? '…' : e.example) : e.default
  const shown = stringify({ [name]: value }, { lineWidth: 0 })
    .trimEnd()
    .split('\n')
  return `${gap}${about.join('')}${shown.map(text => line(text, hidden || isOff(e))).join('')}`
}

/** Whether leaving the entry (or everything below it) out is its default. */
const isOff = (e: Entry): boolean =>
  e.children.length > 0 ? e.optional || e.children.every(isOff) : e.default === undefined || e.path[0] === 'settings'

const wrap = (text: string, width: number): string[] => {
  const lines = ['']
  for (const word of text.split(' ')) {
    const last = lines.at(-1) ?? ''
    if (last && last.length + word.length + 1 > width) lines.push(word)
    else lines[lines.length - 1] = last ? `${last} ${word}` : word
  }
  return lines
}

/** The reference page in Markdown. */
export const referenceMarkdown = (): string => {
  const code = (value: unknown) => `\`${typeof value === 'string' ? value : JSON.stringify(value)}\``
  const rows = leaves().map(e => {
    const fallback = e.default === undefined ? '' : code(e.default)
    const example = e.example === undefined ? '' : ` Example: ${code(e.example)}.`
    const hidden = e.secret ? ' Never shown.' : ''
    const about = `${e.about}${example}${hidden}`.replaceAll('|', '\\|')
    return `| \`${e.path.join('.')}\` | ${e.type.replaceAll('|', '\\|')} | ${fallback} | ${e.env ? code(e.env) : ''} | ${about} |`
  })
  return `<!-- ${notice} -->
# Configuration

Wardroom reads one YAML file, named by \`--config\` or \`WARDROOM_CONFIG\`; without one, everything has its default and the embedded parts are used.
The variables below replace entries of the file. An unknown entry is an error, and \`wardroom config check\` shows all errors at once.
What concerns the clinic's daily work (opening hours, link life, reminders and so on) is changed by chat with \`!config\`; \`settings\` only gives starting values.

| entry | type | default | variable | what it is |
|---|---|---|---|---|
${rows.join('\n')}
`
}
