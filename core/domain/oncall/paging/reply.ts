import { wordsOf } from '../../texts/keywords.ts'
import type { Guard } from './page.ts'
import { readRef } from './ref.ts'

export type Answer = 'accept' | 'decline'
/** What a paged person's message says. Without `ref` it is about the message that it replies to, or the only open page. */
export type ReadReply = { ref?: string; answer: Answer }

const words = (text: string) => new Set(text.split(' '))
const yes = words('accept accepted ok okay yes y coming omw mine taking si acepto aceptar voy vale')
const no = words('decline declined no n busy cannot cant unavailable rechazo rechazar ocupado ocupada')
const courtesy = words(
  'i im ill am will on my way it is got this have the that please thanks thank you now right gracias por favor ya lo la tomo yo estoy en camino puedo not sorry page',
)
const sentences: readonly (readonly [RegExp, Answer])[] = [
  [/^(?:i m |im |i am )?on (?:my|the) way$/, 'accept'],
  [/^(?:i )?(?:have |ve |ive )?got (?:it|this)$/, 'accept'],
  [/^(?:ill|i will) take (?:it|this)$/, 'accept'],
  [/^(?:lo|la) tomo$/, 'accept'],
  [/^(?:estoy |ya )?en camino$/, 'accept'],
]

const answerOf = (said: readonly string[]): Answer | undefined => {
  const sentence = sentences.find(([pattern]) => pattern.test(said.join(' ')))
  if (sentence) return sentence[1]
  // Anything beyond an answer and courtesy is a message of its own ("no pulse, come now"): nobody's page is taken or refused by a guess.
  if (said.length === 0 || said.length > 8 || !said.every(w => yes.has(w) || no.has(w) || courtesy.has(w)))
    return undefined
  const refuses = said.some(w => no.has(w)) || said.includes('not')
  if (refuses) return said.some(w => yes.has(w)) && !said.includes('not') ? undefined : 'decline'
  return said.some(w => yes.has(w)) ? 'accept' : undefined
}

/** Reads a reply in chat or by SMS, English or Spanish; the bare reference accepts. Undefined: it is not an answer, and goes to the sender as a message. */
export const readReply = (text: string): ReadReply | undefined => {
  if (text.length > 200) return undefined
  const parts = text
    .trim()
    .split(/[\s,.;:!]+/u)
    .filter(Boolean)
  const at = parts.findIndex(p => readRef(p) !== undefined)
  const ref = at < 0 ? undefined : readRef(parts[at] ?? '')
  const said = wordsOf(parts.filter((_, i) => i !== at).join(' ')).filter(w => w !== 'ref')
  if (ref !== undefined && said.length === 0) return { ref, answer: 'accept' }
  const answer = answerOf(said)
  return answer && { ...(ref === undefined ? {} : { ref }), answer }
}

/** What a key pressed during a call means: 1 takes the page, 2 declines it. */
export const readKey = (digits: string): Answer | undefined =>
  digits === '1' ? 'accept' : digits === '2' ? 'decline' : undefined

/** The reactions that answer a page, with or without a variation selector or a skin tone; any other is only a reaction. */
export const readReaction = (key: string): Answer | undefined => {
  const bare = key.replace(/[\u{FE0F}\u{1F3FB}-\u{1F3FF}]/gu, '')
  return ['✅', '👍', '✔', '🆗'].includes(bare) ? 'accept' : ['❌', '👎', '✖'].includes(bare) ? 'decline' : undefined
}

/** The whole text of a paging SMS: no content, no name, no link. */
export const pageText = (ref: string, priority: 'routine' | 'urgent' | 'stat'): string =>
  `${priority === 'routine' ? 'Routine page' : priority === 'urgent' ? 'Urgent page' : 'STAT page'}. Open your chat. Ref ${ref}.`

const plainKey = (key: string): string => key.replace(/[\uFE0F\u{1F3FB}-\u{1F3FF}]/gu, '')

/** Signs under the guard's question, a tap each: the right people in their order, and those whom the sender wrote. */
export const choiceKeys = (guard: Guard): { key: string; people: readonly string[] }[] => [
  ...guard.right.map((person, i) => ({ key: `${i + 1}\uFE0F\u20E3`, people: [person] })),
  { key: '✅', people: guard.intended },
]

/** Whom a reaction to the guard's question means. */
export const readChoice = (guard: Guard, key: string): readonly string[] | undefined =>
  choiceKeys(guard).find(c => plainKey(c.key) === plainKey(key))?.people
