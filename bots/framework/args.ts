import { readPatientCode } from '../../core/domain/care/patient.ts'
import { isRefusal, type Refusal, refuse } from '../../core/domain/refusal.ts'
import { type Role, roles } from '../../core/domain/roles.ts'
import { parsePhone } from '../../core/phone.ts'
import { parseBirthDate } from './birth-date.ts'
import { closest } from './near.ts'
import type { Token } from './tokens.ts'

/** What reading an argument needs to know: the clinic's country and day, and the homeserver's name for `ann` → `@ann:server`. */
export type Env = { country: string; today: string; serverName: string; source: string }

type Taken<T> = { value: T; used: number }

/** One argument of a command; `take` reads it from the front of the words left and says how many it used. */
export type Arg<T> = {
  /** How it stands in the usage line, e.g. `<number>`. */
  usage: string
  example: string
  take(tokens: readonly Token[], env: Env): Taken<T> | Refusal
  /** It follows this word: `dob 1980-02-01`. */
  named?: string
  optional?: true
  /** It takes everything that is left. */
  rest?: true
}
// biome-ignore lint/suspicious/noExplicitAny: the value's type is recovered by ValueOf
export type AnyArg = Arg<any>
export type ValueOf<A> = A extends Arg<infer T> ? T : never

/** One word through `read`. */
export const word = <T>(usage: string, example: string, read: (text: string, env: Env) => T | Refusal): Arg<T> => ({
  usage,
  example,
  take: ([first], env) => {
    const value = read(first?.text ?? '', env)
    return isRefusal(value) ? value : { value, used: 1 }
  },
})

/** As many words as look like parts of one value, at most `max`. */
const several = <T>(
  usage: string,
  example: string,
  { part, max }: { part: RegExp; max: number },
  read: (text: string, env: Env) => T | Refusal,
): Arg<T> => ({
  usage,
  example,
  take: (tokens, env) => {
    const end = tokens.slice(0, max).findIndex((t, i) => i > 0 && (t.quoted || !part.test(t.text)))
    const used = end < 0 ? Math.min(tokens.length, max) : end
    // The longest that can be read wins, so that "2 Feb 1980" is one date and a following number is not swallowed.
    const readings = Array.from({ length: used }, (_, i) => used - i).map(n => ({
      n,
      value: read(
        tokens
          .slice(0, n)
          .map(t => t.text)
          .join(' '),
        env,
      ),
    }))
    const good = readings.find(r => !isRefusal(r.value)) ?? readings[0]
    if (!good) return refuse('missing', `Expected ${usage}.`)
    return isRefusal(good.value) ? good.value : { value: good.value, used: good.n }
  },
})

/** A telephone number that can get texts, E.164. */
export const phone = (): Arg<string> =>
  several('<number>', '+1 202 555 0123', { part: /^[+\d().-]+$/, max: 8 }, (text, env) => {
    const parsed = parsePhone(text, env.country)
    return isRefusal(parsed) ? parsed : parsed.e164
  })

/** ISO date. */
export const birthDate = (): Arg<string> =>
  several('<date>', '1980-02-01', { part: /^[\p{L}\d.,/-]+$/u, max: 5 }, (text, env) => parseBirthDate(text, env.today))

/** `@ann:server`; `ann` and `@ann` are ours; a matrix.to link works too. */
export const userId = (): Arg<string> =>
  word('<user>', '@ann:clinic.example', (text, env) => {
    const link = /^https:\/\/matrix\.to\/#\/(@[^?]+)/.exec(text)?.[1]
    const plain = (link ? safeDecode(link) : text).replace(/[,;]$/, '')
    const whole = plain.includes(':') ? plain : `${plain.startsWith('@') ? '' : '@'}${plain}:${env.serverName}`
    return /^@[a-z0-9._=/+-]{1,200}:[a-z0-9.:[\]-]{1,200}$/.test(whole)
      ? whole
      : refuse('bad-user', 'That is not a Matrix user id; it looks like @ann:clinic.example.')
  })

export const safeDecode = (s: string): string => {
  try {
    return decodeURIComponent(s)
  } catch {
    return s
  }
}

export const patientCode = (): Arg<string> =>
  word(
    '<code>',
    'K7M-4QP',
    text => readPatientCode(text) ?? refuse('bad-code', "That is not a patient's code; it looks like K7M-4QP."),
  )

export const choice = <const T extends readonly string[]>(choices: T): Arg<T[number]> =>
  word<T[number]>(choices.join('|'), String(choices[0]), text => {
    const found = choices.find(c => c === text.toLowerCase())
    if (found) return found
    const near = closest(text, choices)
    return refuse('bad-choice', `Expected one of ${choices.join(', ')}${near ? `; did you mean ${near}?` : '.'}`)
  })

export const role = (): Arg<Role> => ({ ...choice(roles), usage: '<role>', example: 'clinician' })

export const integer = (min: number, max: number, usage = '<number>'): Arg<number> =>
  word(usage, String(Math.max(min, Math.min(max, 3))), text => {
    const plain = text.replace(/^#/, '')
    const ok = /^\d{1,9}$/.test(plain) && Number(plain) >= min && Number(plain) <= max
    return ok ? Number(plain) : refuse('bad-number', `Expected a whole number from ${min} to ${max}.`)
  })

const units: Record<string, number> = { m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 }

/** `30m`, `2h`, `3 days`; milliseconds. */
export const duration = (): Arg<number> =>
  several('<time>', '2h', { part: /^[a-z\d]+$/i, max: 2 }, text => {
    const m = /^(\d{1,6})\s?(m|h|d|w)(?:in|ins|inutes?|ours?|rs?|ays?|eeks?|k?s?)?$/i.exec(text)
    const ms = Number(m?.[1]) * (units[m?.[2]?.toLowerCase() ?? ''] ?? Number.NaN)
    return ms > 0 ? ms : refuse('bad-duration', 'Expected a time such as 30m, 2h or 3d.')
  })

/** One word or quoted phrase. */
export const phrase = (label: string, example: string, max = 100): Arg<string> =>
  word(`<${label}>`, /\s/.test(example) ? `"${example}"` : example, text =>
    text.trim() !== '' && text.length <= max && !/\p{Cc}/u.test(text)
      ? text.trim()
      : refuse('bad-text', `Expected 1 to ${max} characters on one line; put several words in quotes.`),
  )

/** Everything that is left, exactly as typed, without quotes around the whole. */
export const rest = (label: string, example: string, max = 1000): Arg<string> => ({
  usage: `<${label}>`,
  example,
  rest: true,
  take: (tokens, env) => {
    const [first, last] = [tokens[0], tokens.at(-1)]
    const whole = first && last ? env.source.slice(first.start, last.end) : ''
    const value = (tokens.length === 1 && first?.quoted ? first.text : whole).trim()
    if (value === '' && !first?.quoted) return refuse('missing', `<${label}> is missing.`)
    if (value.length > max) return refuse('too-long', `<${label}> has at most ${max} characters.`)
    return { value, used: tokens.length }
  },
})

/** The argument follows its name, in any order among the others. */
export const named = <T>(name: string, arg: Arg<T>): Arg<T> => ({
  ...arg,
  named: name,
  usage: `${name} ${arg.usage}`,
  example: `${name} ${arg.example}`,
})

export const optional = <T>(arg: Arg<T>): Arg<T | undefined> => ({ ...arg, optional: true, usage: `[${arg.usage}]` })
