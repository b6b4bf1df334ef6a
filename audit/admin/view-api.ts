import express, { type Router } from 'express'
import type { Cookies } from '../../core/http/cookies.ts'
import { originOf } from '../../core/http/refusals.ts'
import { readSettings } from '../../core/store/staff/settings.ts'
import type { AdminDeps } from './deps.ts'
import { views } from './views/index.ts'
import { deny, within } from './within.ts'

/** One POST for each view: the look, and the record of who looked at what with which filter, are one transaction. */
export const viewApi = (deps: AdminDeps, cookies: Cookies): Router => {
  const router = express.Router({ caseSensitive: true, strict: true })
  for (const { name, body, read } of views)
    router.post(
      `/${name}`,
      within(deps, cookies, { route: name, touch: true }, async (tx, session, req) => {
        const asked = body.safeParse(req.body)
        if (!asked.success) return deny(400, 'bad-request', 'bad-request')
        const settings = await readSettings(tx.sql)
        const shown = await read({ tx, session, settings, origin: deps.origin }, asked.data)
        if ('denied' in shown) return shown
        const { patient, room, detail } = shown.seen
        await tx.audit({
          actor: { kind: 'user', id: session.userId },
          action: 'admin.view',
          object: { kind: 'route', id: name },
          outcome: 'done',
          origin: originOf(req),
          ...(patient ? { patient } : {}),
          ...(room ? { room } : {}),
          detail: { session: session.id, ...detail },
        })
        return shown.answer
      }),
    )
  return router
}
