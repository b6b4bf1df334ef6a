import express from 'express'
import { errorReason } from '../error-facts.ts'
import type { Metrics } from '../metrics.ts'
import { type Secret, sameSecret } from '../secret.ts'

export type HealthOptions = {
  /** Each throws when its part is away, e.g. `{ database: () => db.raw('select 1') }`. */
  checks: Record<string, () => Promise<unknown>>
  metrics: Metrics
  /** Without one, metrics are served to the machine itself only. */
  metricsToken?: Secret
}

const within = async (ms: number, check: () => Promise<unknown>): Promise<string> => {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, failed) => {
    timer = setTimeout(() => failed(new DOMException('too slow', 'TimeoutError')), ms)
  })
  try {
    await Promise.race([check(), late])
    return 'ok'
  } catch (err) {
    return errorReason(err)
  } finally {
    clearTimeout(timer)
  }
}

/** `GET /health/live` (the process answers), `/health/ready` (200 or 503 with each check's state), `/metrics` (Prometheus text). */
export const healthRouter = (o: HealthOptions): express.Router => {
  const router = express.Router()
  router.get('/health/live', (_req, res) => void res.json({ ok: true }))
  router.get('/health/ready', async (_req, res) => {
    const states = await Promise.all(
      Object.entries(o.checks).map(async ([name, check]) => [name, await within(3000, check)] as const),
    )
    const ok = states.every(([, state]) => state === 'ok')
    res.status(ok ? 200 : 503).json({ ok, checks: Object.fromEntries(states) })
  })
  router.get('/metrics', async (req, res) => {
    const [, given] = /^Bearer (.+)$/i.exec(req.headers.authorization ?? '') ?? []
    const local = ['127.0.0.1', '::1', '::ffff:127.0.0.1'].includes(req.socket.remoteAddress ?? '')
    const allowed = o.metricsToken
      ? given !== undefined && sameSecret(given, o.metricsToken.reveal())
      : local && !req.headers['x-forwarded-for']
    if (!allowed) return void res.status(403).json({ error: 'The metrics token is missing or wrong.' })
    res.type('text/plain; version=0.0.4').send(await o.metrics.text())
  })
  return router
}
