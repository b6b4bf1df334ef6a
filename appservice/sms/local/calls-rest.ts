import express from 'express'
import { z } from 'zod'
import { apiFaults } from './behaviours.ts'
import type { Calls, LocalCall } from './calls.ts'
import type { LocalState } from './state.ts'

const rfc2822 = (at: number) => new Date(at).toUTCString().replace('GMT', '+0000')

const resource = (c: LocalCall, accountSid: string) => ({
  sid: c.sid,
  account_sid: accountSid,
  api_version: '2010-04-01',
  to: c.to,
  from: c.from,
  direction: 'outbound-api',
  status: c.status,
  date_created: rfc2822(c.createdAt),
  date_updated: rfc2822(c.createdAt),
  start_time: null,
  end_time: null,
  duration: null,
  price: null,
  price_unit: 'USD',
  uri: `/2010-04-01/Accounts/${accountSid}/Calls/${c.sid}.json`,
  subresource_uris: {},
})

type Refuse = (res: express.Response, status: number, code: number, message: string) => unknown

/** The part of Twilio's Calls API (2010-04-01) that Wardroom uses, behind the account's authentication. */
export const callsRest = (o: {
  calls: Calls
  state: LocalState
  accountSid: string
  refuse: Refuse
}): express.Router => {
  const { calls, state, accountSid, refuse } = o
  const router = express.Router({ mergeParams: true })
  const base = '/2010-04-01/Accounts/:account/Calls'
  router.post(`${base}.json`, (req, res) => {
    const { To, From, Url, StatusCallback, Timeout } = req.body as Record<string, string | undefined>
    if (!To || !/^\+\d{6,15}$/.test(To)) return refuse(res, 400, 21211, "Invalid 'To' Phone Number")
    if (!From) return refuse(res, 400, 21213, 'Caller phone number is required')
    if (!Url || !URL.canParse(Url)) return refuse(res, 400, 21205, 'Url is not valid')
    const behaviour = state.behave(To)
    const fault = apiFaults[behaviour]
    if (fault && behaviour !== 'opted_out' && behaviour !== 'not_mobile')
      return refuse(res, fault.status, fault.code, fault.message)
    const rings = Math.min(Number(Timeout ?? 60) || 60, 600) * 1000
    const early = [(req.body as { StatusCallbackEvent?: string | string[] }).StatusCallbackEvent]
      .flat()
      .includes('initiated')
    const call = calls.dial({ to: To, from: From, url: Url, callback: StatusCallback ?? null, early }, behaviour, rings)
    if (behaviour === 'reset_after_accept') return req.socket.destroy()
    if (behaviour === 'hang_after_accept') return
    return res.status(201).json(resource(call, accountSid))
  })
  router.get(`${base}.json`, (req, res) => {
    const size = Math.min(Number(req.query.PageSize ?? 50) || 50, 1000)
    const found = calls.list().filter(c => !req.query.To || c.to === req.query.To)
    const uri = `/2010-04-01/Accounts/${accountSid}/Calls.json`
    res.json({
      calls: found
        .toReversed()
        .slice(0, size)
        .map(c => resource(c, accountSid)),
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
    const call = calls.find(req.params.sid)
    if (!call) return void refuse(res, 404, 20404, 'The requested resource was not found')
    res.locals.call = call
    return next()
  }
  router.get(`${base}/:sid.json`, one, (_req, res) => res.json(resource(res.locals.call, accountSid)))
  router.post(`${base}/:sid.json`, one, (req, res) => {
    const call = res.locals.call as LocalCall
    const wants = (req.body as Record<string, string | undefined>).Status
    if (wants !== 'completed' && wants !== 'canceled') return refuse(res, 400, 21218, 'Status is not valid')
    if (!calls.hangUp(call.sid)) return refuse(res, 400, 21220, 'Call is not in-progress. Cannot redirect.')
    return res.json(resource(call, accountSid))
  })
  return router
}

const pick = z.object({
  digits: z
    .string()
    .regex(/^\d{0,5}$/)
    .default(''),
})

/** For tests and the handset page: `GET /local/calls?to=+1…` the calls of a telephone, oldest first; `POST /local/calls/:sid/pick-up {digits?}`. */
export const callsApi = (calls: Calls): express.Router => {
  const router = express.Router()
  router.get('/local/calls', (req, res) => {
    res.json(calls.list().filter(c => typeof req.query.to !== 'string' || c.to === req.query.to))
  })
  router.post('/local/calls/:sid/pick-up', (req, res) => {
    const given = pick.safeParse(req.body ?? {})
    const up = given.success && calls.pickUp(req.params.sid, given.data.digits)
    res.status(up ? 204 : 409).end()
  })
  return router
}
