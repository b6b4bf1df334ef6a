import { type Instant, minutes } from '../clock.ts'
import { type Refusal, refuse } from '../refusal.ts'

export const exportStates = ['requested', 'approved', 'expired', 'cancelled', 'done'] as const
export type ExportState = (typeof exportStates)[number]

/** What is exported: one room, what one user sent, or one patient's conversation. */
export type ExportAbout =
  | { kind: 'room'; room: string }
  | { kind: 'user'; user: string }
  | { kind: 'patient'; patient: string }

/** Events sent at `since` (null: from the first) or later and before `until`. */
export type ExportRange = { since: Instant | null; until: Instant }

/** The part of a request that decides what may still become of it. */
export type ExportStanding = { state: ExportState; requestedBy: string; lapsesAt: Instant }

export type ExportSignal =
  | { kind: 'approve'; by: string }
  | { kind: 'cancel' }
  /** The officers begin to read. */
  | { kind: 'begin' }
  /** The package is written. A run that began in time may end later. */
  | { kind: 'finish' }
  /** Somebody looks whether its time is over. */
  | { kind: 'look' }

/** How long a request waits for its second person: as long as the code that they are sent. */
export const requestLife = minutes(15)

const open = (r: ExportStanding) => r.state === 'requested' || r.state === 'approved'

/** Is its time over? From then on nobody approves or runs it. */
export const hasLapsed = (r: ExportStanding, now: Instant): boolean => open(r) && now >= r.lapsesAt

const closedWords: Record<ExportState, string> = {
  requested: 'is not approved yet',
  approved: 'is approved already',
  expired: 'has lapsed: make a new request',
  cancelled: 'was cancelled',
  done: 'is done; a further package needs a new request',
}

/** The state after a signal, or why it cannot be. The only place that decides it; stored states are written from here alone. */
export const afterSignal = (r: ExportStanding, signal: ExportSignal, now: Instant): ExportState | Refusal => {
  const state = hasLapsed(r, now) && signal.kind !== 'finish' ? 'expired' : r.state
  const no = () => refuse(`export-${state}`, `This export ${closedWords[state]}.`)
  switch (signal.kind) {
    case 'approve':
      if (state !== 'requested') return no()
      return signal.by === r.requestedBy
        ? refuse('own-request', 'This is your own request; somebody else must approve it.')
        : 'approved'
    case 'cancel':
      return state === 'requested' || state === 'approved' ? 'cancelled' : no()
    case 'begin':
      return state === 'approved' ? 'approved' : no()
    case 'finish':
      return state === 'approved' ? 'done' : no()
    case 'look':
      return state
  }
}

/**
 * The range of a request that is made now. Without an end it ends now, so that whoever approves knows what is read. Refuses dates that have not come, and a range
 * that is empty; a day that is not over yet counts up to now.
 */
export const exportRange = (
  { from, until }: { from?: Instant; until?: Instant },
  now: Instant,
): ExportRange | Refusal => {
  if (from !== undefined && from > now)
    return refuse('future', 'An export begins in the past: "since" has not come yet.')
  if (until !== undefined && until > now + minutes(60 * 25))
    return refuse('future', 'An export ends now at the latest: "until" has not come yet.')
  const end = Math.min(until ?? now, now)
  return from !== undefined && from >= end
    ? refuse('empty', '"until" must come after "since".')
    : { since: from ?? null, until: end }
}

const minute = (at: Instant) => new Date(at).toISOString().slice(0, 16).replace('T', ' ')

/** The range in words, in UTC. */
export const rangeWords = ({ since, until }: ExportRange): string =>
  `from ${since === null ? 'the beginning' : minute(since)} to ${minute(until)} (UTC)`

/** What a room is told before anybody reads: nothing clinical, and nothing about why. */
export const exportNotice = (r: ExportRange & { copy: boolean; requestedBy: string; approvedBy: string }): string =>
  r.copy
    ? `📄 A copy of this conversation ${rangeWords(r)} is being made for the patient by compliance, requested by ${r.requestedBy}, approved by ${r.approvedBy}.`
    : `📄 Records of this room ${rangeWords(r)} are being exported by compliance, requested by ${r.requestedBy}, approved by ${r.approvedBy}.`
