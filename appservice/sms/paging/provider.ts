import type { Instant } from '../../../core/domain/clock.ts'
import { type Pace, pace } from '../pace.ts'
import type { SendAnswer } from '../provider.ts'
import { answered, clientFor, codeOf, isApiError, type TwilioOptions } from '../twilio.ts'
import { classifyTwilioError } from '../twilio-errors.ts'

/** How pages reach telephones. `contact` (`pg_….3`) comes back with every report; `to` is E.164. */
export interface PagePhones {
  /** @throws NoAnswer when nobody can tell whether it was taken: look it up before doing it again. */
  text(sms: { to: string; body: string; contact?: string }): Promise<SendAnswer>
  /** Ids of texts to this number since then whose words contain `mark`, oldest first. @throws NoAnswer. */
  findTexts(query: { to: string; since: Instant; mark: string }): Promise<string[]>
  /** Calls and reads what `/voice/answer` says. The beginning and the end are reported to `/voice/status`; no list of calls tells one from another. @throws NoAnswer. */
  call(to: string, contact: string): Promise<SendAnswer>
  /** Ends a call that rings or is under way; one that is over already is fine. @throws NoAnswer. */
  hangUp(callId: string): Promise<void>
}

/** How long a telephone rings, in seconds: less than most voicemail waits. */
const ringSeconds = 25

const refusedAs = (e: unknown): SendAnswer => {
  if (!isApiError(e)) throw e
  return { kind: 'refused', code: String(e.code ?? e.status), class: classifyTwilioError(e.code, e.status) }
}

/** Twilio's Messages and Calls APIs through its own library. A page waits for no patient's text: it has a pace of its own, twice what a clinic's pages are (50 a second), so that what a stall leaves behind is soon made up. `publicUrl`: where Twilio reports to. */
export const twilioPhones = (
  o: Omit<TwilioOptions, 'statusCallback'> & { publicUrl: string },
  limit: Pace = pace(100),
): PagePhones => {
  const client = clientFor({ timeoutMs: 5000, ...o })
  const base = o.publicUrl.replace(/\/+$/, '')
  const at = (path: string, contact: string) => `${base}/voice/${path}?contact=${encodeURIComponent(contact)}`
  return {
    text: async ({ to, body, contact }) => {
      await limit()
      try {
        const message = await answered(() =>
          client.messages.create({
            to,
            body,
            messagingServiceSid: o.messagingServiceSid,
            ...(contact === undefined ? {} : { statusCallback: at('text', contact) }),
          }),
        )
        return { kind: 'taken', providerId: message.sid }
      } catch (e) {
        return refusedAs(e)
      }
    },
    findTexts: async ({ to, since, mark }) => {
      const list = await answered(() => client.messages.list({ to, limit: 50, pageSize: 50 }))
      return list
        .filter(m => m.direction !== 'inbound' && m.dateCreated.getTime() >= since - 1000 && m.body.includes(mark))
        .sort((a, b) => a.dateCreated.getTime() - b.dateCreated.getTime())
        .map(m => m.sid)
    },
    call: async (to, contact) => {
      if (!o.voiceNumber) return { kind: 'refused', code: 'no-voice-number', class: 'configuration' }
      await limit()
      const from = o.voiceNumber
      try {
        const call = await answered(() =>
          client.calls.create({
            to,
            from,
            url: at('answer', contact),
            method: 'POST',
            timeout: ringSeconds,
            statusCallback: at('status', contact),
            statusCallbackEvent: ['initiated', 'completed'],
          }),
        )
        return { kind: 'taken', providerId: call.sid }
      } catch (e) {
        return refusedAs(e)
      }
    },
    hangUp: async callId => {
      try {
        await answered(() => client.calls(callId).update({ status: 'completed' }))
      } catch (e) {
        // Over already (21220), or never there.
        if (!isApiError(e) || !['21220', '20404'].includes(codeOf(e))) throw e
      }
    },
  }
}
