import express from 'express'
import { z } from 'zod'
import type { TextId } from '../../core/domain/ids.ts'
import { isRefusal } from '../../core/domain/refusal.ts'
import type { Log } from '../../core/log.ts'
import { parsePhone } from '../../core/phone.ts'
import type { Secret } from '../../core/secret.ts'
import { receiveText } from '../../core/store/texts/inbound-texts.ts'
import { textStatus } from '../../core/store/texts/text-outcomes.ts'
import { type StoreDeps, transact } from '../../core/store/tx.ts'
import { isSigned, readStatus } from './twilio.ts'

export type WebhookDeps = {
  store: StoreDeps
  accountSid: string
  authToken: Secret
  /** As Twilio knows us; signatures are over this address, not over what a proxy makes of it. */
  publicUrl: string
  log: Log
}

const short = z.string().max(200)
const statusForm = z.object({
  AccountSid: short,
  MessageSid: short.min(1),
  MessageStatus: short.min(1),
  ErrorCode: short.optional(),
})
const inboundForm = z.object({
  AccountSid: short,
  MessageSid: short.min(1),
  From: short.min(1),
  Body: z.string().max(10_000).default(''),
  NumMedia: z.coerce.number().int().min(0).max(50).default(0),
  OptOutType: z.enum(['STOP', 'START', 'HELP']).optional(),
})
const textId = z.string().regex(/^tx_[0-9a-z]{8,40}$/)

const lower = { STOP: 'stop', START: 'start', HELP: 'help' } as const

/** Reads forms and lets only those through that the provider signed; `url`: a request's address as the provider knows it. */
export const signedForms = (deps: WebhookDeps) => {
  const base = deps.publicUrl.replace(/\/+$/, '')
  const url = (req: express.Request) => base + req.originalUrl
  const signed: express.RequestHandler = (req, res, next) => {
    const body = (req.body ?? {}) as Record<string, string>
    const genuine = isSigned(deps.authToken, req.get('x-twilio-signature') ?? '', url(req), body)
    if (genuine && body.AccountSid === deps.accountSid) return next()
    deps.log.warn({ path: req.path }, 'an SMS webhook without a valid signature was refused')
    res.status(403).end()
  }
  return { url, signed, form: express.urlencoded({ extended: false, limit: '64kb', parameterLimit: 200 }) }
}

/**
 * To be mounted at `/sms`: `POST /sms/status` and `POST /sms/inbound` of the public app. 403 without Twilio's signature, 400 for a form that makes no sense; otherwise stored, committed
 * and only then acknowledged. Repeats change nothing (row 61).
 */
export const smsWebhooks = (deps: WebhookDeps): express.Router => {
  const { store, log } = deps
  const router = express.Router()
  const { form, signed, url } = signedForms(deps)

  router.post('/status', form, signed, async (req, res) => {
    const report = statusForm.safeParse(req.body)
    if (!report.success) {
      res.status(400).end()
      return
    }
    const { MessageSid, MessageStatus, ErrorCode } = report.data
    const ours = textId.safeParse(new URL(url(req)).searchParams.get('text'))
    const status = readStatus(MessageStatus, ErrorCode ? Number(ErrorCode) : undefined)
    const known = await transact(store, async tx => {
      const textId = ours.success ? (ours.data as TextId) : undefined
      const found = await textStatus(tx, { textId, provider: 'twilio', providerId: MessageSid, ...status })
      if (!found)
        await tx.audit({
          actor: { kind: 'peer', id: 'sms' },
          action: 'text.status',
          object: { kind: 'text', id: MessageSid },
          outcome: 'refused',
          reason: 'unknown',
        })
      return found
    })
    if (!known) log.warn({ status: MessageStatus }, 'a status report for a text that is not ours')
    res.status(204).end()
  })

  router.post('/inbound', form, signed, async (req, res) => {
    const message = inboundForm.safeParse(req.body)
    if (!message.success) {
      res.status(400).end()
      return
    }
    const { MessageSid, From, Body, NumMedia, OptOutType } = message.data
    const phone = parsePhone(From, 'US')
    await transact(store, tx =>
      receiveText(tx, {
        providerId: MessageSid,
        from: isRefusal(phone) ? From : phone.e164,
        body: Body,
        media: NumMedia,
        answered: OptOutType ? lower[OptOutType] : null,
      }),
    )
    res.type('text/xml').send('<?xml version="1.0" encoding="UTF-8"?><Response/>')
  })
  return router
}
