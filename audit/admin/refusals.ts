import type { Request, Response } from 'express'
import { originOf } from '../../core/http/refusals.ts'
import type { Tx } from '../../core/store/tx.ts'

/**
 * Notes that the page did not let somebody do something. `user` where the cookie or the link says who it was; `reason` is a code. Strangers' refusals are noted
 * by `refusalLog`, which bounds them.
 */
export const noteRefused = async (
  tx: Tx,
  req: Request,
  res: Response,
  refused: { route: string; status: number; reason: string; user?: string },
): Promise<void> => {
  res.locals.audited = true
  await tx.audit({
    actor: refused.user ? { kind: 'user', id: refused.user } : { kind: 'anonymous', id: 'browser' },
    action: 'admin.refused',
    object: { kind: 'route', id: refused.route },
    outcome: 'refused',
    origin: originOf(req),
    reason: refused.reason,
    detail: { route: refused.route, status: refused.status },
  })
}
