/** Instants by the server's clock, of which `now` is the reading; at `reauthAt` the person has to prove again who they are. */
export type Deadlines = { now: number; idleAt: number; reauthAt: number }

/** The warning comes this long before the log-off (row 16). */
export const warning = 2 * 60_000
/** Typing and touching tell the server at most this often that the person is there. */
export const extendEvery = 60_000
/** What only a person does. Scrolling is not among it: the page scrolls by itself when a message comes, with nobody there. */
export const signsOfLife = ['pointerdown', 'keydown', 'wheel', 'input', 'click'] as const
/** Not what a script makes, and not a key on which something lies. */
export const isSignOfLife = (event: Event): boolean => event.isTrusted && !(event as Partial<KeyboardEvent>).repeat

export type Phase = 'fine' | 'warn' | 'reauth' | 'over'

/** Where a session stands: idle time first, then the time after which the person proves again who they are. */
export const phaseOf = (session: Pick<Deadlines, 'idleAt' | 'reauthAt'>, now: number): Phase => {
  if (now >= session.idleAt) return 'over'
  if (now >= session.reauthAt) return 'reauth'
  return session.idleAt - now <= warning ? 'warn' : 'fine'
}

/** Seconds until the log-off, never negative. */
export const secondsLeft = (idleAt: number, now: number): number => Math.max(0, Math.ceil((idleAt - now) / 1000))

/** Deadlines by the server's clock → the same by this device's own, which may be wrong. */
export const byOwnClock = <T extends Deadlines>(answer: T, now: number): T => {
  const ahead = now - answer.now
  return { ...answer, now, idleAt: answer.idleAt + ahead, reauthAt: answer.reauthAt + ahead }
}
