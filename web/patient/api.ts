import type {
  Clinic,
  ConsentScope,
  ConsentView,
  ExtendAnswer,
  Factor,
  KeyAnswer,
  ReauthAnswer,
  Session,
  TapAnswer,
  VerifyAnswer,
} from '../contract.ts'
import { byOwnClock } from '../shared/deadlines.ts'
import type { Problem } from './model.ts'

/** A call that did not work, as the screen can say it; `status` 0 when there was no answer at all. */
export class ApiError extends Error {
  readonly status: number
  constructor(status: number) {
    super(`HTTP ${status}`)
    this.status = status
  }
  get problem(): Problem {
    if (this.status === 0) return 'network'
    return this.status === 429 ? 'too-many' : 'server'
  }
}

const withOwnClock = <T extends { state: string }>(answer: T): T =>
  'session' in answer ? { ...answer, session: byOwnClock(answer.session as Session, Date.now()) } : answer

export type Api = ReturnType<typeof createApi>

const patience = 20_000

/** The bridge's calls of web/contract.ts. Each throws `ApiError` on anything but a 2xx. The link's token travels in bodies and one header, never in an address. */
export const createApi = (token: string | null, http: typeof fetch) => {
  const call = async (
    method: 'GET' | 'POST',
    path: string,
    body?: unknown,
    more: RequestInit = {},
  ): Promise<Response> => {
    const answer = await http(path, {
      method,
      credentials: 'same-origin',
      cache: 'no-store',
      signal: AbortSignal.timeout(patience),
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      ...more,
      headers: { ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...more.headers },
    }).catch(() => null)
    if (answer === null) throw new ApiError(0)
    if (!answer.ok) throw new ApiError(answer.status)
    return answer
  }
  const json = async <T>(answer: Promise<Response>): Promise<T> => (await (await answer).json()) as T
  const bearer = (session: Session) => ({ headers: { authorization: `Bearer ${session.csrf}` } })
  const post = <T>(path: string, body: unknown) => json<T>(call('POST', path, body))
  const inSession = (session: Session, path: string, body: unknown = {}) =>
    call('POST', `/api/session/${path}`, body, bearer(session))

  return {
    clinic: () => json<Clinic>(call('GET', '/api/clinic', undefined, { cache: 'default' })),
    tap: async () => withOwnClock(await post<TapAnswer>('/api/link/tap', { token })),
    verify: async (factor: Factor, value: string) =>
      withOwnClock(await post<VerifyAnswer>('/api/link/verify', { token, factor, value })),
    smsCode: () => call('POST', '/api/link/sms-code', { token }),
    newLink: () => call('POST', '/api/link/new', { token }),
    notMe: () => call('POST', '/api/link/not-me', { token }),
    stop: () => call('POST', '/api/link/stop', { token }),
    check: (host: string) => post<{ ours: boolean }>('/api/check', { host }),
    /** The session that this browser still has for this link, or null. */
    resume: async (): Promise<Session | null> => {
      const headers = { 'x-wardroom-link': token ?? '' }
      try {
        return byOwnClock(await json<Session>(call('POST', '/api/session', {}, { headers })), Date.now())
      } catch (error) {
        if (error instanceof ApiError && error.status >= 400 && error.status < 500) return null
        throw error
      }
    },
    key: (session: Session, publicKey: JsonWebKey) => json<KeyAnswer>(inSession(session, 'key', { publicKey })),
    extend: async (session: Session) => byOwnClock(await json<ExtendAnswer>(inSession(session, 'extend')), Date.now()),
    reauth: async (session: Session, factor: Factor, value: string) => {
      const answer = await json<ReauthAnswer>(inSession(session, 'reauth', { factor, value }))
      return answer.state === 'ok' ? byOwnClock(answer, Date.now()) : answer
    },
    undecryptable: (session: Session, eventId: string) => inSession(session, 'undecryptable', { eventId }),
    step: (session: Session, step: 'decrypted' | 'failed', detail?: string) =>
      inSession(session, 'step', { step, detail }),
    consents: (session: Session) =>
      json<ConsentView[]>(call('GET', '/api/session/consents', undefined, bearer(session))),
    setConsent: (session: Session, scope: ConsentScope, agreed: boolean) =>
      inSession(session, 'consents', { scope, agreed }),
    end: (session: Session) => inSession(session, 'end'),
    /** The tab closes or reloads: survives the page, and nobody waits for it. */
    leave: (session: Session) => {
      void http('/api/session/end', {
        method: 'POST',
        keepalive: true,
        credentials: 'same-origin',
        headers: { 'content-type': 'application/json', authorization: `Bearer ${session.csrf}` },
        body: JSON.stringify({ leaving: true }),
      }).catch(() => undefined)
    },
  }
}
