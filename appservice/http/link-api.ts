import express, { type Request, type RequestHandler, type Response, type Router } from 'express'
import { ipKeyGenerator } from 'express-rate-limit'
import { z } from 'zod'
import { factors } from '../../core/domain/factor.ts'
import type { SessionId } from '../../core/domain/ids.ts'
import type { Settings } from '../../core/domain/settings/settings.ts'
import { atLeast, parsed, refuseWith } from '../../core/http/answers.ts'
import { type Cookies, readCookie, setBinding, setSession } from '../../core/http/cookies.ts'
import { tokenHash } from '../../core/store/links/links.ts'
import { takeToken } from '../../core/store/links/rate-limits.ts'
import { readSettings } from '../../core/store/staff/settings.ts'
import type { TapAnswer, VerifyAnswer } from '../../web/contract.ts'
import { type Browser, defaultLimits, type LinkDeps } from '../links/deps.ts'
import { deleteDoomed } from '../links/devices.ts'
import { reportNotMe, requestCode, requestNewLink, requestStop } from '../links/requests.ts'
import { type Started, tap } from '../links/tap.ts'
import { verify } from '../links/verify.ts'
import type { PublicDeps } from './deps.ts'
import type { LiveCalls } from './proxy/live-calls.ts'
import { describeSession } from './session-answer.ts'

const token = z.string().max(64)
const byToken = z.strictObject({ token })
const answerOf = z.strictObject({ token, factor: z.enum(factors), value: z.string().max(64) })

const browserOf = (req: Request, cookies: Cookies): Browser => ({
  ip: req.ip ?? 'unknown',
  agent: req.headers['user-agent'],
  binding: readCookie(req, cookies.binding),
  cookie: readCookie(req, cookies.session),
})

/** Only these answers may be quick: they say by themselves that the link is good. */
const tells = (result: { state: string }): boolean => result.state === 'session' || result.state === 'factors'

/** Everything a token's holder may do before there is a session: `/api/link/*`. */
export const linkApi = (deps: PublicDeps, cookies: Cookies, live: LiveCalls): Router => {
  const { store } = deps
  const limits = { ...defaultLimits, ...deps.limits }
  const links: LinkDeps = { store, publicUrl: deps.publicUrl, limits }
  const neutralMs = deps.neutralMs ?? 150
  const router = express.Router({ caseSensitive: true, strict: true })

  /** By address first, then by link, both in the database; the same whether the token exists or not. */
  const limited: RequestHandler = async (req, res, next) => {
    if (req.method !== 'POST') return next()
    const now = store.clock.now()
    const address = store.seal.lookup('address', ipKeyGenerator(req.ip ?? 'unknown', 64)).slice(0, 32)
    if (!(await takeToken(store.db, `address:${address}`, limits.address, now))) return refuseWith(res, 429, 'too-many')
    const given = z.looseObject({ token }).safeParse(req.body)
    if (!given.success) return refuseWith(res, 400, 'bad-request')
    const link = tokenHash(given.data.token).slice(0, 32)
    if (!(await takeToken(store.db, `link:${link}`, limits.link, now))) return refuseWith(res, 429, 'too-many')
    next()
  }
  router.use(limited)

  const started = async (res: Response, settings: Settings, s: Started) => {
    const session = await describeSession(deps, settings, s.session, s.csrf)
    if (s.binding) setBinding(res, cookies, s.binding)
    if (s.cookie) setSession(res, cookies, s.cookie)
    return session
  }
  /** The former browser's calls end at once, its device goes; a failure is the sweep's to repeat. */
  const endFormer = async (former: readonly SessionId[]) => {
    for (const id of former) {
      live.end(id)
      await deleteDoomed(deps, id)
    }
  }

  router.post('/tap', async (req, res) => {
    const body = parsed(byToken, req, res)
    if (!body) return
    const settings = await readSettings(store.db)
    const result = await atLeast(neutralMs, () => tap(links, settings, body.token, browserOf(req, cookies)), tells)
    if (result.state === 'session') {
      live.end(result.session.id)
      const session = await started(res, settings, result)
      await deleteDoomed(deps, result.session.id)
      return void res.json({ state: 'session', session } satisfies TapAnswer)
    }
    if (result.state !== 'factors') return void res.json(result satisfies TapAnswer)
    const { binding, ...asked } = result
    setBinding(res, cookies, binding)
    res.json(asked satisfies TapAnswer)
  })

  router.post('/verify', async (req, res) => {
    const body = parsed(answerOf, req, res)
    if (!body) return
    const settings = await readSettings(store.db)
    const result = await atLeast(neutralMs, () => verify(links, settings, body, browserOf(req, cookies)), tells)
    if (result.state === 'session') {
      const session = await started(res, settings, result)
      res.json({ state: 'session', session } satisfies VerifyAnswer)
      return endFormer(result.replaced)
    }
    if (result.state !== 'factors') return void res.json(result satisfies VerifyAnswer)
    const { binding, ...more } = result
    setBinding(res, cookies, binding)
    res.json(more satisfies VerifyAnswer)
  })

  const wishes = {
    '/new': requestNewLink,
    '/sms-code': requestCode,
    '/not-me': (d: LinkDeps, _s: Settings, t: string, b: Browser) => reportNotMe(d, t, b),
    '/stop': (d: LinkDeps, _s: Settings, t: string, b: Browser) => requestStop(d, t, b),
  }
  for (const [path, wish] of Object.entries(wishes))
    router.post(path, async (req, res) => {
      const body = parsed(byToken, req, res)
      if (!body) return
      const settings = await readSettings(store.db)
      await atLeast(
        neutralMs,
        () => wish(links, settings, body.token, browserOf(req, cookies)),
        () => false,
      )
      res.status(202).json({})
    })
  return router
}
