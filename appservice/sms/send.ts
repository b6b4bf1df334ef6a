import { hours, minutes } from '../../core/domain/clock.ts'
import type { JobHandler, Outcome } from '../../core/queues/outbox-worker.ts'
import { erasedAtProvider } from '../../core/store/texts/inbound-texts.ts'
import {
  beginText,
  checkAfter,
  firstUnclaimed,
  textAccepted,
  textDelayed,
  textFailed,
  textMark,
  textStatus,
} from '../../core/store/texts/text-outcomes.ts'
import { type TextJob, textById } from '../../core/store/texts/texts.ts'
import { transact } from '../../core/store/tx.ts'
import type { SmsDeps } from './deps.ts'
import { NoAnswer, type SendAnswer } from './provider.ts'

/** How long a text is tried again before it counts as failed, and when the care team first hears that it does not go out. */
const giveUpAfter = hours(24)
const tellAfter = minutes(10)

const backOff = (attempts: number): number => Math.min(minutes(5), 1000 * 2 ** Math.min(attempts, 10))

/** Later, or never: an outage of the provider is no reason to drop a text on the same day. */
const again = (
  job: { since: number; attempts: number },
  now: number,
  textId: TextJob['textId'],
  reason: string,
  wait: number,
): Outcome => {
  if (now - job.since > giveUpAfter)
    return { kind: 'done', apply: tx => textFailed(tx, textId, { code: reason, class: 'transient' }) }
  const late = now - job.since > tellAfter
  return { kind: 'retry', after: wait, reason, ...(late ? { apply: tx => textDelayed(tx, textId) } : {}) }
}

/**
 * Job `sms.send`: one text, once. It is noted as begun before it is handed over; a later try that finds it begun asks the provider first whether it has the
 * text already, so that a crash between the provider's answer and our commit neither loses nor repeats it.
 */
export const sendText =
  ({ store, provider, log, uncertainMs = 20_000 }: SmsDeps): JobHandler =>
  async (job, ctx) => {
    const payload = job.payload as TextJob
    const { textId } = payload
    const now = () => store.clock.now()
    const text = await textById(store.db, textId)
    if (!text) return { kind: 'done' }
    const tries = { since: text.begunAt ?? now(), attempts: job.attempts }
    try {
      if (text.state === 'sending') {
        const since = (text.begunAt ?? text.createdAt) - minutes(2)
        const mark = await textMark(store.db, text, payload)
        const had = await firstUnclaimed(store.db, textId, await provider.find({ to: payload.phone, since, mark }))
        if (had)
          return { kind: 'done', apply: tx => textAccepted(tx, textId, { provider: provider.name, providerId: had }) }
      }
      const begun = await transact(store, tx => beginText(tx, payload))
      if (begun.kind === 'over') return { kind: 'done' }
      if (begun.kind === 'later') return { kind: 'retry', after: begun.at - now(), reason: 'quiet hours' }
      await ctx.step('send')
      const answer: SendAnswer = await provider.send({ textId, to: payload.phone, body: begun.body })
      if (answer.kind === 'taken') {
        const { providerId } = answer
        log.info({ textId, provider: provider.name }, 'text handed over')
        return { kind: 'done', apply: tx => textAccepted(tx, textId, { provider: provider.name, providerId }) }
      }
      log.warn(
        { textId, provider: provider.name, code: answer.code, class: answer.class },
        'text refused by the provider',
      )
      if (answer.class === 'transient')
        return again(tries, now(), textId, answer.code, answer.retryAfterMs ?? backOff(job.attempts))
      return { kind: 'done', apply: tx => textFailed(tx, textId, { code: answer.code, class: answer.class }) }
    } catch (e) {
      if (!(e instanceof NoAnswer)) throw e
      log.warn({ textId, provider: provider.name, code: e.code }, 'the provider gave no answer')
      return again(tries, now(), textId, e.code, Math.max(uncertainMs, backOff(job.attempts)))
    }
  }

/** Job `sms.check`: no delivery report came; ask once, and then call it unknown. */
export const checkText =
  ({ store, provider }: SmsDeps): JobHandler =>
  async job => {
    const { textId } = job.payload as { textId: TextJob['textId'] }
    const text = await textById(store.db, textId)
    if (text?.state !== 'sent' || !text.providerId) return { kind: 'done' }
    const { providerId } = text
    try {
      const known = await provider.status(providerId)
      const signal = known && known.signal !== 'accepted' ? known.signal : 'silent'
      return {
        kind: 'done',
        apply: async tx => {
          await textStatus(tx, { textId, provider: provider.name, providerId, signal, error: known?.error })
        },
      }
    } catch (e) {
      if (!(e instanceof NoAnswer)) throw e
      return { kind: 'retry', after: checkAfter, reason: e.code }
    }
  }

/** Job `sms.erase`: an incoming text does not stay at the provider. */
export const eraseText =
  ({ provider, store }: SmsDeps): JobHandler =>
  async job => {
    const { providerId } = job.payload as { providerId: string }
    try {
      await provider.erase(providerId)
      return { kind: 'done', apply: tx => erasedAtProvider(tx, providerId) }
    } catch (e) {
      if (!(e instanceof NoAnswer) || store.clock.now() - job.createdAt > hours(24 * 7)) throw e
      return { kind: 'retry', after: backOff(job.attempts), reason: e.code }
    }
  }
