import type { Session } from '../contract.ts'

/** The warning comes this long before the log-off (row 16). */
export const warning = 2 * 60_000
/** Typing and touching tell the server at most this often that the person is there. */
export const extendEvery = 60_000

export type Phase = 'fine' | 'warn' | 'reauth' | 'over'

/** Where a session stands: idle time first, then the hour after which the person confirms again who they are. */
export const phaseOf = (session: Pick<Session, 'idleAt' | 'reauthAt'>, now: number): Phase => {
  if (now >= session.idleAt) return 'over'
  if (now >= session.reauthAt) return 'reauth'
  return session.idleAt - now <= warning ? 'warn' : 'fine'
}

/** Seconds until the log-off, never negative. */
export const secondsLeft = (idleAt: number, now: number): number => Math.max(0, Math.ceil((idleAt - now) / 1000))
