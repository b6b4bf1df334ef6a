import express from 'express'
import type { Log } from '../log.ts'
import { type Secret, sameSecret } from '../secret.ts'
import { type InboxSource, putEvents, type RawEvent } from '../store/queues/inbox.ts'
import { type StoreDeps, type Tx, transact } from '../store/tx.ts'

/** Ephemeral data as the homeserver pushes it (MSC2409): `m.receipt`, `m.typing`, `m.presence`. */
export type Edu = { type: string; room_id?: string; content: Record<string, unknown> }

/** What a transaction brought that is not stored yet. `deviceLists`: people whose devices or identity changed (MSC3202). */
export type News = { events: RawEvent[]; edus: Edu[]; deviceLists: string[] }

export type TransactionsOptions = {
  source: InboxSource
  hsToken: Secret
  store: StoreDeps
  log: Log
  /** Called inside the transaction that stores the events, with those that are new; ephemeral data and device lists may come again. */
  onNews?: (tx: Tx, news: News) => Promise<void>
  /** Called after each transaction: was it stored? */
  onTransaction?: (stored: boolean) => void
  /** A homeserver repeats a refused transaction for ever, so the bound lies above the largest that it makes (100 events, 100 to-device messages of 64 KiB). */
  maxBytes?: number
}

const fail = (res: express.Response, status: number, errcode: string, error: string) =>
  void res.status(status).json({ errcode, error })

const isEvent = (e: unknown): e is RawEvent =>
  typeof e === 'object' &&
  e !== null &&
  typeof (e as RawEvent).type === 'string' &&
  typeof (e as RawEvent).room_id === 'string'

const isEdu = (e: unknown): e is Edu =>
  typeof e === 'object' && e !== null && typeof (e as Edu).type === 'string' && typeof (e as Edu).content === 'object'

const list = (v: unknown): unknown[] => (Array.isArray(v) ? v : [])

/**
 * The application service API (Matrix spec, `PUT /_matrix/app/v1/transactions/{txnId}`): events are committed before 200 is answered, once each by event id.
 * 401 M_MISSING_TOKEN, 403 M_FORBIDDEN, 413 M_TOO_LARGE, 400 M_NOT_JSON / M_BAD_JSON; 503 while the database cannot be reached, so that the homeserver repeats it.
 */
export const transactionsRouter = (o: TransactionsOptions): express.Router => {
  const router = express.Router()
  // Before the body is read: a stranger cannot make us hold one.
  router.use('/_matrix/app/v1', (req, res, next) => {
    const [, given] = /^Bearer (.+)$/i.exec(req.headers.authorization ?? '') ?? []
    if (!given) return fail(res, 401, 'M_MISSING_TOKEN', 'The homeserver token is missing.')
    if (!sameSecret(given, o.hsToken.reveal())) return fail(res, 403, 'M_FORBIDDEN', 'The homeserver token is wrong.')
    next()
  })
  router.use('/_matrix/app/v1', express.json({ limit: o.maxBytes ?? 64 * 1024 * 1024, type: () => true, strict: true }))

  router.put('/_matrix/app/v1/transactions/:txnId', async (req, res) => {
    const body = req.body as Record<string, unknown> | undefined
    if (!Array.isArray(body?.events)) return fail(res, 400, 'M_BAD_JSON', 'A transaction has a list of events.')
    const events = body.events.filter(isEvent)
    if (events.length < body.events.length)
      o.log.error(
        { source: o.source, count: body.events.length - events.length },
        'the homeserver sent events without type or room',
      )
    const edus = list(body.ephemeral ?? body['de.sorunome.msc2409.ephemeral']).filter(isEdu)
    const changed = body.device_lists ?? body['org.matrix.msc3202.device_lists']
    const deviceLists = list((changed as { changed?: unknown } | undefined)?.changed).filter(u => typeof u === 'string')
    try {
      const fresh = await transact(o.store, async tx => {
        const stored = await putEvents(tx, o.source, events)
        if (stored.length + edus.length + deviceLists.length > 0)
          await o.onNews?.(tx, { events: stored, edus, deviceLists })
        return stored.length
      })
      o.log.debug({ source: o.source, events: events.length, fresh }, 'transaction stored')
      o.onTransaction?.(true)
      res.json({})
    } catch (err) {
      o.log.error(
        { err, source: o.source, events: events.length },
        'a transaction could not be stored; the homeserver will repeat it',
      )
      o.onTransaction?.(false)
      fail(res, 503, 'M_UNKNOWN', 'The transaction could not be stored.')
    }
  })
  router.post('/_matrix/app/v1/ping', (_req, res) => void res.json({}))
  // Our users and aliases are made by us, never on demand.
  router.get(['/_matrix/app/v1/users/:id', '/_matrix/app/v1/rooms/:alias'], (_req, res) => {
    res.locals.audited = true // an answer to a question, no refusal
    fail(res, 404, 'M_NOT_FOUND', 'It does not exist.')
  })
  router.use('/_matrix/app/v1', (_req, res) => fail(res, 404, 'M_UNRECOGNIZED', 'There is no such endpoint.'))

  const badBody: express.ErrorRequestHandler = (err: { type?: string; status?: number }, _req, res, next) => {
    if (err.type === 'entity.too.large') {
      o.log.error({ source: o.source }, 'a transaction is larger than the bound')
      return fail(res, 413, 'M_TOO_LARGE', 'The transaction is too large.')
    }
    if (err.status === 400) return fail(res, 400, 'M_NOT_JSON', 'The body is not JSON.')
    next(err)
  }
  router.use(badBody)
  return router
}
