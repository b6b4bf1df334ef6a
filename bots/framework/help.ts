import { refuse } from '../../core/domain/refusal.ts'
import { permits, type Role } from '../../core/domain/roles.ts'
import { type Answer, answer, code, fields, heading, terms } from './answer.ts'
import { optional, rest } from './args.ts'
import { type Command, command } from './command.ts'
import { closest } from './near.ts'

const line = (c: Command) => [c.usage, c.help] as const
/** Commands of one first word stand together; those that are alone form the first group. */
const groupOf = (all: readonly Command[], c: Command) =>
  all.filter(other => other.words[0] === c.words[0]).length > 1 ? (c.words[0] ?? '') : ''
const who = (needs: readonly Role[] | 'anyone') => (needs === 'anyone' ? 'anyone' : needs.join(', '))

/** The help of one command, from its own value. */
export const helpOf = (c: Command): Answer =>
  answer(
    heading(c.usage),
    c.help,
    ...(c.detail ? [c.detail] : []),
    fields(['For', who(c.needs)]),
    'Example:',
    code(c.example),
    ...(c.phi ? ['Your message is removed from the chat once the command is done.'] : []),
  )

/** Does a command begin with these words? */
const within = (c: Command, words: string): boolean => `${c.words.join(' ')} `.startsWith(`${words} `)

/** The commands of a group, or all of them, that these roles may use. */
export const helpFor = (commands: readonly Command[], held: readonly Role[], word?: string): Answer => {
  const usable = commands.filter(c => permits(held, c.needs) && (word === undefined || within(c, word)))
  const groups = [...new Set(usable.map(c => groupOf(usable, c)))]
  const blocks = groups.map(g => terms(usable.filter(c => groupOf(usable, c) === g).map(line)))
  if (usable.length === 0) return answer(`Your roles do not let you use ${word ? `!${word}` : 'any command'}.`)
  return answer(
    word ? `!${word}:` : 'I obey these commands, in this chat and in desk rooms:',
    ...blocks,
    'Write !help and a command for its details. Parts in [brackets] may be left out.',
  )
}

/** `!help`, made from the list of all commands, itself included. */
export const helpCommand = (commands: () => readonly Command[]): Command =>
  command({
    words: ['help'],
    needs: 'anyone',
    args: { topic: optional(rest('command', 'patient add', 60)) },
    help: 'What I can do, or how one command is written.',
    run: ({ sender }, { topic }) => {
      const all = commands()
      if (topic === undefined) return helpFor(all, sender.roles)
      const wanted = topic.replace(/^!/, '').trim().toLowerCase().split(/\s+/).join(' ')
      const exact = all.find(c => c.words.join(' ') === wanted)
      if (exact) return helpOf(exact)
      if (all.some(c => within(c, wanted))) return helpFor(all, sender.roles, wanted)
      const near = closest(
        wanted,
        all.map(c => c.words.join(' ')),
      )
      return refuse('unknown-command', `There is no such command.${near ? ` Did you mean !help ${near}?` : ''}`)
    },
  })
