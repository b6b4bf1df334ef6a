import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import express from 'express'
import { z } from 'zod'
import type { TryIt } from '../../../web/contract.ts'
import { type DemoAccount, demoLogin, type LoginDeps } from './try-it-login.ts'

export type TryItConfig = LoginDeps & {
  serverName: string
  /** The demo clinicians in the order in which they are used. */
  accounts: readonly DemoAccount[]
  /** The built page: `dist/tryit`. */
  pageFolder: string
  /** The patient page's address: the page is opened under the same host name, or the browser would keep the patient's cookie from the telephone's frame. */
  publicUrl: string
}

const types: Record<string, string> = {
  js: 'text/javascript',
  css: 'text/css',
  svg: 'image/svg+xml',
  wasm: 'application/wasm',
}

const begin = z.object({ not: z.array(z.string().max(255)).max(10).default([]) })
const close = z.object({ deviceId: z.string().max(64) })

/** What a page of another origin, framed ones included, cannot send; a caller that says nothing of itself is refused as well. */
const sameOrigin = (req: express.Request): boolean => {
  const site = req.get('sec-fetch-site')
  return site ? site === 'same-origin' : req.get('origin') === `http://${req.get('host')}`
}

/**
 * The try-it page: a clinician's client beside the handset, for somebody who has nothing installed. Only with the embedded homeserver and its demo accounts,
 * since it hands out a login to whoever opens it on this machine: `POST /api/tryit {not?}` logs the first demo clinician in who is not named in `not`;
 * `POST /api/tryit/close {deviceId}` ends that login.
 */
export const tryItRouter = (config: TryItConfig): express.Router => {
  const { log } = config
  const router = express.Router()
  router.use(staticPage(config))
  const logins = demoLogin(config)
  router.use('/api/tryit', (req, res, next) => {
    res.set({ 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' })
    if (sameOrigin(req)) next()
    else res.status(403).json({ error: 'Only the try-it page of this server may ask.' })
  })
  router.use('/api/tryit', express.json({ limit: '4kb', strict: true }))
  router.post('/api/tryit', async (req, res) => {
    const asked = begin.safeParse(req.body ?? {})
    if (!asked.success) return void res.status(400).json({ error: 'Send JSON: { "not": ["@user:server", …] }.' })
    const account = config.accounts.find(({ userId }) => !asked.data.not.includes(userId))
    if (!account) return void res.json({ state: 'nobody' } satisfies TryIt)
    const login = await logins.begin(account).catch((err: unknown) => log.warn({ err }, 'no login for the try-it page'))
    if (!login) return void res.status(503).json({ error: 'The homeserver does not answer.' })
    const { userId, recoveryKey } = account
    res.json({
      state: 'ready',
      homeserverUrl: config.homeserverUrl,
      userId,
      ...login,
      recoveryKey: recoveryKey.reveal(),
      bot: `@wardroom:${config.serverName}`,
    } satisfies TryIt)
  })
  router.post('/api/tryit/close', async (req, res) => {
    const asked = close.safeParse(req.body)
    if (!asked.success) return void res.status(400).json({ error: 'Send JSON: { "deviceId": "…" }.' })
    await logins.end(asked.data.deviceId)
    res.status(204).end()
  })
  return router
}

/** `GET /try` and its assets, under a policy that allows this server, the homeserver, and the handset in a frame. */
const staticPage = ({ pageFolder, homeserverUrl, publicUrl }: TryItConfig): express.Router => {
  const router = express.Router()
  const page = readFileSync(join(pageFolder, 'index.html'), 'utf8')
  const assets = join(pageFolder, 'assets')
  const names = new Set(readdirSync(assets))
  const policy = [
    "default-src 'none'",
    "script-src 'self' 'wasm-unsafe-eval'",
    "style-src 'self'",
    `connect-src 'self' ${new URL(homeserverUrl).origin}`,
    "img-src 'self' blob:",
    'media-src blob:',
    "frame-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
    "require-trusted-types-for 'script'",
    "trusted-types 'none'",
  ].join('; ')
  const wanted = new URL(publicUrl).hostname
  router.use('/try', (_req, res, next) => {
    res.set({
      'content-security-policy': policy,
      'referrer-policy': 'no-referrer',
      'x-content-type-options': 'nosniff',
    })
    next()
  })
  router.get('/try', (req, res) => {
    const [, port] = /:(\d+)$/.exec(req.get('host') ?? '') ?? []
    if (wanted === 'localhost' && req.hostname !== wanted && port)
      return void res.redirect(302, `http://${wanted}:${port}/try`)
    res.set('cache-control', 'no-store').type('html').send(page)
  })
  router.get('/try/assets/:name', (req, res, next) => {
    const name = req.params.name
    if (!names.has(name) || /\.(br|gz)$/.test(name)) return next()
    const packed = names.has(`${name}.gz`) && req.acceptsEncodings('gzip') === 'gzip'
    res.set({
      'content-type': types[name.split('.').at(-1) ?? ''] ?? 'application/octet-stream',
      'cache-control': 'public, max-age=31536000, immutable',
      vary: 'accept-encoding',
      ...(packed ? { 'content-encoding': 'gzip' } : {}),
    })
    res.sendFile(packed ? `${name}.gz` : name, { root: assets, headers: {}, cacheControl: false })
  })
  return router
}
