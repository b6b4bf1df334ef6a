import twilio from 'twilio'
import type { Secret } from '../../core/secret.ts'
import { type Pace, pace } from './pace.ts'
import { NoAnswer, type ProviderStatus, type SendAnswer, type SmsProvider } from './provider.ts'
import { classifyTwilioError } from './twilio-errors.ts'

export type TwilioOptions = {
  accountSid: string
  authToken: Secret
  messagingServiceSid: string
  /** Where Twilio reports to, e.g. `https://chat.clinic.example/sms/status`. */
  statusCallback: string
  /** Replaces the API's origin: only for the local server, never with a real account. */
  origin?: string
  ratePerSecond?: number
  timeoutMs?: number
  /** The number that pages call from. */
  voiceNumber?: string
}

/** An account SID that no real account has: hexadecimal digits only there, letters beyond f here. */
export const isLocalAccount = (sid: string): boolean => sid.startsWith('AClocal')

const callbackFor = (statusCallback: string, textId: string): string => {
  const url = new URL(statusCallback)
  url.searchParams.set('text', textId)
  return url.toString()
}

type ApiError = { status?: unknown; code?: unknown }
export const isApiError = (e: unknown): e is { status: number; code?: number } =>
  typeof e === 'object' && e !== null && typeof (e as ApiError).status === 'number'
export const codeOf = (e: unknown): string =>
  String((e as ApiError | null)?.code ?? (e as Error | null)?.name ?? 'unknown')

/** Fetch errors and 5xx answers leave open what happened; the library's error would quote the request, so it is not passed on. */
export const answered = async <T>(call: () => Promise<T>): Promise<T> => {
  try {
    return await call()
  } catch (e) {
    if (isApiError(e) && e.status < 500) throw e
    throw new NoAnswer(isApiError(e) ? `HTTP ${e.status}` : codeOf(e))
  }
}

const statusOf = (status: string, errorCode: number | null | undefined): ProviderStatus => {
  if (status === 'delivered' || status === 'read') return { signal: 'delivered' }
  if (status === 'failed' || status === 'undelivered' || status === 'canceled') {
    const code = String(errorCode ?? status)
    const kind = classifyTwilioError(code)
    // Twilio has given up on this one: what would be worth another try before it was taken is not any more.
    return { signal: 'failed', error: { code, class: kind === 'transient' ? 'unreachable' : kind } }
  }
  return { signal: 'accepted' }
}

/** The library with the API's origin replaced: it has no option for that. @throws when a local account would go to Twilio, or a real one to a local server. */
export const clientFor = (o: Omit<TwilioOptions, 'statusCallback'>) => {
  if (isLocalAccount(o.accountSid) !== (o.origin !== undefined))
    throw new Error('a local SMS account belongs to the local SMS server, a real one to Twilio; they were mixed')
  const http = new twilio.RequestClient({ timeout: o.timeoutMs ?? 15_000, keepAlive: true })
  const { origin } = o
  if (origin) {
    const request = http.request.bind(http)
    http.request = opts => {
      const { pathname, search } = new URL(opts.uri)
      return request({ ...opts, uri: new URL(pathname + search, origin).toString() })
    }
  }
  return twilio(o.accountSid, o.authToken.reveal(), { httpClient: http })
}

/**
 * Twilio's Messages API through its own library, with a messaging service and a status callback that carries our text's id.
 * @throws when a local account would go to Twilio, or a real one to a local server.
 */
export const twilioProvider = (o: TwilioOptions, limit: Pace = pace(o.ratePerSecond ?? 1)): SmsProvider => {
  const client = clientFor(o)
  return {
    name: 'twilio',
    send: async ({ textId, to, body }): Promise<SendAnswer> => {
      await limit()
      try {
        const message = await answered(() =>
          client.messages.create({
            to,
            body,
            messagingServiceSid: o.messagingServiceSid,
            statusCallback: callbackFor(o.statusCallback, textId),
          }),
        )
        return { kind: 'taken', providerId: message.sid }
      } catch (e) {
        if (!isApiError(e)) throw e
        const code = String(e.code ?? e.status)
        return { kind: 'refused', code, class: classifyTwilioError(e.code, e.status) }
      }
    },
    // Not filtered by DateSent: a text that still waits at Twilio has no such date yet, and just that one must be found.
    find: async ({ to, since, mark }) => {
      const list = await answered(() => client.messages.list({ to, limit: 50, pageSize: 50 }))
      return list
        .filter(m => m.direction !== 'inbound' && m.dateCreated.getTime() >= since - 1000 && m.body.includes(mark))
        .sort((a, b) => a.dateCreated.getTime() - b.dateCreated.getTime())
        .map(m => m.sid)
    },
    status: async providerId => {
      try {
        const m = await answered(() => client.messages(providerId).fetch())
        return statusOf(m.status, m.errorCode)
      } catch (e) {
        if (isApiError(e) && e.status === 404) return null
        throw e
      }
    },
    erase: async providerId => {
      try {
        const media = await answered(() => client.messages(providerId).media.list({ limit: 20 }))
        for (const m of media) await answered(() => m.remove())
        await answered(() => client.messages(providerId).remove())
      } catch (e) {
        if (!isApiError(e)) throw e
        if (e.status !== 404) throw new NoAnswer(`HTTP ${e.status}`)
      }
    },
  }
}

/** A status callback's words as ours. */
export const readStatus = statusOf

/** Checks `X-Twilio-Signature` over the public URL and the form (HMAC-SHA1, compared in constant time). */
export const isSigned = (authToken: Secret, signature: string, url: string, form: Record<string, string>): boolean =>
  signature.length > 0 && twilio.validateRequest(authToken.reveal(), signature, url, form)

/** Signs as Twilio does: for the local server. */
export const sign = (authToken: Secret, url: string, form: Record<string, string>): string =>
  twilio.getExpectedTwilioSignature(authToken.reveal(), url, form)
