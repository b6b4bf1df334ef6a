import { guardWords } from '../../../core/domain/oncall/admission/misdirection.ts'
import type { Target } from '../../../core/domain/oncall/paging/policy.ts'
import { isPriority, type Priority } from '../../../core/domain/oncall/paging/priority.ts'
import { readRef } from '../../../core/domain/oncall/paging/ref.ts'
import { isRefusal, refuse } from '../../../core/domain/refusal.ts'
import { localName } from '../../../core/oncall/pages/look-up.ts'
import type { Requested } from '../../../core/oncall/pages/request-page.ts'
import { type Arg, userId, word } from '../../framework/args.ts'

/** A page's short reference. */
export const refArg = (): Arg<string> =>
  word(
    '<ref>',
    '7Q4K',
    text => readRef(text) ?? refuse('bad-ref', 'That is not the reference of a page; it looks like 7Q4K.'),
  )

/** An on-call role (`cardiology`, `@role_cardiology`) or a person (`@ann`). */
export const targetArg = (): Arg<Exclude<Target, { kind: 'rotation' }>> => ({
  usage: '<role|user>',
  example: 'cardiology',
  take: (tokens, env) => {
    const text = tokens[0]?.text ?? ''
    const key = /^(?:https:\/\/matrix\.to\/#\/)?@role_([^:]+)(?::|$)/i.exec(text)?.[1] ?? text
    if (/^[a-z][a-z0-9_-]{1,39}$/i.test(key)) return { value: { kind: 'role', role: key.toLowerCase() }, used: 1 }
    const user = userId().take(tokens.slice(0, 1), env)
    return isRefusal(user) ? user : { value: { kind: 'user', user: user.value }, used: 1 }
  },
})

/** `stat no pulse in bed 4`: the priority in front, urgent where none stands there. */
export const readUrgency = (text: string): { priority: Priority; words: string; said: boolean } => {
  const [first = '', ...rest] = text.trim().split(/\s+/)
  const said = first.toLowerCase().replace(/[:,]$/, '')
  return isPriority(said)
    ? { priority: said, words: rest.join(' ').trim(), said: true }
    : { priority: 'urgent', words: text.trim(), said: false }
}

/** What whoever asked for a page is told first. */
export const outcomeWords = (made: Requested, to: string): string => {
  if (made.guard) {
    const right = made.guard.right.map(r => `!choose ${made.ref} ${r}`)
    const sure = `!choose ${made.ref} ${made.guard.intended.join(' ')}`
    const doubt = guardWords(made.guard.reasons, localName)
    return `${made.ref}: ${doubt} Nobody is called yet. ${[...right, sure].join(' · ')}`
  }
  if (made.joined) return `${made.ref}: this is one more of a page that is under way (${made.count}, ${made.priority}).`
  if (made.startAt !== null) return `${made.ref}: routine, goes with the next digest. To send it now, page as urgent.`
  return `${made.ref}: paging ${to}, ${made.priority}. I tell you what happens.`
}
