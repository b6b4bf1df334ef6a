import type { Request, RequestHandler, Response } from 'express'
import { type RefusalCode, refuseWith } from '../../core/http/answers.ts'
import { type Cookies, clearSession, readCookie } from '../../core/http/cookies.ts'
import { type AdminSession, enter, holdsAdminBearer } from '../../core/store/admin/admin-sessions.ts'
import { type Tx, transact } from '../../core/store/tx.ts'
import type { AdminDeps } from './deps.ts'
import { noteRefused } from './refusals.ts'

/** A handler's refusal: what the browser is told, and the code for the log. Whatever the handler wrote in its transaction stays. */
export type Denied = { denied: RefusalCode; status: number; reason: string }

export const deny = (status: number, denied: RefusalCode, reason: string): Denied => ({ denied, status, reason })
const isDenied = (value: object): value is Denied => 'denied' in value

export type Within = {
  route: string
  /** The call is something that a person does, and so keeps the session alive. */
  touch: boolean
  /** Only the first call after a reload has no bearer yet. */
  bearer?: false
  /** The browser forgets its cookie when it is done. */
  forget?: true
}

/**
 * A call of somebody who is signed in: cookie, bearer, times and roles are checked, the answer is read and the look is recorded in one transaction. 401 when there
 * is no session (any more), 403 when the bearer is missing or wrong; both are recorded.
 */
export const within =
  (
    { store }: Pick<AdminDeps, 'store'>,
    cookies: Cookies,
    { route, touch, bearer: needed, forget }: Within,
    handle: (tx: Tx, session: AdminSession, req: Request, cookie: string) => Promise<object | null>,
  ): RequestHandler =>
  async (req: Request, res: Response) => {
    const cookie = readCookie(req, cookies.session)
    const bearer = /^Bearer (\S{16,64})$/.exec(req.headers.authorization ?? '')?.[1]
    const answer = await transact(store, async (tx): Promise<object | null> => {
      const refused = async (d: Denied, user?: string) => {
        if (user) await noteRefused(tx, req, res, { route, status: d.status, reason: d.reason, user })
        return d
      }
      if (!cookie) return deny(401, 'session', 'no-session')
      const proven = needed === false || (bearer !== undefined && holdsAdminBearer(cookie, bearer))
      const session = await enter(tx, cookie, touch && proven)
      if ('closed' in session) return refused(deny(401, 'session', session.closed), session.user)
      if (!proven) return refused(deny(403, 'not-here', 'bearer'), session.userId)
      const given = await handle(tx, session, req, cookie)
      return given && isDenied(given) ? refused(given, session.userId) : given
    })
    if (forget && (answer === null || !isDenied(answer))) clearSession(res, cookies)
    if (answer === null) return void res.status(204).end()
    if (!isDenied(answer)) return void res.json(answer)
    if (answer.status === 401 && cookie) clearSession(res, cookies)
    refuseWith(res, answer.status, answer.denied)
  }
