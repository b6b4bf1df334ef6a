import express, { type NextFunction, type Request, type Response, type Router } from 'express'
import { z } from 'zod'
import { consentScopes } from '../../core/domain/care/consent.ts'
import type { EventId } from '../../core/domain/ids.ts'
import { idleAt, reauthAt, standing } from '../../core/domain/session.ts'
import { parsed, refuseWith } from '../../core/http/answers.ts'
import { type Cookies, clearSession, readCookie } from '../../core/http/cookies.ts'
import { type KnownCaller, originOf } from '../../core/http/refusals.ts'
import { actorOf, holdsBearer, peekSession, type Session } from '../../core/store/links/sessions.ts'
import { listConsents } from '../../core/store/patients/consents.ts'
import { readSettings } from '../../core/store/staff/settings.ts'
import { transact } from '../../core/store/tx.ts'
import type { ConsentView, ExtendAnswer, KeyAnswer, ReauthAnswer } from '../../web/contract.ts'
import { deleteDoomed } from '../links/devices.ts'
import { changeConsent, end, extend, reauth, resume, undecryptable } from '../links/session-requests.ts'
import type { PublicDeps } from './deps.ts'
import type { LiveCalls } from './proxy/live-calls.ts'
import { describeSession } from './session-answer.ts'

const part = z.string().length(43)
const keyBody = z.object({ publicKey: z.object({ kty: z.literal('EC'), crv: z.literal('P-256'), x: part, y: part }) })
const reauthBody = z.strictObject({ factor: z.enum(['birth_date', 'pin']), value: z.string().max(64) })
const endBody = z.strictObject({ leaving: z.boolean().optional() })
const consentBody = z.strictObject({ scope: z.enum(consentScopes), agreed: z.boolean() })
const eventBody = z.strictObject({ eventId: z.string().regex(/^\$[A-Za-z0-9_+/=:.-]{1,254}$/) })
const stepBody = z.strictObject({
  step: z.enum(['decrypted', 'failed']),
  detail: z
    .string()
    .regex(/^[A-Za-z0-9_.:-]{1,60}$/)
    .optional(),
})

/** Everything of a session that is not Matrix: `/api/session…`. Each call but the first needs cookie and bearer. */
export const sessionApi = (deps: PublicDeps, cookies: Cookies, live: LiveCalls): Router => {
  const { store } = deps
  const deadlines = (s: Session): ExtendAnswer => ({
    now: store.clock.now(),
    idleAt: idleAt(s),
    reauthAt: reauthAt(s),
  })
  const router = express.Router({ caseSensitive: true, strict: true })

  router.post('/', async (req, res) => {
    const cookie = readCookie(req, cookies.session)
    const link = req.headers['x-wardroom-link']
    const resumed =
      cookie && typeof link === 'string' ? await resume(store, cookie, link.slice(0, 64), originOf(req)) : null
    if (!resumed || 'dead' in resumed) {
      if (resumed?.dead) await deleteDoomed(deps, resumed.dead)
      return refuseWith(res, 401, 'session')
    }
    live.end(resumed.session.id)
    const answer = await describeSession(deps, await readSettings(store.db), resumed.session, resumed.csrf)
    res.json(answer)
    await deleteDoomed(deps, resumed.session.id)
  })

  type Handler = (session: Session, req: Request, res: Response) => Promise<unknown> | unknown
  /** `late`: also while the person has to prove again who they are. */
  const within =
    (handler: Handler, late = false) =>
    async (req: Request, res: Response, _next: NextFunction) => {
      const cookie = readCookie(req, cookies.session)
      const bearer = /^Bearer (\S{16,64})$/.exec(req.headers.authorization ?? '')?.[1]
      const session = cookie && bearer ? await peekSession(store.db, cookie) : null
      if (!session || !bearer || !holdsBearer(session, bearer)) return refuseWith(res, 401, 'session')
      res.locals.known = {
        actor: actorOf(session),
        patient: session.patientId,
        room: session.roomId,
      } satisfies KnownCaller
      const now = standing(session, store.clock.now())
      if (now === 'idle' || now === 'ended') return refuseWith(res, 401, 'session')
      if (now === 'reauth' && !late) return refuseWith(res, 403, 'reauth')
      await handler(session, req, res)
    }

  router.post(
    '/key',
    within(async (session, req, res) => {
      const body = parsed(keyBody, req, res)
      if (!body) return
      const cookie = readCookie(req, cookies.session) ?? ''
      const answer = await deps.keeper.release({
        sessionId: session.id,
        cookie,
        publicKey: body.publicKey,
        origin: originOf(req),
      })
      if ('jwe' in answer) return res.json(answer satisfies KeyAnswer)
      res.locals.audited = true // by the keeper, as session.key
      return refuseWith(res, answer.refused === 'rate' ? 429 : 403, answer.refused === 'rate' ? 'too-many' : 'session')
    }),
  )
  router.post(
    '/extend',
    within(async (session, req, res) => res.json(deadlines(await extend(store, session, originOf(req)))), true),
  )
  router.post(
    '/reauth',
    within(async (session, req, res) => {
      const body = parsed(reauthBody, req, res)
      if (!body) return
      const result = await reauth(store, session, body.factor, body.value, originOf(req))
      if (result.state === 'locked') {
        live.end(session.id)
        await deleteDoomed(deps, session.id)
      }
      const answer: ReauthAnswer = result.state === 'ok' ? { state: 'ok', ...deadlines(result.session) } : result
      res.json(answer)
    }, true),
  )
  router.post(
    '/end',
    within(async (session, req, res) => {
      const body = parsed(endBody, req, res)
      if (!body) return
      await end(store, session, body.leaving === true, originOf(req))
      live.end(session.id)
      if (!body.leaving) clearSession(res, cookies)
      await deleteDoomed(deps, session.id)
      res.status(204).end()
    }, true),
  )
  router.get(
    '/consents',
    within(async (session, req, res) => {
      const list: ConsentView[] = await transact(store, async tx => {
        await tx.audit({
          actor: actorOf(session),
          action: 'consent.view',
          object: { kind: 'person', id: session.personId },
          outcome: 'done',
          patient: session.patientId,
          room: session.roomId,
          origin: originOf(req),
        })
        return listConsents(tx.sql, session.personId)
      })
      res.json(list)
    }),
  )
  router.post(
    '/consents',
    within(async (session, req, res) => {
      const body = parsed(consentBody, req, res)
      if (!body) return
      await changeConsent(store, session, body.scope, body.agreed, originOf(req))
      res.status(204).end()
    }),
  )
  router.post(
    '/undecryptable',
    within(async (session, req, res) => {
      const body = parsed(eventBody, req, res)
      if (!body) return
      await undecryptable(store, session, body.eventId as EventId, originOf(req))
      res.status(202).json({})
    }),
  )
  router.post(
    '/step',
    within(async (session, req, res) => {
      const body = parsed(stepBody, req, res)
      if (!body) return
      await transact(store, tx =>
        tx.audit({
          actor: actorOf(session),
          action: 'session.read',
          object: { kind: 'session', id: session.id },
          outcome: body.step === 'decrypted' ? 'done' : 'failed',
          patient: session.patientId,
          room: session.roomId,
          origin: originOf(req),
          detail: { what: body.step, ...(body.detail ? { code: body.detail } : {}) },
        }),
      )
      if (body.step === 'failed')
        deps.log.warn({ session: session.id, code: body.detail }, 'a page could not open its messages')
      res.status(204).end()
    }, true),
  )
  return router
}
