import express from 'express'
import { z } from 'zod'
import { readKey } from '../../../core/domain/oncall/paging/reply.ts'
import { isRefusal } from '../../../core/domain/refusal.ts'
import type { Duty } from '../../../core/oncall/pages/duty.ts'
import { answerPage, contactFailed } from '../../../core/oncall/pages/engine.ts'
import { type Contact, contactOf, contactSent, endContact } from '../../../core/store/oncall/page-contacts.ts'
import { readPage } from '../../../core/store/oncall/pages.ts'
import { type Tx, transact } from '../../../core/store/tx.ts'
import { readStatus } from '../twilio.ts'
import { signedForms, type WebhookDeps } from '../webhooks.ts'
import { readContactName } from './jobs.ts'
import { answered, type CallLang, question, unknownCall } from './twiml.ts'

const short = z.string().max(200)
const callForm = z.object({
  CallSid: short.min(1),
  CallStatus: short.optional(),
  Digits: z.string().max(20).optional(),
})
const textForm = z.object({ MessageSid: short.min(1), MessageStatus: short.min(1), ErrorCode: short.optional() })

/** Ends of a call without anybody having pressed a key: voicemail, busy, nobody there. */
const over = new Set(['completed', 'busy', 'no-answer', 'failed', 'canceled'])

type Known = { contact: Contact; ref: string; priority: 'routine' | 'urgent' | 'stat'; lang: CallLang }

/**
 * To be mounted at `/voice`: what Twilio asks while a page's call rings and is answered (`answer`, `key`), how it ended (`status`), and how a page's text went
 * (`text`). 403 without Twilio's signature; repeats and reports in the wrong order change nothing.
 */
export const pageWebhooks = (deps: WebhookDeps & { duty: Duty }): express.Router => {
  const { store, log, duty } = deps
  const router = express.Router()
  const { form, signed, url } = signedForms(deps)

  /** The contact that the address names, with its page; the provider's id is noted where we never heard it. */
  const known = async (tx: Tx, req: express.Request, providerId: string): Promise<Known | undefined> => {
    const which = readContactName(new URL(url(req)).searchParams.get('contact') ?? '')
    const stored = which && (await readPage(tx.sql, which.page))
    const contact = which && (await contactOf(tx.sql, which.page, which.key))
    if (!stored || !contact) return undefined
    if (contact.providerId !== providerId) await contactSent(tx, contact, { providerId, sure: true })
    const lang = contact.way === 'line' ? 'en' : (await duty.person(tx, contact.person)).lang
    return { contact, ref: stored.page.ref, priority: stored.page.priority, lang }
  }
  const xml = (res: express.Response, body: string) => res.type('text/xml').send(body)

  router.post('/answer', form, signed, async (req, res) => {
    const call = callForm.safeParse(req.body)
    if (!call.success) return void res.status(400).end()
    const is = await transact(store, tx => known(tx, req, call.data.CallSid))
    if (!is) return void xml(res, unknownCall)
    const name = encodeURIComponent(`${is.contact.page}.${is.contact.key}`)
    const round = Number(new URL(url(req)).searchParams.get('round') ?? 0)
    return void xml(
      res,
      question(is, {
        key: `/voice/key?contact=${name}`,
        again: round < 2 ? `/voice/answer?contact=${name}&round=${round + 1}` : null,
      }),
    )
  })

  router.post('/key', form, signed, async (req, res) => {
    const call = callForm.safeParse(req.body)
    if (!call.success) return void res.status(400).end()
    const said = readKey(call.data.Digits ?? '')
    const result = await transact(store, async tx => {
      const is = await known(tx, req, call.data.CallSid)
      if (!is || !said) return { is, words: undefined }
      const by = is.contact.person
      const actor = { kind: is.contact.way === 'line' ? 'anonymous' : 'user', id: by } as const
      const turn = await answerPage(tx, duty, is.contact.page, { kind: said, by, way: 'voice' }, actor)
      await endContact(tx, is.contact, 'answered')
      const refused = isRefusal(turn)
      return { is, words: answered(is, said, { refused, isLast: !refused && turn.page.phase === 'exhausted' }) }
    })
    if (!result.is) return void xml(res, unknownCall)
    const name = encodeURIComponent(`${result.is.contact.page}.${result.is.contact.key}`)
    return void xml(res, result.words ?? question(result.is, { key: `/voice/key?contact=${name}`, again: null }))
  })

  router.post('/status', form, signed, async (req, res) => {
    const call = callForm.safeParse(req.body)
    if (!call.success) return void res.status(400).end()
    const { CallSid, CallStatus } = call.data
    await transact(store, async tx => {
      const is = await known(tx, req, CallSid)
      if (is && CallStatus && over.has(CallStatus)) await contactFailed(tx, duty, is.contact, `call ${CallStatus}`)
    })
    return void res.status(204).end()
  })

  router.post('/text', form, signed, async (req, res) => {
    const report = textForm.safeParse(req.body)
    if (!report.success) return void res.status(400).end()
    const { MessageSid, MessageStatus, ErrorCode } = report.data
    const status = readStatus(MessageStatus, ErrorCode ? Number(ErrorCode) : undefined)
    await transact(store, async tx => {
      const is = await known(tx, req, MessageSid)
      if (is && status.signal === 'failed') {
        log.warn({ contact: is.contact.key, code: status.error?.code }, 'a page’s text was not delivered')
        await contactFailed(tx, duty, is.contact, status.error?.code ?? 'undelivered')
      }
    })
    return void res.status(204).end()
  })
  return router
}
