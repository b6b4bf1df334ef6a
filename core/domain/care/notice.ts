import type { Instant } from '../clock.ts'

/** How far a clinician's message has come: the closed loop (rows 35, 36). Later states never fall back, except that `failed` may be mended by a later delivery. */
export const noticeStates = ['waiting', 'texted', 'delivered', 'opened', 'verified', 'read', 'answered'] as const
export type NoticeState = (typeof noticeStates)[number] | 'failed' | 'expired' | 'withdrawn'

export type Failure =
  | 'sms_failed'
  | 'stopped'
  | 'no_consent'
  | 'no_texts'
  | 'closed'
  | 'room_failed'
  | 'removed'
  | 'landline'
  | 'locked'
  | 'undecryptable'
  | 'not_me'
  | 'not_opened'
  | 'provider_down'
  | 'wrong_number'

const refusals: Record<string, Failure> = {
  stopped: 'stopped',
  landline: 'landline',
  'invalid-number': 'wrong_number',
  'no-consent': 'no_consent',
  preference: 'no_texts',
  closed: 'closed',
  failed: 'room_failed',
  removed: 'removed',
}

/** Why a text was not sent, as the closed loop names it, from the code of the refusal (core/store/texts/text-rules.ts). @throws for a code that is none of them. */
export const failureOfRefusal = (code: string): Failure => {
  const failure = Object.hasOwn(refusals, code) ? refusals[code] : undefined
  if (!failure) throw new Error(`the closed loop has no name for the refusal ${code}`)
  return failure
}

export type NoticeSignal =
  | { kind: 'texted' | 'delivered' | 'opened' | 'verified' | 'read' | 'answered' | 'withdrawn' | 'expired' }
  | { kind: 'failed'; failure: Failure }

/** The reaction that the room sees for a state; keys only, no words (row 30). */
export const marks: Partial<Record<NoticeState, string>> = {
  texted: '📤',
  delivered: '📱',
  opened: '👀',
  verified: '🔓',
  failed: '⚠️',
  expired: '⌛',
}

/**
 * Marks that a later one makes needless wait this long (ms): where the text, its report and the tap come within a moment, the room gets one reaction
 * instead of three, and the homeserver a third of the work.
 */
export const markDelay: Partial<Record<NoticeState, number>> = { texted: 1000, delivered: 1000 }

/** Does the message stand further by now than this mark says, so that the mark is not worth a reaction any more? */
export const isOvertaken = (mark: string, state: NoticeState): boolean => {
  const of = noticeStates.find(s => marks[s] === mark)
  return of !== undefined && markDelay[of] !== undefined && marks[state] !== undefined && rank(state) > rank(of)
}

export type NoticeRow = { state: NoticeState; failure: Failure | null; reminders: number; nextAt: Instant | null }

const rank = (s: NoticeState): number => (noticeStates as readonly string[]).indexOf(s)

/** Is the loop closed, so that neither a reminder nor a task is due any more? */
export const isClosed = (s: NoticeState): boolean =>
  s === 'read' || s === 'answered' || s === 'withdrawn' || s === 'expired'

/** A failure of the way to the patient, which a delivery report that comes late has mended; the others stay until the patient does something. */
const mendedByDelivery: readonly (Failure | null)[] = ['sms_failed', 'provider_down', 'not_opened', null]

/** The state after a signal, `failure` being why it is `failed`; the same state when the signal tells nothing new (webhooks come late, twice and out of order). */
export const advance = (state: NoticeState, signal: NoticeSignal, failure: Failure | null = null): NoticeState => {
  if (signal.kind === 'withdrawn') return isClosed(state) ? state : 'withdrawn'
  if (signal.kind === 'failed')
    return rank(state) >= rank('opened') &&
      signal.failure !== 'locked' &&
      signal.failure !== 'undecryptable' &&
      signal.failure !== 'not_me'
      ? state
      : isClosed(state)
        ? state
        : 'failed'
  if (signal.kind === 'expired') return isClosed(state) || state === 'failed' ? state : 'expired'
  if (state === 'failed') {
    const mends =
      rank(signal.kind) >= rank('opened') || (signal.kind === 'delivered' && mendedByDelivery.includes(failure))
    return mends ? signal.kind : state
  }
  // Only the patient's own step, by a link asked for anew, opens an expired loop again; a late receipt does not.
  if (state === 'expired') return rank(signal.kind) >= rank('opened') ? signal.kind : state
  if (state === 'withdrawn') return state
  return rank(signal.kind) > rank(state) ? signal.kind : state
}
