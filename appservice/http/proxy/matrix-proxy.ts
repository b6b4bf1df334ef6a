import express, { type Request, type Response, type Router } from 'express'
import type { RoomId } from '../../../core/domain/ids.ts'
import { idleAt, reauthAt, standing } from '../../../core/domain/session.ts'
import { type Cookies, readCookie } from '../../../core/http/cookies.ts'
import type { KnownCaller } from '../../../core/http/refusals.ts'
import {
  actorOf,
  holdsBearer,
  notePoll,
  peekSession,
  type Session,
  touchSession,
} from '../../../core/store/links/sessions.ts'
import { defaultUploadBytes, type PublicDeps } from '../deps.ts'
import type { LiveCalls } from './live-calls.ts'
import {
  areEncrypted,
  filterId,
  forMembers,
  isDraft,
  isEncrypted,
  isObject,
  type Json,
  ownBackup,
  ownSignatures,
  syncFilter,
  syncForRoom,
  usersIn,
} from './matrix-bodies.ts'
import { type Call, loggedOut, matrixError, type Why } from './matrix-call.ts'
import { download, upload } from './matrix-media.ts'
import { auditRead, auditWrite, noteReceipt, noteSent } from './matrix-records.ts'
import { matchRoute } from './matrix-routes.ts'
import { roomMembers } from './members.ts'

const refusals = {
  malformed: [400, 'M_UNRECOGNIZED', 'This address is not understood'],
  unknown: [404, 'M_UNRECOGNIZED', 'The page does not need this call'],
  foreign: [403, 'M_FORBIDDEN', 'Not yours'],
  credentials: [400, 'M_UNRECOGNIZED', 'Tokens and users do not belong into an address'],
} as const

/** The session of cookie and bearer together, if it lives and this page is its newest; else why not. */
const sessionOf = async (deps: PublicDeps, cookies: Cookies, req: Request): Promise<Session | Why> => {
  const cookie = readCookie(req, cookies.session)
  const bearer = /^Bearer ([A-Za-z0-9_-]{16,64})$/.exec(req.headers.authorization ?? '')?.[1]
  if (!cookie || !bearer) return 'over'
  const session = await peekSession(deps.store.db, cookie)
  if (!session) return 'over'
  const now = standing(session, deps.store.clock.now())
  if (now !== 'live' && now !== 'reauth') return session.endReason === 'replaced' ? 'superseded' : 'over'
  return session.deviceId && holdsBearer(session, bearer) ? session : 'superseded'
}

const bodyOf = (req: Request, res: Response, limit: number): Promise<Json | undefined> =>
  new Promise(done => {
    express.json({ limit, strict: true, type: () => true })(req, res, (error?: unknown) => {
      if (!error && isObject(req.body)) return done(req.body)
      const tooLarge = (error as { status?: number } | undefined)?.status === 413
      matrixError(res, tooLarge ? 413 : 400, tooLarge ? 'M_TOO_LARGE' : 'M_NOT_JSON', 'The body cannot be used')
      done(undefined)
    })
  })

/** The call at the homeserver as the ghost with its device; null when the page has gone. */
const upstream = async ({ deps, session, matched, signal }: Call, body?: Json): Promise<globalThis.Response> => {
  const url = new URL(deps.homeserver.url + matched.path)
  url.search = matched.query.toString()
  return deps.homeserver.fetchAs({ userId: session.userId, deviceId: session.deviceId ?? undefined })(url, {
    method: matched.route.method,
    signal: AbortSignal.any([signal, AbortSignal.timeout(90_000)]),
    ...(body === undefined ? {} : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
  })
}

const maxAnswer = 32 * 1024 * 1024

/** Passes a JSON answer on; `change` looks at good ones. */
const relay = async (
  call: Call,
  answer: globalThis.Response,
  change: (json: Json) => Json | Promise<Json> = json => json,
): Promise<void> => {
  const { res } = call
  if (Number(answer.headers.get('content-length') ?? 0) > maxAnswer) throw new Error('the answer is too large')
  const json: unknown = await answer.json()
  if (answer.status === 401) return loggedOut(res, 'over')
  // What the homeserver does not have (no draft yet) is an answer, no refusal.
  if (answer.status === 404) res.locals.audited = true
  const body = answer.ok && isObject(json) ? await change(json) : json
  res.status(answer.status).json(body)
}

const sync = async (call: Call, cookies: Cookies): Promise<void> => {
  const { deps, session, matched, req, res } = call
  const now = deps.store.clock.now()
  const deadline = Math.min(idleAt(session), reauthAt(session)) - now
  const wanted = Number(matched.query.get('timeout') ?? 0)
  const timeout = Number.isFinite(wanted) ? Math.max(0, Math.min(wanted, 30_000, deadline)) : 0
  if (!matched.query.has('since')) await auditRead(call, 'sync')
  await notePoll(deps.store.db, session.id, now)
  matched.query.set('timeout', String(Math.floor(timeout)))
  matched.query.set('set_presence', 'offline')
  matched.query.set('filter', syncFilter(session.roomId, matched.filter))
  const answer = await upstream(call)
  // A bearer that was superseded while its poll was open gets nothing of what the poll brought.
  const current = await sessionOf(deps, cookies, req)
  if (typeof current === 'string') return loggedOut(res, current)
  await relay(call, answer, json => syncForRoom(json, session.roomId))
}

type Prepared = { body: Json } | { refused: string }

const prepare = async (call: Call, body: Json, members: ReturnType<typeof roomMembers>): Promise<Prepared> => {
  const { session, matched } = call
  const within = async (key: Parameters<typeof usersIn>[1]) =>
    forMembers(body, key, await members(session.userId, session.roomId, usersIn(body, key)))
  switch (matched.route.handling) {
    case 'keys-query':
      return { body: await within('device_keys') }
    case 'keys-claim':
      return { body: await within('one_time_keys') }
    case 'to-device':
      return areEncrypted(body) ? { body: await within('messages') } : { refused: 'Only encrypted messages' }
    case 'signatures':
      return { body: ownSignatures(body, session.userId) }
    case 'backup-keys':
      return { body: ownBackup(body, session.roomId) }
    case 'send':
      return isEncrypted(body) ? { body } : { refused: 'Only encrypted messages' }
    case 'draft':
      return isDraft(body) ? { body } : { refused: 'Only an encrypted draft' }
    case 'receipt':
      return { body: {} }
    default:
      return { body }
  }
}

const act = async (call: Call, body: Json): Promise<void> => {
  const { deps, session, matched } = call
  const { handling } = matched.route
  if (handling === 'send' || handling === 'draft') await touchSession(deps.store.db, session, deps.store.clock.now())
  if (handling === 'send') await auditWrite(call, 'message')
  const answer = await upstream(call, body)
  await relay(call, answer, async json => {
    if (handling === 'send') await noteSent(call, json.event_id)
    if (handling === 'receipt') await noteReceipt(call)
    return json
  })
}

const handle = async (call: Call, cookies: Cookies, members: ReturnType<typeof roomMembers>): Promise<void> => {
  const { matched, req, res } = call
  const { route } = matched
  if (route.handling === 'sync') return sync(call, cookies)
  if (route.handling === 'upload') return upload(call, call.deps.uploadBytes ?? defaultUploadBytes)
  if (route.handling === 'download') return download(call, members)
  if (route.method === 'GET') {
    if (route.handling === 'messages') {
      await auditRead(call, 'history')
      const limit = Math.min(Math.max(Number(matched.query.get('limit') ?? 30) || 30, 1), 100)
      matched.query.set('limit', String(limit))
    }
    return relay(call, await upstream(call))
  }
  const body = await bodyOf(req, res, route.limit ?? 0)
  if (!body) return
  if (route.handling === 'filter') return void res.json({ filter_id: filterId(body) })
  const ready = await prepare(call, body, members)
  if ('refused' in ready) return matrixError(res, 403, 'M_FORBIDDEN', ready.refused)
  return act(call, ready.body)
}

/**
 * The Matrix client-server API for one session's ghost and room (design §7): cookie and bearer together, an allow-list per path segment, our token towards
 * the homeserver. Answers in Matrix form; 401 M_UNKNOWN_TOKEN stops the page's client, 403 IO_WARDROOM_REAUTH lets it wait.
 */
export const matrixProxy = (deps: PublicDeps, cookies: Cookies, live: LiveCalls): Router => {
  const members = roomMembers(deps.homeserver, deps.store.clock)
  const router = express.Router({ caseSensitive: true })
  router.use(async (req, res) => {
    const site = req.headers['sec-fetch-site']
    if (site !== undefined && site !== 'same-origin') return matrixError(res, 403, 'M_FORBIDDEN', 'Not from this page')
    const session = await sessionOf(deps, cookies, req)
    if (typeof session === 'string') return loggedOut(res, session)
    res.locals.known = {
      actor: actorOf(session),
      patient: session.patientId,
      room: session.roomId,
    } satisfies KnownCaller
    const scope = { userId: session.userId, roomId: session.roomId as RoomId }
    const matched = matchRoute(req.method, req.originalUrl, scope)
    if ('refused' in matched) {
      const [status, errcode, error] = refusals[matched.refused]
      return matrixError(res, status, errcode, error)
    }
    if (standing(session, deps.store.clock.now()) === 'reauth' && !matched.route.beforeReauth)
      return matrixError(res, 403, 'IO_WARDROOM_REAUTH', 'Please confirm again who you are')
    const open = live.open(session.id)
    res.once('close', open.abort)
    try {
      await handle({ deps, session, matched, req, res, signal: open.signal }, cookies, members)
    } catch (error) {
      if (open.signal.aborted) {
        const now = res.destroyed ? session : await sessionOf(deps, cookies, req)
        return typeof now === 'string' ? loggedOut(res, now) : void res.destroy()
      }
      deps.log.warn(
        { call: matched.route.path, error: (error as Error).message },
        'the homeserver did not answer a page',
      )
      matrixError(res, 502, 'M_UNKNOWN', 'The message service does not answer')
    } finally {
      open.done()
    }
  })
  return router
}
