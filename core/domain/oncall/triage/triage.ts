import { higher, isHigher, type Priority } from '../paging/priority.ts'
import { convert, type Quantity } from './units.ts'

/** What a rule looks for; all conditions of a rule must be met. */
export type Condition =
  /** Any of these words or phrases, in any case and with or without accents; not where the text denies it ("denies chest pain", "sin fiebre"). */
  | { kind: 'words'; any: readonly string[] }
  /** The sender's id, or the name of an alarm source. */
  | { kind: 'sender'; any: readonly string[] }
  /** A value of the alarm by name, below or above (not at) a number in this unit; a unit that cannot be converted meets nothing. */
  | { kind: 'value'; name: string; below?: number; above?: number; unit: string }

/** One rule as data (row 110): kept in the settings, shown as it is to whoever asks why. */
export type TriageRule = { id: string; when: readonly Condition[]; suggest: Priority; because: string }

export type TriageItem = {
  priority: Priority
  sender: string
  text: string
  values: readonly (Quantity & { name: string })[]
}

/** A suggestion, and every rule that spoke for it. `unread`: values whose unit a rule could not read, for a person to look at. */
export type Suggestion = {
  priority: Priority
  raised: boolean
  why: readonly { rule: string; because: string; priority: Priority }[]
  unread: readonly string[]
}

const longestText = 10_000
/** The text's clauses as lists of words: "No, chest pain!" denies nothing. */
const clausesOf = (text: string): string[][] =>
  text
    .slice(0, longestText)
    .normalize('NFKD')
    .replace(/\p{M}/gu, '')
    .toLowerCase()
    .replace(/['’]/g, '')
    .split(/[.,;:!?¡¿\n()]+/u)
    .map(c => c.split(/[^\p{L}\p{N}]+/u).filter(Boolean))
    .filter(c => c.length > 0)

const denials = new Set('no not denies denied without never sin niega nunca tampoco'.split(' '))
/** Words after which a denial before them no longer counts: "no fever but chest pain", "no mejora el dolor de pecho". */
const turns = new Set(
  'but and now however better improving relieved responding pero y ahora mejora mejoran cede ceden calma quita pasa'.split(
    ' ',
  ),
)
const reach = 3

const isDenied = (words: readonly string[], at: number): boolean => {
  for (let i = at - 1; i >= 0 && i >= at - reach; i--) {
    const word = words[i] ?? ''
    if (turns.has(word)) return false
    if (denials.has(word)) return true
  }
  return false
}

const says = (clauses: readonly (readonly string[])[], phrase: string): boolean => {
  const wanted = clausesOf(phrase).flat()
  if (wanted.length === 0) return false
  return clauses.some(words =>
    words.some((_, at) => wanted.every((w, i) => words[at + i] === w) && !isDenied(words, at)),
  )
}

const names: Readonly<Record<string, string>> = {
  hr: 'heartrate',
  pulse: 'heartrate',
  rr: 'respiratoryrate',
  sbp: 'systolic',
  temp: 'temperature',
  k: 'potassium',
  hgb: 'hemoglobin',
  hb: 'hemoglobin',
  haemoglobin: 'hemoglobin',
  o2sat: 'spo2',
}
const nameOf = (name: string): string => {
  const n = name
    .trim()
    .toLowerCase()
    .replace(/[\s_-]+/g, '')
  return Object.hasOwn(names, n) ? (names[n] ?? n) : n
}

const meets = (item: TriageItem, clauses: readonly (readonly string[])[], c: Condition): boolean => {
  switch (c.kind) {
    case 'words':
      return c.any.some(phrase => says(clauses, phrase))
    case 'sender':
      return c.any.includes(item.sender)
    case 'value':
      return item.values.some(v => {
        if (nameOf(v.name) !== nameOf(c.name)) return false
        const n = convert(v, c.unit, nameOf(c.name))
        return n !== undefined && ((c.below !== undefined && n < c.below) || (c.above !== undefined && n > c.above))
      })
  }
}

const unreadOf = (item: TriageItem, rules: readonly TriageRule[]): string[] => {
  const wanted = rules.flatMap(r => r.when).filter(c => c.kind === 'value')
  const unread = item.values.filter(v =>
    wanted.some(c => nameOf(c.name) === nameOf(v.name) && convert(v, c.unit, nameOf(c.name)) === undefined),
  )
  return [...new Set(unread.map(v => v.name))]
}

/**
 * Suggests a priority and says why (row 110). It never lowers what the sender gave, closes nothing and sends nothing; the order of the rules does not matter,
 * and a rule that is added never lowers a suggestion.
 */
export const triage = (item: TriageItem, rules: readonly TriageRule[]): Suggestion => {
  const clauses = clausesOf(item.text)
  const met = rules.filter(r => r.when.length > 0 && r.when.every(c => meets(item, clauses, c)))
  const priority = met.reduce((p, r) => higher(p, r.suggest), item.priority)
  return {
    priority,
    raised: isHigher(priority, item.priority),
    why: met.map(r => ({ rule: r.id, because: r.because, priority: r.suggest })),
    unread: unreadOf(item, rules),
  }
}
