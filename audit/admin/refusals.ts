import type { Request } from 'express'
import { ipKeyGenerator } from 'express-rate-limit'
import { minutes } from '../../core/domain/clock.ts'
import { takeToken } from '../../core/store/links/rate-limits.ts'
import { type Tx, transact } from '../../core/store/tx.ts'
import type { AdminDeps } from './deps.ts'

/** What is known of the browser, for the log. */
export const originOf = (req: Request): { ip: string; agent?: string } => {
  const agent = req.headers['user-agent']
  return { ip: req.ip ?? 'unknown', ...(agent ? { agent: agent.slice(0, 200) } : {}) }
}

/** The address as a key that tells nobody the address. */
export const addressKey = (deps: AdminDeps, req: Request): string =>
  deps.store.seal.lookup('address', ipKeyGenerator(req.ip ?? 'unknown', 64)).slice(0, 32)

/** Notes that the page let somebody not do something; `user` where the cookie or the link says who it was. `reason` is a code. */
export const noteRefused = (
  tx: Tx,
  req: Request,
  refused: { route: string; status: number; reason: string; user?: string },
): Promise<void> =>
  tx.audit({
    actor: refused.user ? { kind: 'user', id: refused.user } : { kind: 'anonymous', id: 'browser' },
    action: 'admin.refused',
    object: { kind: 'route', id: refused.route },
    outcome: 'refused',
    origin: originOf(req),
    reason: refused.reason,
    detail: { route: refused.route, status: refused.status },
  })

/** Notes once a minute and address that it asked too often. */
export const noteLimited = async (deps: AdminDeps, req: Request): Promise<void> => {
  const { store } = deps
  const limit = { burst: 1, everyMs: minutes(1) }
  await transact(store, async tx => {
    if (!(await takeToken(tx.sql, `admin-limited:${addressKey(deps, req)}`, limit, tx.now))) return
    await noteRefused(tx, req, { route: 'admin', status: 429, reason: 'too-many' })
  })
}
