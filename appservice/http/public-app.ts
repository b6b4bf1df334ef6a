import express from 'express'
import { ipKeyGenerator, rateLimit } from 'express-rate-limit'
import { z } from 'zod'
import { failures, fromOurPage, parsed, refuseWith } from '../../core/http/answers.ts'
import { cookiesFor, readCookie } from '../../core/http/cookies.ts'
import { securityHeaders } from '../../core/http/headers.ts'
import { tokenHash } from '../../core/store/links/links.ts'
import { readSettings } from '../../core/store/staff/settings.ts'
import { clinicOf, isOurHost } from './clinic.ts'
import type { PublicDeps } from './deps.ts'
import { linkApi } from './link-api.ts'
import { onCallFeed } from './oncall-feed.ts'
import { pageFiles } from './page-files.ts'
import { liveCalls } from './proxy/live-calls.ts'
import { matrixProxy } from './proxy/matrix-proxy.ts'
import { sessionApi } from './session-api.ts'

const checkBody = z.strictObject({ host: z.string().max(2048) })

/**
 * Everything that the internet may reach (web/contract.ts): the patient page, `/api`, the Matrix proxy, calendars of duties and the SMS provider's webhooks. GET and HEAD
 * change nothing but when a calendar was last fetched. @throws when the page is not built, or the public URL is plain http in a real installation.
 */
export const publicApp = (deps: PublicDeps): express.Express => {
  const { store, publicUrl, logoFile } = deps
  const cookies = cookiesFor(publicUrl, deps.embedded)
  if (!cookies.secure)
    deps.log.warn('PUBLIC_URL is plain http: only for trying out, a session could be read on the way')
  const live = liveCalls()
  const settings = () => readSettings(store.db)
  const app = express()
  app.disable('x-powered-by').set('etag', false).set('case sensitive routing', true).set('query parser', false)
  if (deps.trustProxy !== undefined) app.set('trust proxy', deps.trustProxy)
  app.use(...securityHeaders(publicUrl, { frameAncestors: deps.frameAncestors, decrypts: true }))
  app.use(deps.refusals.watch(path => (/^\/(sms|voice)\//.test(path) ? 'webhook.refused' : 'request.refused')))
  if (deps.smsWebhooks) app.use('/sms', deps.smsWebhooks)
  if (deps.pageWebhooks) app.use('/voice', deps.pageWebhooks)
  app.use(
    rateLimit({
      windowMs: 60_000,
      limit: deps.requestsPerMinute ?? 20_000,
      standardHeaders: false,
      legacyHeaders: false,
      keyGenerator: req => ipKeyGenerator(req.ip ?? 'unknown', 64),
      handler: (_req, res) => refuseWith(res, 429, 'too-many'),
    }),
  )
  if (deps.alarms) app.use('/alarms', deps.alarms)
  app.use('/_matrix', matrixProxy(deps, cookies, live))
  app.use('/oncall', onCallFeed({ store, publicUrl }))

  const api = express.Router({ caseSensitive: true, strict: true })
  api.use(fromOurPage(publicUrl, deps.embedded), express.json({ limit: '8kb', strict: true }))
  api.get('/clinic', async (_req, res) => {
    const clinic = clinicOf(await settings(), publicUrl, logoFile, store.clock.now())
    res.set('Cache-Control', 'public, max-age=60').json(clinic)
  })
  api.post('/check', async (req, res) => {
    const body = parsed(checkBody, req, res)
    if (body) res.json({ ours: isOurHost(body.host, publicUrl) })
  })
  api.use('/link', linkApi(deps, cookies, live))
  // One page makes a few calls a minute; keyed by its cookie, so that patients behind one address do not slow each other down.
  const perSession = rateLimit({
    windowMs: 60_000,
    limit: 300,
    standardHeaders: false,
    legacyHeaders: false,
    keyGenerator: req => tokenHash(readCookie(req, cookies.session) ?? ipKeyGenerator(req.ip ?? 'unknown', 64)),
    handler: (_req, res) => refuseWith(res, 429, 'too-many'),
  })
  api.use('/session', perSession, sessionApi(deps, cookies, live))
  app.use('/api', api)

  const names = async () => {
    const s = await settings()
    return { name: s['clinic.name'], phone: s['clinic.phone'] }
  }
  app.use(pageFiles(deps.pageFolder, names, logoFile))
  app.use((_req, res) => refuseWith(res, 404, 'not-found'))
  app.use(failures(deps.log))
  return app
}
