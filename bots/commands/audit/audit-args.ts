import { addDays, isDay, isMonth, type Period, startOfDay } from '../../../core/domain/audit/period.ts'
import { readPatientCode } from '../../../core/domain/care/patient.ts'
import type { Instant } from '../../../core/domain/clock.ts'
import { isRefusal, refuse } from '../../../core/domain/refusal.ts'
import { type Arg, duration, integer, named, optional, safeDecode, userId, word } from '../../framework/args.ts'

/** A day of the clinic's, or a time so many milliseconds ago. */
export type Moment = { day: string } | { ago: number }

/** `2026-11-01`, `today`, `yesterday`, `7d` ago. */
export const moment = (): Arg<Moment> => ({
  usage: '<date or 7d>',
  example: '7d',
  take: (tokens, env) => {
    const first = tokens[0]?.text.toLowerCase() ?? ''
    const day = first === 'today' ? env.today : first === 'yesterday' ? addDays(env.today, -1) : first
    if (isDay(day)) return { value: { day }, used: 1 }
    const taken = duration().take(tokens, env)
    if (isRefusal(taken))
      return refuse('bad-date', 'Expected a day such as 2026-11-01, today, yesterday, or a time ago such as 7d or 12h.')
    return { value: { ago: taken.value }, used: taken.used }
  },
})

export const sinceArg = () => optional(named('since', moment()))
export const untilArg = () => optional(named('until', { ...moment(), example: 'today' }))
/** Only entries with a smaller number: the next page of a timeline. */
export const beforeArg = () => optional(named('before', { ...integer(1, 999_999_999, '<no.>'), example: '1200' }))

/** The instants between which entries are wanted; a day counts from its beginning, and as `until` to its end. */
export const between = (
  { since, until }: { since?: Moment; until?: Moment },
  now: Instant,
  timeZone: string,
): Partial<Period> => ({
  ...(since ? { from: 'day' in since ? startOfDay(since.day, timeZone) : now - since.ago } : {}),
  ...(until ? { until: 'day' in until ? startOfDay(addDays(until.day, 1), timeZone) : now - until.ago } : {}),
})

/** A month such as `2026-11`; `11` and `november` are the latest one of that name. */
export const monthArg = (): Arg<string | undefined> =>
  optional({
    ...word('<month>', '2026-11', (text, env) => {
      const names = 'january february march april may june july august september october november december'.split(' ')
      const typed = text.toLowerCase()
      const named = typed.length >= 3 ? names.findIndex(name => name.startsWith(typed)) + 1 : 0
      const number = named > 0 ? named : /^\d{1,2}$/.test(typed) ? Number(typed) : 0
      const pad = String(number).padStart(2, '0')
      const year = Number(env.today.slice(0, 4)) - (pad > env.today.slice(5, 7) ? 1 : 0)
      const month = number > 0 ? `${year}-${pad}` : typed
      if (!isMonth(month) || month < '2000') return refuse('bad-month', 'Expected a month such as 2026-11 or november.')
      if (month > env.today.slice(0, 7)) return refuse('future', `${month} has not begun yet.`)
      return month
    }),
    usage: '<month>',
  })

/** An entry by its number, or a commitment as entries show it (43 characters). */
export type Named = { entry: number } | { ref: string }

const readNamed = (text: string): Named | undefined => {
  const entry = /^#(\d{1,12})$/.exec(text)
  if (entry) return { entry: Number(entry[1]) }
  return /^[A-Za-z0-9_-]{43}$/.test(text) ? { ref: text } : undefined
}

const link = /^https:\/\/matrix\.to\/#\/([^?]+)/
const roomIn = (text: string): string | undefined => {
  const typed = link.exec(text)?.[1]
  const room = typed ? safeDecode(typed) : text
  return /^![^\s:]{1,200}(:[a-z0-9.:[\]-]{1,200})?$/i.test(room) ? room : undefined
}

export const patientSubject = (): Arg<{ code: string } | Named> =>
  word('<code>', 'K7M-4QP', text => {
    const code = readPatientCode(text)
    if (code) return { code }
    return (
      readNamed(text) ??
      refuse('bad-patient', "Expected a patient's code such as K7M-4QP, or an entry about the patient such as #1234.")
    )
  })

export const roomSubject = (): Arg<{ room: string } | { code: string } | Named> =>
  word('<room>', '!abcdef:clinic.example', text => {
    const room = roomIn(text)
    if (room) return { room }
    const code = readPatientCode(text)
    if (code) return { code }
    return (
      readNamed(text) ??
      refuse('bad-room', "Expected a room such as !abcdef:clinic.example, a patient's code, or an entry such as #1234.")
    )
  })

export const linkSubject = (): Arg<{ link: string } | Named> =>
  word('<link>', '#1234', text => {
    if (/^ln_[0-9a-z]{16}$/.test(text)) return { link: text }
    return readNamed(text) ?? refuse('bad-link', 'Expected an entry about the link such as #1234, or its id (ln_…).')
  })

/** A member of staff; `me` is whoever asks. */
export const staffSubject = (): Arg<string> => {
  const user = userId()
  return {
    ...user,
    usage: '<user>|me',
    take: (tokens, env) => (tokens[0]?.text.toLowerCase() === 'me' ? { value: 'me', used: 1 } : user.take(tokens, env)),
  }
}

/** For `!audit reveal`: the number may stand without #. */
export const namedSubject = (): Arg<Named> =>
  word('<entry no.>', '#1234', text => {
    const plain = /^\d{1,12}$/.test(text) ? `#${text}` : text
    return readNamed(plain) ?? refuse('bad-entry', "Expected an entry's number such as #1234, or a commitment.")
  })
