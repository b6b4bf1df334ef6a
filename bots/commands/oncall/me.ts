import { minutes, seconds } from '../../../core/domain/clock.ts'
import type { Rung, Way } from '../../../core/domain/oncall/paging/ladder.ts'
import { priorities } from '../../../core/domain/oncall/paging/priority.ts'
import { minuteOfDay, showTime } from '../../../core/domain/oncall/words/time-words.ts'
import { isRefusal, type Refusal, refuse } from '../../../core/domain/refusal.ts'
import { worldZones as zones } from '../../../core/oncall/zones.ts'
import { last2 } from '../../../core/phone.ts'
import { type OnCallPerson, onCallPerson, putOnCallPerson, rungsOf } from '../../../core/store/oncall/people.ts'
import { type Answer, answer, fields } from '../../framework/answer.ts'
import { type Arg, choice, phone, phrase, word } from '../../framework/args.ts'
import { type CommandContext, command } from '../../framework/command.ts'
import { staff, timeIn, words } from './args.ts'

const wait = (ms: number): string => (ms % 60_000 === 0 ? `${ms / 60_000}m` : `${Math.round(ms / 1000)}s`)

const ladderWords = (rungs: readonly Rung[]): string =>
  rungs.map((r, i) => (i === rungs.length - 1 ? r.way : `${r.way} ${wait(r.waitMs)}`)).join(', then ')

const quietWords = ({ doNotDisturb: { hours, until } }: OnCallPerson, now: number, zone: string): string =>
  [
    hours ? `${hours.from}:00 to ${hours.to}:00 (${hours.timeZone})` : 'none',
    ...(until !== null && until > now ? [`and until ${showTime(until, zone, zones)} (${zone})`] : []),
  ].join(' ')

const shown = ({ tx, settings }: CommandContext, p: OnCallPerson): Answer =>
  answer(
    fields(
      ['You', p.name ? `${p.name} (${p.userId})` : p.userId],
      ['Telephone', p.phone ? `ends in ${last2(p.phone)}` : 'none: texts and calls cannot reach you'],
      ['E-mail in schedules', p.emails.join(', ') || 'none'],
      ['Language', p.lang],
      ['Do not disturb', quietWords(p, tx.now, settings['clinic.time_zone'])],
      ...priorities.map(priority => [`Page, ${priority}`, ladderWords(rungsOf(p, priority))] as const),
    ),
    'Stat pages reach you in spite of do-not-disturb.',
  )

const put = async (
  context: CommandContext,
  change: Parameters<typeof putOnCallPerson>[2],
): Promise<Answer | Refusal> => {
  const { userId } = context.sender
  const done = await putOnCallPerson(context.tx, userId, change, userId)
  return isRefusal(done) ? done : shown(context, done)
}

export const oncallMe = command({
  words: ['oncall', 'me'],
  needs: staff,
  args: {},
  help: 'How you are reached when you are on call.',
  views: 'oncall.view',
  run: async context => shown(context, await onCallPerson(context.tx, context.sender.userId)),
})

/** A number, or `none`. */
const phoneArg = (): Arg<string | null> => {
  const number = phone()
  return {
    ...number,
    take: (tokens, env) =>
      /^none$/i.test(tokens[0]?.text ?? '') ? { value: null, used: 1 } : number.take(tokens, env),
  }
}

export const oncallMePhone = command({
  words: ['oncall', 'me', 'phone'],
  needs: staff,
  args: { phone: phoneArg() },
  help: 'The telephone at which you are paged, or none. Texts and calls say only that there is a page.',
  phi: true,
  run: (context, { phone: number }) => put(context, { phone: number }),
})

/** An address, or `none`. */
const emailArg = (): Arg<string | null> =>
  word('<address>', 'ann.lee@clinic.example', text => {
    if (/^none$/i.test(text)) return null
    return /^[\w.+-]{1,64}@[\w-]+(\.[\w-]+){1,8}$/.test(text) && text.length <= 200
      ? text.toLowerCase()
      : refuse('bad-email', 'That is not an e-mail address; write one, or none.')
  })

export const oncallMeEmail = command({
  words: ['oncall', 'me', 'email'],
  needs: staff,
  args: { email: emailArg() },
  help: 'Your e-mail address as schedules from elsewhere have it, so that imports know you, or none. Nothing is ever sent to it.',
  phi: true,
  run: (context, { email }) => put(context, { emails: email === null ? [] : [email] }),
})

export const oncallMeName = command({
  words: ['oncall', 'me', 'name'],
  needs: staff,
  args: { name: phrase('name', 'Ann Lee', 80) },
  help: 'Your name as schedules from elsewhere write it, so that imports know you.',
  run: (context, { name }) => put(context, { name }),
})

export const oncallMeLanguage = command({
  words: ['oncall', 'me', 'language'],
  needs: staff,
  args: { lang: choice(['en', 'es']) },
  help: 'The language of texts and calls to you.',
  run: (context, { lang }) => put(context, { lang }),
})

/** `22:00-07:00` in whole hours. */
const quietHours = (text: string): { from: number; to: number } | undefined => {
  const hour = (t: string) => {
    const m = minuteOfDay(/^\d{1,2}$/.test(t) ? `${t}:00` : t)
    return m === undefined || m % 60 !== 0 ? undefined : m / 60
  }
  const [from, to, more] = text.toLowerCase().split(/\s*-\s*/)
  const [a, b] = [hour(from ?? ''), hour(to ?? '')]
  return a === undefined || b === undefined || more !== undefined || a % 24 === b % 24
    ? undefined
    : { from: a % 24, to: b % 24 }
}

export const oncallMeQuiet = command({
  words: ['oncall', 'me', 'quiet'],
  needs: staff,
  args: { hours: words('hours', '22:00-07:00') },
  help: 'When texts and calls for pages that are not stat do not disturb you: 22:00-07:00 every day, for 2h, until friday 18:00, or off.',
  detail:
    'Hours are the clinic’s time. A message in the chat always comes. What is held goes out when the quiet ends, if the page still wants you.',
  run: async (context, { hours: text }) => {
    const { tx, settings, sender } = context
    const timeZone = settings['clinic.time_zone']
    const { doNotDisturb } = await onCallPerson(tx, sender.userId)
    if (/^(off|none)$/i.test(text)) return put(context, { doNotDisturb: { hours: null, until: null } })
    const pause = /^(for|until)\s+(.+)$/i.exec(text)
    if (pause) {
      const until = timeIn(pause[1]?.toLowerCase() === 'for' ? `in ${pause[2]}` : (pause[2] ?? ''), timeZone, tx.now)
      if (isRefusal(until)) return until
      if (until <= tx.now) return refuse('in-the-past', 'That time has passed.')
      if (until > tx.now + minutes(60 * 24 * 31))
        return refuse('too-long', 'A pause lasts at most a month; for longer: !oncall absent.')
      return put(context, { doNotDisturb: { ...doNotDisturb, until } })
    }
    const hours = quietHours(text)
    if (!hours) return refuse('bad-hours', 'Write whole hours like 22:00-07:00, or for 2h, until friday 18:00, or off.')
    return put(context, { doNotDisturb: { ...doNotDisturb, hours: { ...hours, timeZone } } })
  },
})

const ways: readonly string[] = ['matrix', 'sms', 'voice'] satisfies Way[]

/** `matrix 1m, sms 2m, voice`: each way, and how long it waits for an answer before the next. */
export const parseLadder = (text: string): Rung[] | Refusal => {
  const wrong = refuse(
    'bad-ladder',
    'Write the ways in their order, with the time before the next: matrix 1m, sms 2m, voice.',
  )
  const rungs: Rung[] = []
  for (const part of text.toLowerCase().split(/\s*(?:,|→|->|then)\s*/)) {
    const m = /^(matrix|chat|sms|text|voice|call)(?:\s+(\d{1,4})\s?(s|m)\w*)?$/.exec(part.trim())
    if (!m) return wrong
    const way = m[1] === 'chat' ? 'matrix' : m[1] === 'text' ? 'sms' : m[1] === 'call' ? 'voice' : m[1]
    if (!ways.includes(way ?? '')) return wrong
    const n = Number(m[2] ?? 0)
    rungs.push({ way: way as Way, waitMs: m[3] === 's' ? seconds(n) : minutes(n) })
  }
  return rungs
}

export const oncallMeLadder = command({
  words: ['oncall', 'me', 'ladder'],
  needs: staff,
  args: { priority: choice(priorities), ways: words('ways', 'matrix 1m, sms 2m, voice') },
  help: 'In which order, and how soon one after the other, a page of a priority tries to reach you; "default" for what is usual.',
  run: async (context, { priority, ways: text }) => {
    const { ladder } = await onCallPerson(context.tx, context.sender.userId)
    if (/^default$/i.test(text)) {
      const { [priority]: _, ...others } = ladder ?? {}
      return put(context, { ladder: Object.keys(others).length === 0 ? null : others })
    }
    const rungs = parseLadder(text)
    return isRefusal(rungs) ? rungs : put(context, { ladder: { ...ladder, [priority]: rungs } })
  },
})
