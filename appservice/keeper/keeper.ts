import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { JWK } from 'jose'
import { z } from 'zod'
import type { Clock, Random } from '../../core/domain/clock.ts'
import type { PersonId, SessionId } from '../../core/domain/ids.ts'
import { refusalLog } from '../../core/http/refusals.ts'
import type { Log } from '../../core/log.ts'
import { openK, type Seal, wrapForBrowser } from '../../core/seal.ts'
import { type Secret, sameSecret } from '../../core/secret.ts'
import { serviceLife } from '../../core/store/audit/sources/service-life.ts'
import { openDb } from '../../core/store/db.ts'
import { claimKey, claimRenewal } from '../../core/store/links/keeper.ts'
import { type StoreDeps, transact } from '../../core/store/tx.ts'
import { renewals } from './renewals.ts'

export type KeeperConfig = {
  databaseUrl: string
  /** The release key's private half; this process alone holds it. */
  releaseKey: JWK
  /** Shared with the bridge. */
  secret: Secret
  /** A unix socket's path, or a port (0: any) on 127.0.0.1 or another host. */
  listen: { socket: string } | { host?: string; port: number }
  /** The bridge's door for renewals, `http://bridge:9801/renewal`; without it no dehydrated device is replaced. */
  renewals?: { door: string; settleMs?: number }
  clock: Clock
  random: Random
  log: Log
}

/** Where the keeper listens, in the form that `keeperClient` takes. */
export type KeeperAddress = { socket: string } | { url: string }
export type Keeper = { address: KeeperAddress; stop(): Promise<void> }

const request = z.strictObject({
  sessionId: z.string().max(40),
  cookie: z.string().min(1).max(100),
  /** Whence the browser asked, for the record. */
  origin: z.strictObject({ ip: z.string().max(60), agent: z.string().max(200).optional() }).optional(),
  publicKey: z.object({
    kty: z.literal('EC'),
    crv: z.literal('P-256'),
    x: z.string().length(43),
    y: z.string().length(43),
  }),
})

const renewalRequest = z.strictObject({ personId: z.string().max(40), bearer: z.string().min(20).max(100) })

const maxBody = 4096

const readBody = async (req: IncomingMessage): Promise<string | null> => {
  const parts: Buffer[] = []
  let size = 0
  for await (const part of req) {
    size += (part as Buffer).length
    if (size > maxBody) return null
    parts.push(part as Buffer)
  }
  return Buffer.concat(parts).toString('utf8')
}

const parse = <T>(shape: z.ZodType<T>, text: string | null): T | undefined => {
  try {
    return text === null ? undefined : shape.safeParse(JSON.parse(text)).data
  } catch {
    return undefined
  }
}

const answer = (res: ServerResponse, status: number, body: unknown): void => {
  res.writeHead(status, { 'content-type': 'application/json', 'cache-control': 'no-store' }).end(JSON.stringify(body))
}

const release = async (config: KeeperConfig, store: StoreDeps, text: string | null) => {
  const asked = parse(request, text)
  if (!asked) return { status: 400, body: { code: 'bad-request' } }
  const { sessionId, cookie, publicKey, origin } = asked
  const claim = await transact(store, tx => claimKey(tx, sessionId as SessionId, cookie, origin))
  if ('refused' in claim) return { status: 403, body: { code: claim.refused } }
  const k = await openK(config.releaseKey, claim.ghost, claim.sealed)
  try {
    return { status: 200, body: { jwe: await wrapForBrowser(k, publicKey) } }
  } finally {
    k.fill(0)
  }
}

const renew = async (
  config: KeeperConfig,
  store: StoreDeps,
  children: ReturnType<typeof renewals>,
  text: string | null,
) => {
  const asked = parse(renewalRequest, text)
  if (!asked) return { status: 400, body: { code: 'bad-request' } }
  const { bearer } = asked
  const personId = asked.personId as PersonId
  const claim = await transact(store, tx => claimRenewal(tx, personId, bearer))
  if ('refused' in claim) return { status: 403, body: { code: claim.refused } }
  const k = await openK(config.releaseKey, claim.ghost, claim.sealed)
  try {
    await children.run(personId, { bearer, ghost: claim.ghost, deviceId: claim.deviceId, k })
  } finally {
    k.fill(0)
  }
  return { status: 200, body: {} }
}

/** The keeper has nothing of its own to seal: a job or a column that needs the services' keys is a bug here. */
const noSeal: Seal = {
  close: () => Promise.reject(new Error('the keeper does not seal')),
  open: () => Promise.reject(new Error('the keeper opens no column')),
  lookup: () => {
    throw new Error('the keeper has no lookup key')
  },
}

const listening = (server: Server, where: KeeperConfig['listen']): Promise<void> =>
  new Promise((done, failed) => {
    server.once('error', failed)
    const ready = () => done()
    if ('socket' in where) server.listen(where.socket, ready)
    else server.listen(where.port, where.host ?? '127.0.0.1', ready)
  })

/**
 * Starts the keeper (design §7): `POST /k {sessionId, cookie, publicKey}` with `Authorization: Bearer <secret>` answers `{jwe}`, K wrapped to the browser's
 * key; `POST /renewal {personId, bearer}` replaces a dehydrated device in a process of its own. It asks the database itself whether the session lives, was authenticated recently and is the cookie's; it has neither homeserver access nor the column
 * keys. 400, 401, 403 `{code}`; every release and refusal of a known session is audited in its own transaction before K is opened.
 */
export const startKeeper = async (config: KeeperConfig): Promise<Keeper> => {
  const db = openDb(config.databaseUrl, { max: 4, name: 'wardroom-keeper' })
  const store: StoreDeps = { db, clock: config.clock, random: config.random, seal: noSeal }
  const children = renewals(config.renewals, config.log)
  const refusals = refusalLog({ store, log: config.log })
  const expected = `Bearer ${config.secret.reveal()}`
  const handle = async (req: IncomingMessage, res: ServerResponse) => {
    if (req.method === 'GET' && req.url === '/health') return answer(res, 200, { ok: true })
    if (!sameSecret(req.headers.authorization ?? '', expected)) {
      await refusals.note({ action: 'request.refused', route: 'keeper', status: 401, reason: 'unauthorised' })
      return answer(res, 401, { code: 'unauthorised' })
    }
    const work = req.method === 'POST' ? req.url : undefined
    if (work !== '/k' && work !== '/renewal') return answer(res, 404, { code: 'not-found' })
    const text = await readBody(req)
    const { status, body } =
      work === '/k' ? await release(config, store, text) : await renew(config, store, children, text)
    answer(res, status, body)
  }
  const server = createServer((req, res) => {
    handle(req, res).catch((error: Error) => {
      config.log.error({ error: error.message }, req.url === '/renewal' ? 'a renewal failed' : 'a key was not released')
      if (!res.headersSent) answer(res, 500, { code: 'failed' })
    })
  })
  server.requestTimeout = 10_000
  await listening(server, config.listen)
  const life = await serviceLife(store, 'keeper')
  const address: KeeperAddress =
    'socket' in config.listen
      ? { socket: config.listen.socket }
      : { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` }
  return {
    address,
    stop: async () => {
      await life.stop()
      await children.stop()
      await new Promise<void>(done => {
        server.close(() => done())
        server.closeIdleConnections()
      })
      await refusals.stop()
      await db.destroy()
    },
  }
}
