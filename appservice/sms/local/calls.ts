import { randomBytes } from 'node:crypto'
import type { Clock } from '../../../core/domain/clock.ts'
import type { Log } from '../../../core/log.ts'
import type { Secret } from '../../../core/secret.ts'
import type { Behaviour } from './behaviours.ts'
import { signedPost, waiter } from './signed-post.ts'

export type CallStatus = 'queued' | 'ringing' | 'in-progress' | 'completed' | 'busy' | 'no-answer' | 'canceled'
/** A call as the provider and the telephone have it; `said`: what was read to whoever picked up. */
export type LocalCall = {
  sid: string
  to: string
  from: string
  status: CallStatus
  createdAt: number
  url: string
  callback: string | null
  /** Is the beginning reported too, not only the end? */
  early: boolean
  said: string[]
}

export type Calls = {
  list(): readonly LocalCall[]
  find(sid: string): LocalCall | undefined
  /** Dials; `timeoutMs`: how long it rings. */
  dial(
    call: Pick<LocalCall, 'to' | 'from' | 'url' | 'callback' | 'early'>,
    behaviour: Behaviour,
    timeoutMs: number,
  ): LocalCall
  /** Whoever holds the telephone picks up and presses these keys, one for each question. False when it does not ring. */
  pickUp(sid: string, digits: string): boolean
  /** The caller hangs up. False when it is over already. */
  hangUp(sid: string): boolean
  stop(): Promise<void>
}

const plain = (s: string) => s.replace(/&#(\d+);/g, (_, n) => String.fromCharCode(Number(n)))
const attribute = (xml: string, tag: string, name: string): string | undefined => {
  const found = new RegExp(`<${tag}\\b[^>]*\\b${name}="([^"]*)"`).exec(xml)?.[1]
  return found === undefined ? undefined : plain(found)
}
const saidIn = (xml: string): string[] => [...xml.matchAll(/<Say\b[^>]*>([^<]*)<\/Say>/g)].map(m => plain(m[1] ?? ''))
const ended = new Set<CallStatus>(['completed', 'busy', 'no-answer', 'canceled'])

/** The part of the telephone network that carries calls: rings, follows the TwiML that Wardroom uses (Say, Gather, Redirect, Hangup), reports the end. */
export const startCalls = (o: {
  accountSid: string
  authToken: Secret
  clock: Clock
  stepMs: number
  log: Log
}): Calls => {
  const list: LocalCall[] = []
  const stopping = new AbortController()
  const wait = waiter(stopping.signal)
  const post = signedPost({ ...o, stopping: stopping.signal, wait })
  const tasks = new Set<Promise<unknown>>()
  const pickedUp = new Map<string, (digits: string | null) => void>()
  const run = (work: () => Promise<void>) => {
    const task: Promise<unknown> = work()
      .catch(err => o.log.error({ code: (err as Error).name }, 'the local telephone network broke down'))
      .finally(() => tasks.delete(task))
    tasks.add(task)
  }
  const form = (c: LocalCall) => ({
    AccountSid: o.accountSid,
    ApiVersion: '2010-04-01',
    CallSid: c.sid,
    CallStatus: c.status,
    Direction: 'outbound-api',
    To: c.to,
    From: c.from,
  })
  const finish = async (c: LocalCall, status: CallStatus) => {
    if (ended.has(c.status)) return
    c.status = status
    if (c.callback) await post(c.callback, form(c))
  }
  const ask = async (c: LocalCall, url: string, more: Record<string, string> = {}): Promise<string> => {
    const xml = (await post(url, { ...form(c), ...more })) ?? ''
    c.said.push(...saidIn(xml))
    return xml
  }
  /** Somebody listens to what is read, and presses a key at each question while there are any. */
  const talk = async (c: LocalCall, digits: string) => {
    c.status = 'in-progress'
    const keys = [...digits]
    let xml = await ask(c, c.url)
    for (let turn = 0; turn < 10 && !ended.has(c.status) && !stopping.signal.aborted; turn++) {
      const key = keys.shift()
      const action = attribute(xml, 'Gather', 'action')
      const onwards = /<Redirect\b[^>]*>([^<]*)<\/Redirect>/.exec(xml)?.[1]
      if (action !== undefined && key !== undefined)
        xml = await ask(c, new URL(action, c.url).toString(), { Digits: key })
      else if (onwards !== undefined) xml = await ask(c, new URL(plain(onwards), c.url).toString())
      else break
    }
    await finish(c, 'completed')
  }
  const ring = async (c: LocalCall, behaviour: Behaviour, timeoutMs: number) => {
    await wait(o.stepMs)
    if (c.callback && c.early) await post(c.callback, { ...form(c), CallStatus: 'initiated' })
    if (ended.has(c.status) || stopping.signal.aborted) return
    c.status = 'ringing'
    if (behaviour === 'busy') return finish(c, 'busy')
    if (behaviour === 'no_answer') return finish(c, 'no-answer')
    if (behaviour === 'presses_1' || behaviour === 'presses_2') return talk(c, behaviour.slice(-1))
    if (behaviour === 'voicemail') return talk(c, '')
    const answered = new Promise<string | null>(done => pickedUp.set(c.sid, done))
    const digits = await Promise.race([answered, wait(timeoutMs).then(() => null)])
    pickedUp.delete(c.sid)
    if (stopping.signal.aborted) return
    return digits === null ? finish(c, 'no-answer') : talk(c, digits)
  }
  return {
    list: () => list,
    find: sid => list.find(c => c.sid === sid),
    dial: (call, behaviour, timeoutMs) => {
      const c: LocalCall = {
        ...call,
        sid: `CA${randomBytes(16).toString('hex')}`,
        status: 'queued',
        createdAt: o.clock.now(),
        said: [],
      }
      list.push(c)
      if (list.length > 2000) list.shift()
      run(() => ring(c, behaviour, timeoutMs))
      return c
    },
    pickUp: (sid, digits) => {
      const answer = pickedUp.get(sid)
      answer?.(digits)
      return answer !== undefined
    },
    hangUp: sid => {
      const c = list.find(one => one.sid === sid)
      if (!c || ended.has(c.status)) return false
      run(() => finish(c, c.status === 'in-progress' ? 'completed' : 'canceled'))
      pickedUp.get(sid)?.(null)
      return true
    },
    stop: async () => {
      stopping.abort()
      await Promise.allSettled(tasks)
    },
  }
}
