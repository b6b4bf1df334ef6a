import express, { type Request, type Router } from 'express'
import type { Cookies } from '../../core/http/cookies.ts'
import { originOf } from '../../core/http/refusals.ts'
import { isNoted, noteFollow } from '../../core/store/admin/admin-follow.ts'
import type { AdminSession } from '../../core/store/admin/admin-sessions.ts'
import { readSettings } from '../../core/store/staff/settings.ts'
import type { Tx } from '../../core/store/tx.ts'
import type { AdminDeps } from './deps.ts'
import { views } from './views/index.ts'
import { type Seen, seenBy, type View } from './views/view.ts'
import { deny, within } from './within.ts'

const note = (
  tx: Tx,
  session: AdminSession,
  req: Request,
  view: View,
  { patient, room, detail }: Seen,
  again: boolean,
) =>
  tx.audit({
    actor: { kind: 'user', id: session.userId },
    action: 'admin.view',
    object: { kind: 'route', id: view.name },
    outcome: 'done',
    origin: originOf(req),
    ...(patient ? { patient } : {}),
    ...(room ? { room } : {}),
    detail: { session: session.id, ...(again ? { still: true } : {}), ...detail },
  })

/**
 * One POST for each view: the look, and the record of who looked at what with which filter, are one transaction. What a page asks again by itself belongs to a look
 * that the log has had in the last minutes, or is a new one.
 */
export const viewApi = (deps: AdminDeps, cookies: Cookies): Router => {
  const router = express.Router({ caseSensitive: true, strict: true })
  const serve = (view: View, path: string, again: boolean) =>
    router.post(
      path,
      within(deps, cookies, { route: view.name, touch: !again }, async (tx, session, req) => {
        if (seenBy([view], session.roles).length === 0) return deny(403, 'forbidden', 'role')
        const asked = view.body.safeParse(req.body)
        if (!asked.success) return deny(400, 'bad-request', 'bad-request')
        const settings = await readSettings(tx.sql)
        const shown = await view.read({ tx, session, settings, origin: deps.origin }, asked.data)
        if ('denied' in shown) return shown
        if (!(again && (await isNoted(tx, session.id, view.name)))) {
          await note(tx, session, req, view, shown.seen, again)
          if (view.follow) await noteFollow(tx, session.id, view.name)
        }
        return shown.answer
      }),
    )
  for (const view of views) {
    serve(view, `/${view.name}`, false)
    if (view.follow) serve(view, `/${view.name}/again`, true)
  }
  return router
}
