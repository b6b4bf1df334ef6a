import { days } from '../../../core/domain/clock.ts'
import { type RecordClass, recordClasses } from '../../../core/domain/records/facts.ts'
import { type PolicyScope, scopeOrder } from '../../../core/domain/records/policy.ts'
import { isScopeKind } from '../../../core/domain/records/policy-words.ts'
import { isRefusal, type Refusal, refuse } from '../../../core/domain/refusal.ts'
import { type Arg, duration, safeDecode, userId, word } from '../../framework/args.ts'
import { closest } from '../../framework/near.ts'
import type { Token } from '../../framework/tokens.ts'

const room = (text: string): string | undefined => {
  const linked = /^https:\/\/matrix\.to\/#\/([^?/]+)/.exec(text)?.[1]
  const id = linked ? safeDecode(linked) : text
  return /^![^\s:]{1,200}(:[a-z0-9.:[\]-]{1,200})?$/i.test(id) ? id : undefined
}

/** A room by its id or its matrix.to link. */
export const roomArg = (): Arg<string> =>
  word(
    '<room>',
    '!abcdef:clinic.example',
    text => room(text) ?? refuse('bad-room', 'That is not a room; it looks like !abcdef:clinic.example, or its link.'),
  )

/** A message by its link (in a client: "share", "copy link"). */
export const messageArg = (): Arg<{ room?: string; event: string }> =>
  word('<message link>', 'https://matrix.to/#/!abcdef:clinic.example/$event', text => {
    const m = /^https:\/\/matrix\.to\/#\/([^?/]+)\/([^?/]+)/.exec(text)
    const at = m?.[1] ? room(safeDecode(m[1])) : undefined
    const event = m?.[2] ? safeDecode(m[2]) : text
    return /^\$[\w+/=.:-]{1,200}$/.test(event)
      ? { event, ...(at ? { room: at } : {}) }
      : refuse('bad-message', 'That is not a message. In your client, choose "Share" or "Copy link" on the message.')
  })

/** A room, or a message by its link, which says its room. */
export const targetArg = (): Arg<{ room: string; event?: string }> =>
  word('<room or message link>', 'https://matrix.to/#/!abcdef:clinic.example', (text, env) => {
    const at = room(text)
    if (!at) return refuse('bad-room', 'That is not the link of a room or of a message: https://matrix.to/#/!…')
    const deeper = /^https:\/\/matrix\.to\/#\/[^?/]+\/[^?]/.test(text)
    const message = deeper ? messageArg().take([{ text } as Token], env) : undefined
    if (isRefusal(message)) return message
    return { room: at, ...(message ? { event: message.value.event } : {}) }
  })

export const readLabel = (text: string): string | Refusal =>
  /^[a-z][a-z0-9_-]{0,39}$/.test(text.toLowerCase())
    ? text.toLowerCase()
    : refuse('bad-label', 'A label is one word of letters, digits and dashes, such as billing.')

const scopeNamed = (
  kind: PolicyScope['kind'],
  tokens: Parameters<Arg<unknown>['take']>[0],
  env: never,
): PolicyScope | Refusal => {
  const [first] = tokens
  const text = first?.text ?? ''
  switch (kind) {
    case 'organisation':
      return { kind }
    case 'class': {
      const found = recordClasses.find((c: RecordClass) => c === text.toLowerCase())
      return found
        ? { kind, class: found }
        : refuse('bad-class', `Expected a class of rooms: ${recordClasses.join(', ')}.`)
    }
    case 'room': {
      const id = room(text)
      return id
        ? { kind, room: id }
        : refuse('bad-room', 'Expected a room such as !abcdef:clinic.example, or its link.')
    }
    case 'user': {
      const taken = userId().take(tokens, env)
      return isRefusal(taken) ? taken : { kind, user: taken.value }
    }
    case 'label': {
      const label = readLabel(text)
      return isRefusal(label) ? label : { kind, label }
    }
  }
}

/** What a policy is about: `organisation`, or a class, room, user or label with its name. */
export const scopeArg = (): Arg<PolicyScope> => ({
  usage: 'organisation|class <class>|room <room>|user <user>|label <label>',
  example: 'class staff',
  take: (tokens, env) => {
    const kind = (tokens[0]?.text ?? '').toLowerCase()
    if (!isScopeKind(kind)) {
      const near = closest(kind, scopeOrder)
      return refuse('bad-scope', `Expected one of ${scopeOrder.join(', ')}${near ? `; did you mean ${near}?` : '.'}`)
    }
    if (kind === 'organisation') return { value: { kind }, used: 1 }
    if (tokens.length < 2) return refuse('missing', `Which ${kind}?`)
    const scope = scopeNamed(kind, tokens.slice(1), env as never)
    return isRefusal(scope) ? scope : { value: scope, used: 2 }
  },
})

const longest = days(365 * 100)
const year = days(365)

/** How long: `90d`, `7y`, `forever`; `none` takes the rule away. */
export const keepArg = (): Arg<number | 'forever' | 'none'> => ({
  usage: '<time>|forever|none',
  example: '90d',
  take: (tokens, env) => {
    const first = (tokens[0]?.text ?? '').toLowerCase()
    if (first === 'forever' || first === 'none') return { value: first, used: 1 }
    const years = /^(\d{1,3})\s?y(ears?)?$/.exec(first)
    const whole = years ? { value: Number(years[1]) * year, used: 1 } : duration().take(tokens, env)
    if (isRefusal(whole)) return refuse('bad-duration', 'Expected a time such as 12h, 90d or 7y, or forever, or none.')
    if (whole.value < 3_600_000 || whole.value > longest)
      return refuse('out-of-range', 'A window is at least an hour and at most a hundred years.')
    return whole
  },
})
