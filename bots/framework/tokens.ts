import { type Refusal, refuse } from '../../core/domain/refusal.ts'

/** One word or quoted phrase; `start` and `end` are its place in the text, quotes included. */
export type Token = { text: string; start: number; end: number; quoted: boolean }

const space = /[\s\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000\ufeff]/
/** Zero-width and direction marks that copying brings along. */
const invisible = /[\u00ad\u200b-\u200f\u2028-\u202e\u2060-\u2069]/
const dash = /[\u2010-\u2015\u2212\ufe58\ufe63\uff0d]/
const doubleOpeners = '"“”„‟«»'
const closersOf = (opener: string): string => ('«»'.includes(opener) ? '«»' : '"“”‟')

const maxTokens = 200

type Quoted = { text: string; next: number }

/** Reads from the opening quote at `at` to its partner; a backslash takes a quote as it is. */
const readQuoted = (source: string, at: number): Quoted | undefined => {
  const closers = closersOf(source.charAt(at))
  let text = ''
  for (let i = at + 1; i < source.length; i++) {
    const c = source.charAt(i)
    if (c === '\\' && doubleOpeners.includes(source.charAt(i + 1)) && i + 1 < source.length) {
      text += source.charAt(++i)
    } else if (closers.includes(c)) return { text, next: i + 1 }
    else text += c
  }
  return undefined
}

/** Single quotes count only around a whole word or phrase, so that O'Brien stays as it is. */
const readSingle = (source: string, at: number): Quoted | undefined => {
  for (let i = at + 1; i < source.length; i++) {
    const next = source.charAt(i + 1)
    if ("'’‘".includes(source.charAt(i)) && (next === '' || space.test(next)))
      return { text: source.slice(at + 1, i), next: i + 1 }
  }
  return undefined
}

/**
 * Splits a command's text into words. Phrases may stand in straight or typographic quotes; outside them every dash counts as `-`, and marks that nobody
 * sees are dropped. Refuses an unclosed quote and more than 200 words.
 */
export const tokenize = (source: string): Token[] | Refusal => {
  const tokens: Token[] = []
  let i = 0
  while (i < source.length) {
    if (space.test(source.charAt(i)) || invisible.test(source.charAt(i))) {
      i++
      continue
    }
    if (tokens.length >= maxTokens) return refuse('too-long', `A command has at most ${maxTokens} words.`)
    const start = i
    let text = ''
    let quoted = false
    while (i < source.length && !space.test(source.charAt(i))) {
      const c = source.charAt(i)
      const atStart = text === '' || text.endsWith('=') || text.endsWith(':')
      if (atStart && doubleOpeners.includes(c)) {
        const phrase = readQuoted(source, i)
        if (!phrase) return refuse('unclosed-quote', 'A quotation mark is not closed.')
        quoted = text === ''
        text += phrase.text
        i = phrase.next
        continue
      }
      const single = atStart && "'‘".includes(c) ? readSingle(source, i) : undefined
      if (single) {
        quoted = text === ''
        text += single.text
        i = single.next
        continue
      }
      if (!invisible.test(c)) text += dash.test(c) ? '-' : c
      i++
    }
    tokens.push({ text, start, end: i, quoted })
  }
  return tokens
}
