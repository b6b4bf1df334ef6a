import type { Request, Response } from 'express'
import type { Session } from '../../../core/store/links/sessions.ts'
import type { PublicDeps } from '../deps.ts'
import type { Matched } from './matrix-routes.ts'

/** One call that passed the session's checks. `signal` aborts when the page goes or the session ends here. */
export type Call = {
  deps: PublicDeps
  session: Session
  matched: Matched
  req: Request
  res: Response
  signal: AbortSignal
}

/** An error in Matrix form; what has begun to stream is cut off instead. */
export const matrixError = (res: Response, status: number, errcode: string, error: string): void => {
  res.locals.refusal = errcode
  if (res.headersSent) res.destroy()
  else res.status(status).json({ errcode, error })
}

/** `superseded`: a newer tab or browser has the session; `over`: nobody has. */
export type Why = 'superseded' | 'over'

/** The bearer of a page that was replaced or has ended: js-sdk stops at this code, and only at this. The page says which of the two it was. */
export const loggedOut = (res: Response, why: Why): void => {
  if (res.headersSent) return void res.destroy()
  res.locals.refusal = why
  const error = 'This page is no longer signed in'
  res.status(401).json({ errcode: 'M_UNKNOWN_TOKEN', error, soft_logout: false, 'io.wardroom.why': why })
}
