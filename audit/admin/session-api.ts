import express, { type Request, type Router } from 'express'
import { ipKeyGenerator } from 'express-rate-limit'
import { z } from 'zod'
import { entryOf } from '../../core/domain/audit/catalogue/index.ts'
import { wallClock } from '../../core/domain/audit/period.ts'
import { visibleActions } from '../../core/domain/audit/visible.ts'
import { seconds } from '../../core/domain/clock.ts'
import { idleAt, reauthAt } from '../../core/domain/session.ts'
import { atLeast, parsed, refuseWith } from '../../core/http/answers.ts'
import { type Cookies, setSession } from '../../core/http/cookies.ts'
import { originOf } from '../../core/http/refusals.ts'
import { type AdminSession, bearerOf, signIn } from '../../core/store/admin/admin-sessions.ts'
import { endAdminSessions } from '../../core/store/admin/admin-sign-out.ts'
import { takeToken } from '../../core/store/links/rate-limits.ts'
import { readSettings } from '../../core/store/staff/settings.ts'
import { type Tx, transact } from '../../core/store/tx.ts'
import type { Deadlines, Session, SignInAnswer } from '../../web/admin-contract.ts'
import type { AdminDeps } from './deps.ts'
import { noteRefused } from './refusals.ts'
import { views } from './views/index.ts'
import { reportsFor } from './views/reports.ts'
import { seenBy } from './views/view.ts'
import { within } from './within.ts'

const signInBody = z.strictObject({ token: z.string().max(64) })

const deadlines = (s: AdminSession, now: number): Deadlines => ({ now, idleAt: idleAt(s), reauthAt: reauthAt(s) })

const describe = async (tx: Tx, s: AdminSession, cookie: string): Promise<Session> => {
  const settings = await readSettings(tx.sql)
  const timeZone = settings['clinic.time_zone']
  return {
    ...deadlines(s, tx.now),
    csrf: bearerOf(cookie),
    userId: s.userId,
    roles: s.roles,
    clinic: settings['clinic.name'],
    timeZone,
    today: wallClock(tx.now, timeZone).day,
    actions: visibleActions(s.roles).flatMap(action => {
      const known = entryOf(action)
      return known ? { action, title: known.title, group: known.class } : []
    }),
    reports: reportsFor(s.roles),
    views: seenBy(views, s.roles).map(v => v.name),
  }
}

const note = (tx: Tx, s: AdminSession, req: Request, detail: Record<string, string>): Promise<void> =>
  tx.audit({
    actor: { kind: 'user', id: s.userId },
    action: 'admin.session',
    object: { kind: 'service', id: 'admin' },
    outcome: 'done',
    origin: originOf(req),
    detail: { session: s.id, ...detail },
  })

/** Signing in and out, and how long a session still lives. */
export const sessionApi = (deps: AdminDeps, cookies: Cookies): Router => {
  const { store } = deps
  const router = express.Router({ caseSensitive: true, strict: true })

  router.post('/sign-in', async (req, res) => {
    // A token has 128 random bits: the limit keeps the log short, not the guesser out.
    const limit = { burst: 20, everyMs: seconds(15) }
    const address = store.seal.lookup('address', ipKeyGenerator(req.ip ?? 'unknown', 64)).slice(0, 32)
    if (!(await takeToken(store.db, `admin-sign-in:${address}`, limit, store.clock.now()))) {
      return refuseWith(res, 429, 'too-many')
    }
    const body = parsed(signInBody, req, res)
    if (!body) return
    const work = () =>
      transact(store, async tx => {
        const entered = await signIn(tx, body.token, originOf(req))
        if (!('closed' in entered))
          return { cookie: entered.cookie, session: await describe(tx, entered.session, entered.cookie) }
        await noteRefused(tx, req, res, { route: 'sign-in', status: 200, reason: entered.closed, user: entered.user })
        return null
      })
    const entered = await atLeast(deps.neutralMs ?? 150, work, result => result !== null)
    if (!entered) return void res.json({ state: 'closed' } satisfies SignInAnswer)
    setSession(res, cookies, entered.cookie)
    res.json({ state: 'in', session: entered.session } satisfies SignInAnswer)
  })

  router.post(
    '/session',
    within(deps, cookies, { route: 'session', touch: false, bearer: false }, async (tx, s, req, cookie) => {
      await note(tx, s, req, { what: 'in-again' })
      return describe(tx, s, cookie)
    }),
  )
  router.post(
    '/session/standing',
    within(deps, cookies, { route: 'standing', touch: false }, async (tx, s) => deadlines(s, tx.now)),
  )
  router.post(
    '/session/extend',
    within(deps, cookies, { route: 'extend', touch: true }, async (tx, s, req) => {
      await note(tx, s, req, { on: 'signed-in' })
      return deadlines(s, tx.now)
    }),
  )
  router.post(
    '/session/end',
    within(deps, cookies, { route: 'end', touch: false, forget: true }, async (tx, s) => {
      await endAdminSessions(tx, s.userId, 'ended')
      return null
    }),
  )
  return router
}
