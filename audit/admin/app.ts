import express from 'express'
import { ipKeyGenerator, rateLimit } from 'express-rate-limit'
import { failures, fromOurPage, refuseWith } from '../../core/http/answers.ts'
import { builtPage } from '../../core/http/built-page.ts'
import { cookiesFor } from '../../core/http/cookies.ts'
import { securityHeaders } from '../../core/http/headers.ts'
import type { AdminDeps } from './deps.ts'
import { sessionApi } from './session-api.ts'
import { viewApi } from './view-api.ts'

/**
 * The administrators' page and its calls (web/admin-contract.ts). GET and HEAD change nothing and know nobody. @throws when the page is not built, or its address
 * is plain http on another machine.
 */
export const adminApp = (deps: AdminDeps): express.Express => {
  const { adminUrl, log } = deps
  const cookies = cookiesFor(adminUrl, false, 'wardroom-admin')
  const page = builtPage(deps.pageFolder)
  const app = express()
  app.disable('x-powered-by').set('etag', false).set('case sensitive routing', true).set('query parser', false)
  if (deps.proxies) app.set('trust proxy', deps.proxies)
  app.use(...securityHeaders(adminUrl))
  app.use(deps.refusals.watch())
  app.use(
    rateLimit({
      windowMs: 60_000,
      limit: deps.requestsPerMinute ?? 600,
      standardHeaders: false,
      legacyHeaders: false,
      keyGenerator: req => ipKeyGenerator(req.ip ?? 'unknown', 64),
      handler: (_req, res) => refuseWith(res, 429, 'too-many'),
    }),
  )
  const api = express.Router({ caseSensitive: true, strict: true })
  api.use(fromOurPage(adminUrl, true), express.json({ limit: '8kb', strict: true }))
  api.use(sessionApi(deps, cookies))
  api.use('/view', viewApi(deps, cookies))
  app.use('/api', api)
  app.get(['/', '/sign-in'], (_req, res) => res.type('text/html').send(page.html))
  app.use(page.files)
  app.use((_req, res) => refuseWith(res, 404, 'not-found'))
  app.use(failures(log))
  return app
}
