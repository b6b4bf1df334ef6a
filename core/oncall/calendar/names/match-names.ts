import type { ImportedShift } from '../imported.ts'
import { closeness } from './closeness.ts'
import { plainWords } from './plain-words.ts'

/** A person that a name can mean: `person` is a Matrix user id; `names` are the display name and other spellings, e.g. answers of earlier imports. */
export type KnownPerson = { person: string; names: readonly string[]; emails?: readonly string[] }

/** A name that a person must decide; `candidates` are the most alike, best first, none when nobody is. */
export type NameQuestion = {
  name: string
  /** How often and since when the name is on duty: the more urgent question first. */
  shifts: number
  reason: 'unknown' | 'several'
  candidates: { person: string; name: string; score: number }[]
}

/** `people` has a person for each shift whose name is certain, by the shift's name and contacts (`nameKey`); every other shift's name is a question. */
export type MatchedNames = { people: Map<string, string>; questions: NameQuestion[] }

/** What tells the names of two shifts apart. */
export const nameKey = (shift: Pick<ImportedShift, 'name' | 'summary' | 'contacts'>): string =>
  JSON.stringify([shift.name, shift.name === shift.summary ? '' : shift.summary, shift.contacts ?? []])

type Index = {
  byAddress: Map<string, Set<string>>
  byWords: Map<string, Set<string>>
  spelled: { person: string; name: string; words: string[] }[]
}

const titles = new Set('dr dra doctor doctora prof md do rn np pa phd don dona sr sra mr mrs ms dres'.split(' '))
const longest = 300

const wordsOf = (name: string): string[] => plainWords(name.slice(0, longest)).split(' ').filter(Boolean)
const untitled = (words: string[]): string[] => words.filter(word => !titles.has(word))

const add = (map: Map<string, Set<string>>, key: string, person: string) => {
  const found = map.get(key) ?? new Set()
  map.set(key, found.add(person))
}

const indexOf = (known: readonly KnownPerson[]): Index => {
  const index: Index = { byAddress: new Map(), byWords: new Map(), spelled: [] }
  for (const { person, names, emails = [] } of known) {
    for (const address of [person, ...emails]) add(index.byAddress, address.toLowerCase(), person)
    for (const name of names) {
      const words = untitled(wordsOf(name))
      if (words.length === 0) continue
      index.spelled.push({ person, name, words })
      add(index.byWords, words.toSorted().join(' '), person)
    }
  }
  return index
}

/** E-mail addresses and Matrix ids in a text. */
const addresses = (text: string): string[] =>
  [
    ...text
      .slice(0, longest)
      .matchAll(/@[\w.=/+-]{1,200}:[\w.-]{1,200}(?::\d{1,5})?|[\w.+-]{1,64}@[\w.-]{1,200}\.\w{2,24}/g),
  ].map(m => m[0].toLowerCase())

const only = (people: Iterable<string>): string[] => [...new Set(people)]

/** `smith ann` or `ann m smith` in the words of a text: all of a person's words side by side, in their order or the surname first. */
const spelledIn = (words: readonly string[], index: Index): string[] => {
  const text = ` ${words.join(' ')} `
  const found = index.spelled.filter(({ words: name }) => {
    if (name.length < 2) return false
    const turned = [...name.slice(1), name[0]]
    const reversed = [name.at(-1), ...name.slice(0, -1)]
    return [name, turned, reversed].some(order => text.includes(` ${order.join(' ')} `))
  })
  // “Ana García López” says more than “Ana García”, who may be another person.
  const most = Math.max(0, ...found.map(f => f.words.length))
  return only(found.filter(f => f.words.length === most).map(f => f.person))
}

/** `smith a`, `a smith`: initials and at least one whole word of a person's name, and no word that is not theirs. */
const initialsOf = (words: readonly string[], name: readonly string[]): boolean => {
  if (words.length < 2 || !words.some(w => w.length === 1) || !words.some(w => w.length > 1)) return false
  const left = [...name]
  return words
    .toSorted((a, b) => b.length - a.length)
    .every(word => {
      const at = left.findIndex(n => (word.length === 1 ? n.startsWith(word) : n === word))
      if (at >= 0) left.splice(at, 1)
      return at >= 0
    })
}

/** Parts of `OR Call 1 - Smith, A` that may be the name. */
const partsOf = (text: string): string[][] =>
  [text, ...text.split(/\s[-–—|/]+\s|[:;()[\]]|\s--\s/)].map(part => untitled(wordsOf(part))).filter(p => p.length > 0)

const meaning = (shift: ImportedShift, index: Index): string[] => {
  const texts = shift.name === shift.summary ? [shift.name] : [shift.name, shift.summary]
  for (const found of [texts.flatMap(addresses), shift.contacts ?? []]) {
    const people = only(found.flatMap(address => [...(index.byAddress.get(address.toLowerCase()) ?? [])]))
    if (people.length > 0) return people
  }
  for (const text of texts) {
    const parts = partsOf(text.slice(0, longest))
    const whole = only(parts.flatMap(words => [...(index.byWords.get(words.toSorted().join(' ')) ?? [])]))
    if (whole.length > 0) return whole
    const inside = spelledIn(parts[0] ?? [], index)
    if (inside.length > 0) return inside
    const initials = only(
      parts.flatMap(words => index.spelled.filter(s => initialsOf(words, s.words)).map(s => s.person)),
    )
    if (initials.length > 0) return initials
  }
  return []
}

const candidatesOf = (shift: ImportedShift, meant: readonly string[], index: Index): NameQuestion['candidates'] => {
  const parts = partsOf(shift.name.slice(0, longest))
  const best = new Map<string, { person: string; name: string; score: number }>()
  for (const { person, name, words } of index.spelled) {
    const score = meant.includes(person) ? 1 : Math.max(0, ...parts.map(part => closeness(part, words)))
    if (score >= 0.45 && score > (best.get(person)?.score ?? 0)) best.set(person, { person, name, score })
  }
  return [...best.values()].sort((a, b) => b.score - a.score || (a.name < b.name ? -1 : 1)).slice(0, 5)
}

/**
 * Matches the names of imported shifts with people: by Matrix id or e-mail address, then by the name itself whatever
 * its case, accents, titles and order (“Smith, Ann”), also inside a longer text, then by initials (“A. Smith”). Only
 * what can mean one person counts as matched. Every other name is a question; none is dropped. A single surname is
 * asked about, with its bearer as a candidate: a namesake may have joined.
 */
export const matchNames = (found: readonly ImportedShift[], known: readonly KnownPerson[]): MatchedNames => {
  const index = indexOf(known)
  const people = new Map<string, string>()
  const asked = new Map<string, NameQuestion>()
  for (const [key, shifts] of Map.groupBy(found, nameKey)) {
    const shift = shifts[0] as ImportedShift
    const meant = meaning(shift, index)
    if (meant.length === 1 && meant[0]) people.set(key, meant[0])
    else {
      const before = asked.get(shift.name)
      const reason = meant.length > 1 ? 'several' : 'unknown'
      if (before) before.shifts += shifts.length
      else
        asked.set(shift.name, {
          name: shift.name,
          shifts: shifts.length,
          reason,
          candidates: candidatesOf(shift, meant, index),
        })
    }
  }
  return { people, questions: [...asked.values()].sort((a, b) => b.shifts - a.shifts || (a.name < b.name ? -1 : 1)) }
}
