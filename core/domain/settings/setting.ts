import { isRefusal, type Refusal, refuse } from '../refusal.ts'

/** How one setting's value is read from what an administrator typed, read back from the database, and shown. */
export type Kind<T> = {
  /** What may be typed, for help and refusals. */
  expects: string
  example: string
  parse(text: string): T | Refusal
  /** The value of a stored JSON, or undefined when this version cannot use it. */
  revive(json: unknown): T | undefined
  show(value: T): string
}

/** A setting that chat may change. Sensitive ones want a second administrator. */
export type Setting<T> = { kind: Kind<T>; unit?: string; default: T; help: string; affects: string; sensitive?: true }

export const setting = <T>(s: Setting<T>): Setting<T> => s

const no = (expects: string) => refuse('bad-value', `Expected ${expects}.`)
const isText = (json: unknown): json is string => typeof json === 'string'

/** A kind whose stored form is what its own `show` prints: reviving is parsing again, so a rule that was tightened later also holds for old values. */
const textual = <T>(
  expects: string,
  example: string,
  parse: (text: string) => T | undefined,
  show: (v: T) => string,
): Kind<T> => ({
  expects,
  example,
  parse: text => parse(text.trim()) ?? no(expects),
  revive: json => (isText(json) ? parse(json.trim()) : undefined),
  show,
})

/** One line of words; no control characters. */
export const words = (max: number, example: string, min = 1): Kind<string> =>
  textual(
    `${min === 0 ? 'at most' : `${min} to`} ${max} characters on one line${min === 0 ? ', or "" for none' : ''}`,
    example,
    t => (t.length >= min && t.length <= max && !/\p{Cc}/u.test(t) ? t : undefined),
    v => v,
  )

export const whole = (min: number, max: number): Kind<number> =>
  textual(
    `a whole number from ${min} to ${max}`,
    String(min),
    t => (/^\d{1,9}$/.test(t) && Number(t) >= min && Number(t) <= max ? Number(t) : undefined),
    String,
  )

export const yesNo: Kind<boolean> = textual(
  'yes or no',
  'yes',
  t => (/^(yes|on|true)$/i.test(t) ? true : /^(no|off|false)$/i.test(t) ? false : undefined),
  v => (v ? 'yes' : 'no'),
)

export const oneOf = <const T extends readonly string[]>(choices: T): Kind<T[number]> =>
  textual<T[number]>(
    `one of ${choices.join(', ')}`,
    String(choices[0]),
    t => choices.find(c => c === t.toLowerCase()),
    v => v,
  )

export const matching = (expects: string, example: string, ok: (text: string) => boolean): Kind<string> =>
  textual(
    expects,
    example,
    t => (ok(t) ? t : undefined),
    v => v,
  )

/** Several values of one kind, typed with `separator` (commas by default; `|` where the values are sentences). `none` for an empty list. */
export const listOf = <T>(
  kind: Kind<T>,
  { min = 0, max, separator = ',' }: { min?: number; max: number; separator?: ',' | '|' },
): Kind<T[]> => {
  const show = (v: T[]) => (v.length === 0 ? 'none' : v.map(kind.show).join(separator === ',' ? ', ' : ' | '))
  const parse = (text: string): T[] | undefined => {
    const parts = /^(none|"")?$/i.test(text) ? [] : text.split(separator).map(p => kind.parse(p))
    const values = parts.filter((p): p is Exclude<typeof p, Refusal> => !isRefusal(p))
    const distinct = new Set(values.map(kind.show)).size === values.length
    return values.length === parts.length && distinct && values.length >= min && values.length <= max
      ? values
      : undefined
  }
  const expects = `${min} to ${max} values separated by "${separator}", each ${kind.expects}${min === 0 ? '; or none' : ''}`
  return textual(expects, kind.example, parse, show)
}

/** A kind with one more rule over the whole value. */
export const where = <T>(kind: Kind<T>, rule: (value: T) => boolean, sentence: string): Kind<T> => ({
  ...kind,
  expects: `${kind.expects}; ${sentence}`,
  parse: text => {
    const v = kind.parse(text)
    return isRefusal(v) || rule(v) ? v : refuse('bad-value', `This is not allowed: ${sentence}.`)
  },
  revive: json => {
    const v = kind.revive(json)
    return v !== undefined && rule(v) ? v : undefined
  },
})
