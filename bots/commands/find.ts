import { isRefusal, type Refusal, refuse } from '../../core/domain/refusal.ts'
import type { Command } from '../framework/command.ts'
import { closest } from '../framework/near.ts'
import { type Token, tokenize } from '../framework/tokens.ts'

/** What a message asks for: a command with its further words, the help of a group (`!patient`, `!audit sink`), or nothing (`not-a-command`). */
export type Request =
  | { kind: 'command'; command: Command; tokens: readonly Token[]; source: string }
  | { kind: 'group'; word: string }
  | { kind: 'not-a-command' }
  | { kind: 'refused'; refusal: Refusal /** Probably meant as a command that holds patient data. */; phi?: boolean }

export const maxCommandLength = 4000

/** What turns the direction of all that follows (UAX #9): in a name it would make an answer, or somebody else's screen, read otherwise than it is. Marks of one letter stay, which names are written with. */
const turning = /[\u202a-\u202e\u2066-\u2069]/g

/** Finds the command that a text names; a near miss is answered with what was probably meant. */
export const findCommand = (commands: readonly Command[], text: string): Request => {
  const trimmed = text.trimStart()
  if (!/^!\s*\p{L}/u.test(trimmed)) return { kind: 'not-a-command' }
  if (trimmed.length > maxCommandLength)
    return { kind: 'refused', refusal: refuse('too-long', `A command has at most ${maxCommandLength} characters.`) }
  const source = trimmed.slice(1).replace(turning, '')
  const tokens = tokenize(source)
  if (isRefusal(tokens)) return { kind: 'refused', refusal: tokens }
  const typed = tokens.slice(0, 3).map(t => t.text.toLowerCase())
  const starts = (c: Command) => c.words.every((word, i) => word === typed[i])
  const exact = commands.filter(starts).sort((a, b) => b.words.length - a.words.length)[0]
  if (exact) return { kind: 'command', command: exact, tokens: tokens.slice(exact.words.length), source }
  // `!oncall help` is as good as `!help oncall`.
  const group = typed.length > 1 && typed.at(-1) === 'help' ? typed.slice(0, -1) : typed
  if (commands.some(c => group.every((word, i) => word === c.words[i]))) return { kind: 'group', word: group.join(' ') }
  const meant = nearest(commands, typed)
  const phi =
    tokens.length > 2 && (meant === undefined || commands.some(c => c.words[0] === meant.split(' ')[0] && c.phi))
  const all = 'Write !help for a list.'
  const sentence = `There is no such command.${meant ? ` Did you mean !${meant}?` : ''} ${all}`
  return { kind: 'refused', refusal: refuse('unknown-command', sentence), phi }
}

/** The command, or its first words, that were probably meant: word after word, then as a whole. */
const nearest = (commands: readonly Command[], typed: readonly string[]): string | undefined => {
  const meant: string[] = []
  for (const word of typed) {
    const group = commands.filter(c => meant.every((w, i) => w === c.words[i]))
    const next = [...new Set(group.flatMap(c => c.words.slice(meant.length, meant.length + 1)))]
    const found = next.find(w => w === word) ?? closest(word, next)
    if (!found) break
    meant.push(found)
    if (commands.some(c => c.words.join(' ') === meant.join(' '))) return meant.join(' ')
  }
  const whole = closest(
    typed.slice(0, 2).join(' '),
    commands.map(c => c.words.join(' ')),
  )
  return whole ?? (meant.length > 0 ? meant.join(' ') : undefined)
}
