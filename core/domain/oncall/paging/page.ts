import type { Instant } from '../../clock.ts'
import type { Ladder, Rung, Way } from './ladder.ts'
import type { Fallback, Plan, Target } from './policy.ts'
import type { Priority } from './priority.ts'

/** A person who was called about a page. `ignored`: did not answer in time, may still do so. `released`: it was taken by another. */
export type Asked = {
  person: string
  state: 'asked' | 'ignored' | 'declined' | 'unreachable' | 'accepted' | 'released'
  ladder: Ladder
  /** Called as the named fallback: nothing comes after them, so do-not-disturb does not hold. */
  last: boolean
}

/**
 * `asking`: the misdirection guard has asked the sender. `held`: waits for a digest or the end of a burst, never stat. `open`: somebody is being called.
 * `exhausted`: the named fallback was called and the sender told. An accepted page may be handed over, and stays accepted meanwhile.
 */
export type Phase = 'asking' | 'held' | 'open' | 'accepted' | 'exhausted' | 'resolved'

/** A page's whole life as plain data (JSON): the store keeps it as it is, with `nextDue` beside it. Times are instants; nothing else keeps time. */
export type Page = {
  id: string
  /** Short reference, the same in every message and every duplicate: `7Q4K`. */
  ref: string
  priority: Priority
  /** Who is told. The first wrote the page; the others sent duplicates. */
  senders: readonly string[]
  /** How many messages or alarms this page stands for. */
  count: number
  plan: Plan
  phase: Phase
  /** When it was last looked at: an instant in the future tells that the clock has gone back since. */
  at: Instant
  /** When the phase itself has something to do. */
  dueAt: Instant | null
  /** When a held page is to begin. */
  startAt: Instant | null
  step: number
  round: number
  /** Turns of this round that are still to come. */
  queue: readonly (readonly string[])[]
  /** Whose answer is waited for. */
  current: readonly string[]
  asked: readonly Asked[]
  acceptedBy: readonly string[]
  handover: { from: string; to: readonly string[] } | null
  guard: Guard | null
  /** The key of the call to a fallback line. */
  lineKey: string | null
  /** How many contacts were made: gives each its key. */
  contacts: number
}

/** What the sender is asked before a page goes out (admission/misdirection.ts). */
export type Guard = { reasons: readonly GuardReason[]; intended: readonly string[]; right: readonly string[] }
export type GuardReason = { person: string; kind: 'off_shift' | 'not_on_team' | 'absent' | 'namesake' }

/** Who resolves a page that somebody took and nobody resolved, when its time is over. */
export const nobodySaidSo = 'nobody said so'

/** How somebody accepted. A reaction, an SMS, a call's key and a reply count only from whom the page asked; a command from whoever may use it. */
export type AnswerWay = 'reply' | 'command' | 'reaction' | 'sms' | 'voice' | 'web'

export type PageEvent =
  | { kind: 'accept'; by: string; way: AnswerWay }
  | { kind: 'decline'; by: string; way: AnswerWay }
  | { kind: 'hand_over'; by: string; to: Target }
  | { kind: 'resolve'; by: string }
  /** The contact with this key failed for good: a number refused, the homeserver down, a call not answered. */
  | { kind: 'failed'; key: string }
  /** Another message or alarm that `dedupe` joined to this page. */
  | { kind: 'again'; by: string }
  /** A higher priority with its own plan; a lower one changes nothing. */
  | { kind: 'raise'; by: string; priority: Priority; plan: Plan }
  /** The sender's answer to the guard. */
  | { kind: 'choose'; by: string; people: readonly string[] }

/** What a sender is told, in the order in which it happens (row 36). */
export type News =
  | { kind: 'created'; priority: Priority }
  | { kind: 'guard'; reasons: readonly GuardReason[]; right: readonly string[] }
  | { kind: 'guard_unanswered'; people: readonly string[] }
  | { kind: 'held'; until: Instant }
  | { kind: 'asked'; people: readonly string[]; step: number }
  | { kind: 'nobody'; step: number }
  | { kind: 'quiet'; person: string; until: Instant }
  | { kind: 'unreachable'; person: string }
  | { kind: 'accepted'; person: string; have: number; need: number }
  | { kind: 'declined'; person: string }
  | { kind: 'given_back'; person: string }
  | { kind: 'ignored'; people: readonly string[] }
  | { kind: 'handing_over'; from: string; to: readonly string[] }
  | { kind: 'handed_over'; from: string; person: string }
  | { kind: 'handover_failed'; from: string; to: readonly string[] }
  | { kind: 'raised'; priority: Priority }
  | { kind: 'joined'; count: number }
  | { kind: 'exhausted'; fallback: Fallback; have: number; need: number }
  | { kind: 'fallback_failed'; fallback: Fallback }
  | { kind: 'resolved'; by: string }

/** What is to be done, in order. `key` is unique among the page's contacts: the outbox keeps one row for (page, key). */
export type PageEffect =
  | { do: 'send'; ref: string; key: string; way: Way; person: string; priority: Priority; count: number }
  /** Calls a fallback line. */
  | { do: 'call_line'; ref: string; key: string; line: string; priority: Priority; count: number }
  | { do: 'tell'; ref: string; to: readonly string[]; news: News }
  /** The bot says to the one who answered that the answer was understood. */
  | {
      do: 'confirm'
      ref: string
      person: string
      answer: 'accepted' | 'declined' | 'handed_over' | 'resolved' | 'kept'
    }
  /** The cards of these people say that nothing is wanted of them any more; open calls to them end. */
  | { do: 'stand_down'; ref: string; people: readonly string[]; by: string; because: 'accepted' | 'resolved' | 'kept' }
  /** The cards of these people show the new count or priority, without another interruption. */
  | { do: 'update'; ref: string; people: readonly string[]; count: number; priority: Priority }

/** What the decisions must know of the world. The answers are looked up before, for the instant at which the decision is made. */
export type PagingPorts = {
  /** Who a target means at this instant, in the order in which to call them; empty when nobody. */
  people(target: Target, at: Instant): readonly string[]
  /** A person's ladder for this priority, without rungs that cannot work (no number on file), and when their do-not-disturb ends if it is on. */
  contact(person: string, at: Instant, priority: Priority): { rungs: readonly Rung[]; quietUntil: Instant | null }
}

export type Turn = { page: Page; effects: readonly PageEffect[] }
