import { isRefusal, type Refusal, refuse } from '../../core/domain/refusal.ts'
import type { Command } from '../framework/command.ts'
import { closest } from '../framework/near.ts'
import { type Token, tokenize } from '../framework/tokens.ts'

/** What a message asks for: a command with its further words, the help of a group (`!patient`), or nothing (`not-a-command`). */
export type Request =
  | { kind: 'command'; command: Command; tokens: readonly Token[]; source: string }
  | { kind: 'group'; word: string }
  | { kind: 'not-a-command' }
  | { kind: 'refused'; refusal: Refusal /** Probably meant as a command that holds patient data. */; phi?: boolean }

export const maxCommandLength = 4000

/** Finds the command that a text names; a near miss is answered with what was probably meant. */
export const findCommand = (commands: readonly Command[], text: string): Request => {
  const trimmed = text.trimStart()
  if (!/^!\s*\p{L}/u.test(trimmed)) return { kind: 'not-a-command' }
  if (trimmed.length > maxCommandLength)
    return { kind: 'refused', refusal: refuse('too-long', `A command has at most ${maxCommandLength} characters.`) }
  const source = trimmed.slice(1)
  const tokens = tokenize(source)
  if (isRefusal(tokens)) return { kind: 'refused', refusal: tokens }
  const [first = '', second = ''] = tokens.slice(0, 2).map(t => t.text.toLowerCase())
  const exact =
    commands.find(c => c.words.length === 2 && c.words[0] === first && c.words[1] === second) ??
    commands.find(c => c.words.length === 1 && c.words[0] === first)
  if (exact) return { kind: 'command', command: exact, tokens: tokens.slice(exact.words.length), source }
  const group = commands.filter(c => c.words[0] === first)
  if (group.length > 0 && second === '') return { kind: 'group', word: first }
  const meant = nearest(commands, first, second)
  const phi =
    tokens.length > 2 && (meant === undefined || commands.some(c => c.words[0] === meant.split(' ')[0] && c.phi))
  const all = 'Write !help for a list.'
  const sentence = `There is no such command.${meant ? ` Did you mean !${meant}?` : ''} ${all}`
  return { kind: 'refused', refusal: refuse('unknown-command', sentence), phi }
}

/** The command, or its first word, that was probably meant. */
const nearest = (commands: readonly Command[], first: string, second: string): string | undefined => {
  const firsts = [...new Set(commands.map(c => c.words[0] ?? ''))]
  const group = firsts.find(f => f === first) ?? closest(first, firsts)
  const seconds = commands.filter(c => c.words[0] === group && c.words.length === 2).map(c => c.words[1] ?? '')
  const meant = second === '' ? undefined : (seconds.find(s => s === second) ?? closest(second, seconds))
  if (group && meant) return `${group} ${meant}`
  return (
    closest(
      `${first} ${second}`.trim(),
      commands.map(c => c.words.join(' ')),
    ) ?? group
  )
}
