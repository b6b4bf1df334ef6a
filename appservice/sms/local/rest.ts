import express from 'express'
import { countSegments } from '../../../core/domain/texts/sms-segments.ts'
import { type Secret, sameSecret } from '../../../core/secret.ts'
import { apiFaults } from './behaviours.ts'
import type { Calls } from './calls.ts'
import { callsRest } from './calls-rest.ts'
import type { Carrier } from './carrier.ts'
import type { LocalMessage, LocalState } from './state.ts'

export type RestOptions = {
  state: LocalState
  carrier: Carrier
  accountSid: string
  messagingServiceSid: string
  authToken: Secret
  sender: string
  calls: Calls
}

const rfc2822 = (at: number | null) => (at === null ? null : new Date(at).toUTCString().replace('GMT', '+0000'))

const resource = (m: LocalMessage, o: RestOptions) => {
  const uri = `/2010-04-01/Accounts/${o.accountSid}/Messages/${m.sid}`
  return {
    sid: m.sid,
    account_sid: o.accountSid,
    api_version: '2010-04-01',
    messaging_service_sid: m.direction === 'inbound' ? null : o.messagingServiceSid,
    body: m.body,
    direction: m.direction,
    from: m.from,
    to: m.to,
    status: m.status,
    error_code: m.errorCode,
    error_message: null,
    num_media: '0',
    num_segments: String(countSegments(m.body).segments),
    price: null,
    price_unit: 'USD',
    date_created: rfc2822(m.createdAt),
    date_updated: rfc2822(m.sentAt ?? m.createdAt),
    date_sent: rfc2822(m.sentAt),
    uri: `${uri}.json`,
    subresource_uris: { media: `${uri}/Media.json` },
  }
}

/** `DateSent`, `DateSent<` and `DateSent>` as Twilio filters: a day, or an instant. */
const sentWithin = (m: LocalMessage, query: Record<string, unknown>): boolean => {
  const at = m.sentAt ?? m.createdAt
  const time = (name: string) => (typeof query[name] === 'string' ? Date.parse(query[name]) : undefined)
  const day = typeof query.DateSent === 'string' ? query.DateSent.slice(0, 10) : undefined
  const after = time('DateSent>')
  const before = time('DateSent<')
  return (
    (day === undefined || new Date(at).toISOString().startsWith(day)) &&
    (after === undefined || at >= after) &&
    (before === undefined || at <= before)
  )
}

/** The part of Twilio's Messages API (2010-04-01) that Wardroom uses. Errors have Twilio's codes. */
export const restApi = (o: RestOptions): express.Router => {
  const { state } = o
  const router = express.Router({ mergeParams: true })
  const refuse = (res: express.Response, status: number, code: number, message: string) =>
    res.status(status).json({ code, message, more_info: `https://www.twilio.com/docs/errors/${code}`, status })
  const expected = `Basic ${Buffer.from(`${o.accountSid}:${o.authToken.reveal()}`).toString('base64')}`

  router.use(
    '/2010-04-01/Accounts/:account',
    express.urlencoded({ extended: false, limit: '64kb' }),
    (req, res, next) => {
      if (!sameSecret(req.get('authorization') ?? '', expected) || req.params.account !== o.accountSid)
        return refuse(res, 401, 20003, 'Authenticate')
      return next()
    },
  )

  router.use(callsRest({ ...o, refuse }))

  router.post('/2010-04-01/Accounts/:account/Messages.json', async (req, res) => {
    const { To, Body, StatusCallback, MessagingServiceSid } = req.body as Record<string, string | undefined>
    if (!To || !/^\+\d{6,15}$/.test(To)) return refuse(res, 400, 21211, "Invalid 'To' Phone Number")
    if (!Body) return refuse(res, 400, 21602, 'Message body is required.')
    if (MessagingServiceSid !== o.messagingServiceSid)
      return refuse(res, 404, 20404, 'The messaging service was not found')
    while (state.behaviourOf(To) === 'hold' && !req.socket.destroyed)
      await new Promise<void>(done => {
        const end = () => {
          state.changes.off('behaviour', end)
          req.socket.off('close', end)
          done()
        }
        state.changes.on('behaviour', end)
        req.socket.on('close', end)
      })
    const behaviour = state.behave(To)
    const fault = apiFaults[state.optedOut.has(To) ? 'opted_out' : behaviour]
    if (fault) return refuse(res, fault.status, fault.code, fault.message)
    const message = state.add({
      direction: 'outbound-api',
      to: To,
      from: o.sender,
      body: Body,
      status: 'queued',
      errorCode: null,
      callback: StatusCallback ?? null,
    })
    o.carrier.carry(message, behaviour)
    if (behaviour === 'reset_after_accept') return req.socket.destroy()
    if (behaviour === 'hang_after_accept') return
    return res.status(201).json(resource(message, o))
  })

  router.get('/2010-04-01/Accounts/:account/Messages.json', (req, res) => {
    const query = req.query as Record<string, unknown>
    const size = Math.min(Number(query.PageSize ?? 50) || 50, 1000)
    const found = state
      .messages()
      .filter(m => !m.erased && (!query.To || m.to === query.To) && (!query.From || m.from === query.From))
      .filter(m => sentWithin(m, query))
      .toReversed()
      .slice(0, size)
    const uri = `/2010-04-01/Accounts/${o.accountSid}/Messages.json`
    res.json({
      messages: found.map(m => resource(m, o)),
      uri,
      first_page_uri: uri,
      next_page_uri: null,
      previous_page_uri: null,
      page: 0,
      page_size: size,
      start: 0,
      end: Math.max(0, found.length - 1),
    })
  })

  const one: express.RequestHandler<{ sid: string }> = (req, res, next) => {
    const m = state.find(req.params.sid)
    if (!m || m.erased) return refuse(res, 404, 20404, 'The requested resource was not found')
    res.locals.message = m
    return next()
  }
  const path = '/2010-04-01/Accounts/:account/Messages/:sid'
  router.get(`${path}.json`, one, (_req, res) => res.json(resource(res.locals.message, o)))
  router.get(`${path}/Media.json`, one, (req, res) =>
    res.json({ media_list: [], uri: req.originalUrl, next_page_uri: null, page: 0, page_size: 50, start: 0, end: 0 }),
  )
  router.delete(`${path}.json`, one, (_req, res) => {
    state.erase(res.locals.message.sid)
    res.status(204).end()
  })
  return router
}
