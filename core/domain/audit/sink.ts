import { type Instant, minutes, seconds } from '../clock.ts'

/** What a sink's row says about how it is. `cursor`: the first entry that its receiver has not settled. */
export type SinkFacts = { paused: boolean; tries: number; lagEntries: number; lagMs: number }
export type SinkState = 'ok' | 'behind' | 'failing' | 'paused'

/** Behind: its oldest unsent entry is older than a minute, although nothing fails. */
export const sinkState = (s: SinkFacts): SinkState => {
  if (s.paused) return 'paused'
  if (s.tries > 0) return 'failing'
  return s.lagEntries > 0 && s.lagMs > minutes(1) ? 'behind' : 'ok'
}

/** How many entries a receiver may refuse one after the other before it is the receiver that is taken to be wrong, and entries wait instead of being set aside. */
export const refusedInARow = 20

/** At most so many sinks, because each may hold a connection to the database while its receiver is slow. */
export const maxSinks = 16

export const badSinkName = "A sink's name has at most 31 small letters, digits and dashes, and begins with a letter."
export const isSinkName = (name: string): boolean => /^[a-z][a-z0-9-]{0,30}$/.test(name)

/** When to try again: a doubling wait from 1 s to 5 min, spread from half to one and a half (`spread` is 0 to 1), and never before the receiver asked for. */
export const retryAt = (now: Instant, tries: number, spread: number, asked = 0): Instant => {
  const wait = Math.min(minutes(5), seconds(1) * 2 ** Math.min(tries, 20))
  return Math.round(now + Math.max(wait * (0.5 + spread), Math.min(asked, minutes(15))))
}

/** Who asked the audit process for something by a command, and where the answer goes: payload of the jobs `sink.types`, `sink.test`, `sink.add` of the queue `audit`. */
export type SinkAsk = { by: { userId: string; deviceId: string }; room: string; thread: string; eventId: string }
export type SinkTestJob = SinkAsk & { name: string }
/** `options` as typed; they may hold secrets, and job payloads are sealed. `fromNow`: without what the log holds already. */
export type SinkAddJob = SinkTestJob & {
  type: string
  target: string
  options: Record<string, string>
  identify: boolean
  fromNow: boolean
}
