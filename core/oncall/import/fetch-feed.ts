import { lookup as resolveName } from 'node:dns'
import { get as getPlain, type IncomingMessage } from 'node:http'
import { get as getSecure } from 'node:https'
import type { LookupFunction } from 'node:net'
import { seconds } from '../../domain/clock.ts'
import { isRefusal } from '../../domain/refusal.ts'
import { decodeText } from '../calendar/decode.ts'
import { calendarLimits } from '../calendar/ical/read-calendar.ts'
import { isInside, isOwnHost, readFeedAddress } from './feed-address.ts'

/** What a source answered: its text, or why there is none; `waitMs`: it asked not to be asked before. */
export type FeedAnswer =
  | { kind: 'text'; text: string }
  | { kind: 'failed'; code: string; sentence: string; waitMs?: number }

export type FetchLimits = { bytes: number; deadlineMs: number; redirects: number }
const usual: FetchLimits = { bytes: calendarLimits.bytes, deadlineMs: seconds(15), redirects: 3 }

class InsideAddress extends Error {}

/** Looks at every address of a name before one is connected to: a name of the outside that points into our network is not asked. */
const outsideOnly: LookupFunction = (name, options, done) => {
  resolveName(name, { ...options, all: true }, (error, found) => {
    if (error) return done(error, '', 0)
    const first = found[0]
    if (!first || found.some(a => isInside(a.address))) return done(new InsideAddress('an address inside'), '', 0)
    if (options.all) return done(null, found)
    done(null, first.address, first.family)
  })
}

const failed = (code: string, sentence: string, waitMs?: number): FeedAnswer => ({
  kind: 'failed',
  code,
  sentence,
  ...(waitMs === undefined ? {} : { waitMs }),
})

const connect = (url: URL, own: boolean, signal: AbortSignal): Promise<IncomingMessage> => {
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>()
  const get = url.protocol === 'https:' ? getSecure : getPlain
  const headers = {
    accept: 'text/calendar, text/csv, */*;q=0.5',
    'accept-encoding': 'identity',
    'user-agent': 'Wardroom',
  }
  get(url, { signal, headers, agent: false, ...(own ? {} : { lookup: outsideOnly }) }, resolve).once('error', reject)
  return promise
}

/** Reads at most `bytes`, whatever the length says. */
const bodyOf = async (answer: IncomingMessage, bytes: number): Promise<string | undefined> => {
  const parts: Buffer[] = []
  let size = 0
  for await (const part of answer as AsyncIterable<Buffer>) {
    size += part.length
    if (size > bytes) return undefined
    parts.push(part)
  }
  return decodeText(Buffer.concat(parts))
}

/** Seconds or a date (RFC 9110 10.2.3), in ms; at most a day. */
const retryAfter = (answer: IncomingMessage, now: number): number | undefined => {
  const said = answer.headers['retry-after']
  if (said === undefined) return undefined
  const ms = /^\d{1,9}$/.test(said) ? Number(said) * 1000 : Date.parse(said) - now
  return Number.isFinite(ms) ? Math.max(0, Math.min(ms, 86_400_000)) : undefined
}

/**
 * Asks a source for its text, bounded in time, size and redirects; each address on the way keeps to the rules of `readFeedAddress`. Sentences never hold the address,
 * which may be secret. `now` is for a date in Retry-After.
 */
export const fetchFeed = async (
  address: string,
  { ownHosts, now, limits = usual }: { ownHosts: readonly string[]; now: number; limits?: FetchLimits },
): Promise<FeedAnswer> => {
  const signal = AbortSignal.timeout(limits.deadlineMs)
  let next = address
  try {
    for (let i = 0; i <= limits.redirects; i++) {
      const url = readFeedAddress(next, ownHosts)
      if (isRefusal(url)) return failed(url.code, url.sentence)
      const answer = await connect(url, isOwnHost(url, ownHosts), signal)
      const status = answer.statusCode ?? 0
      if (status >= 300 && status < 400 && answer.headers.location !== undefined) {
        answer.destroy()
        if (!URL.canParse(answer.headers.location, url.href))
          return failed('bad-answer', 'The source points to no address.')
        next = new URL(answer.headers.location, url.href).href
        continue
      }
      if (status !== 200) {
        answer.destroy()
        const wait = status === 429 || status === 503 ? retryAfter(answer, now) : undefined
        const more = status === 429 ? ' It wants to be asked less often: give a longer "every".' : ''
        return failed(`http-${status}`, `The source answered ${status}.${more}`, wait)
      }
      const text = await bodyOf(answer, limits.bytes)
      return text === undefined
        ? failed('too-large', `The source has more than ${Math.round(limits.bytes / 1024)} KiB and is not read.`)
        : { kind: 'text', text }
    }
    return failed('redirects', 'The source points from one address to another without end.')
  } catch (error) {
    if (error instanceof InsideAddress)
      return failed('inside-address', 'The source’s name points into your own network.')
    if (signal.aborted) return failed('too-slow', 'The source did not answer in time.')
    const { code } = error as NodeJS.ErrnoException
    // Anything without a code is a bug of ours.
    if (typeof code !== 'string') throw error
    return failed('unreachable', `The source cannot be reached (${code.slice(0, 40)}).`)
  }
}
