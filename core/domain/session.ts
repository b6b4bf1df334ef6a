import { type Instant, minutes } from './clock.ts'

/** When a browser's session lives: `idleMs` after the person's last act, and `reauthMs` after the last proof of identity it asks again (row 16). */
export type SessionTimes = {
  seenAt: Instant
  verifiedAt: Instant
  idleMs: number
  reauthMs: number
  endedAt: Instant | null
}

export type SessionStanding = 'live' | 'reauth' | 'idle' | 'ended'

export const idleAt = (s: SessionTimes): Instant => s.seenAt + s.idleMs
export const reauthAt = (s: SessionTimes): Instant => s.verifiedAt + s.reauthMs

/** `reauth`: what was typed is kept and may be saved, nothing is read or sent until the person proves again who they are. */
export const standing = (s: SessionTimes, now: Instant): SessionStanding => {
  if (s.endedAt !== null) return 'ended'
  if (now >= idleAt(s)) return 'idle'
  return now >= reauthAt(s) ? 'reauth' : 'live'
}

/** Upper bounds that the keeper holds to whatever the database says. */
export const longestIdleMs = minutes(60)
export const longestReauthMs = minutes(480)

/** May K be released to this session now? */
export const mayHaveKey = (s: SessionTimes, now: Instant): boolean =>
  standing(
    { ...s, idleMs: Math.min(s.idleMs, longestIdleMs), reauthMs: Math.min(s.reauthMs, longestReauthMs) },
    now,
  ) === 'live'
