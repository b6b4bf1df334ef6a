import type { Request, Response } from 'express'
import express, { type Router } from 'express'
import { ipKeyGenerator, rateLimit } from 'express-rate-limit'
import { seconds } from '../../core/domain/clock.ts'
import { refuseWith } from '../../core/http/answers.ts'
import { feedCalendar } from '../../core/oncall/feed.ts'
import { takeToken } from '../../core/store/links/rate-limits.ts'
import { feedByToken, noteFetched } from '../../core/store/oncall/feeds.ts'
import type { StoreDeps } from '../../core/store/tx.ts'

/** Calendar programs ask every few minutes; a feed costs a second of work where there are a thousand roles. */
const perFeed = { burst: 20, everyMs: seconds(30) }

/**
 * `GET /oncall/<token>.ics`: the duties of a role or a person as text/calendar (RFC 5545), for calendar programs, which cannot sign in: the address is the secret.
 * Unknown, revoked and malformed tokens are the same 404.
 */
export const onCallFeed = ({ store, publicUrl }: { store: StoreDeps; publicUrl: string }): Router => {
  const router = express.Router({ caseSensitive: true, strict: true })
  const host = new URL(publicUrl).hostname
  const guesses = rateLimit({
    windowMs: 60_000,
    limit: 30,
    standardHeaders: false,
    legacyHeaders: false,
    skipSuccessfulRequests: true,
    keyGenerator: req => ipKeyGenerator(req.ip ?? 'unknown', 64),
    handler: (_req, res) => refuseWith(res, 429, 'too-many'),
  })
  router.get('/:file', guesses, async (req: Request, res: Response) => {
    const token = /^([1-9A-HJ-NP-Za-km-z]{20,60})\.ics$/.exec(String(req.params.file))?.[1] ?? ''
    const feed = await feedByToken(store.db, token)
    if (!feed) return refuseWith(res, 404, 'not-found')
    const now = store.clock.now()
    if (!(await takeToken(store.db, `oncall-feed:${feed.id}`, perFeed, now))) return refuseWith(res, 429, 'too-many')
    const text = await feedCalendar(store, feed, host)
    if (text === undefined) return refuseWith(res, 404, 'not-found')
    await noteFetched(store.db, feed, now)
    res.set('Content-Disposition', 'inline; filename="oncall.ics"').type('text/calendar; charset=utf-8').send(text)
  })
  return router
}
