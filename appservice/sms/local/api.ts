import express from 'express'
import { z } from 'zod'
import { type Behaviour, behaviours } from './behaviours.ts'
import type { Calls } from './calls.ts'
import { callsApi } from './calls-rest.ts'
import type { Carrier } from './carrier.ts'
import { handsetOf, type LocalState } from './state.ts'

const number = z.string().regex(/^\+\d{6,15}$/)
const inbound = z.object({
  from: number,
  body: z.string().max(1600),
  media: z.number().int().min(0).max(10).default(0),
})
const rule = z.object({
  number,
  behaviour: z.enum(Object.keys(behaviours) as [Behaviour, ...Behaviour[]]),
  times: z.number().int().min(1).max(1000).optional(),
})

/**
 * For tests and the handset page, JSON only (so that no foreign page's form reaches it):
 * `GET /local/messages?to=+1…` the texts of a telephone, oldest first; `POST /local/inbound {from, body}` a text from it; `GET /local/behaviours`;
 * `POST /local/behaviour {number, behaviour, times?}` what it does from now on.
 */
export const localApi = (state: LocalState, carrier: Carrier, calls: Calls): express.Router => {
  const router = express.Router()
  router.use('/local', express.json({ limit: '16kb', strict: true }))
  router.use(callsApi(calls))
  router.get('/local/messages', (req, res) => {
    const to = typeof req.query.to === 'string' ? req.query.to : undefined
    res.json(state.messages().filter(m => to === undefined || handsetOf(m) === to))
  })
  router.get('/local/behaviours', (_req, res) => {
    res.json(behaviours)
  })
  router.post('/local/inbound', (req, res) => {
    const text = inbound.safeParse(req.body)
    if (text.success) res.status(201).json(carrier.receive(text.data))
    else res.status(400).json({ error: 'Send JSON: { "from": "+12025550123", "body": "STOP" }.' })
  })
  router.post('/local/behaviour', (req, res) => {
    const r = rule.safeParse(req.body)
    if (!r.success) {
      res
        .status(400)
        .json({ error: `Send JSON: { "number": "+1…", "behaviour": one of ${Object.keys(behaviours).join(', ')} }.` })
      return
    }
    state.setBehaviour(r.data.number, r.data.behaviour, r.data.times)
    res.status(204).end()
  })
  return router
}
