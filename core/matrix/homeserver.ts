import { hours } from '../domain/clock.ts'
import type { DeviceId, UserId } from '../domain/ids.ts'
import type { Secret } from '../secret.ts'

/** A Matrix error answer: HTTP status and `errcode` of the client-server API. */
export class MatrixRefusal extends Error {
  readonly status: number
  readonly errcode: string
  readonly retryAfterMs: number | undefined
  constructor(status: number, errcode: string, message: string, retryAfterMs?: number) {
    super(`${status} ${errcode}: ${message}`)
    this.name = 'MatrixRefusal'
    this.status = status
    this.errcode = errcode
    this.retryAfterMs = retryAfterMs
  }
}

/** Refused for good: not in the room, not invited, no power, no such room. js-sdk's own errors have their status beside the name. */
export const isRefusedForGood = (e: unknown): boolean => {
  const status = e instanceof MatrixRefusal ? e.status : (e as { httpStatus?: number } | null)?.httpStatus
  return status === 403 || status === 404
}

export type HomeserverOptions = { url: string; asToken: Secret; timeoutMs?: number }
export type Acting = { userId?: UserId | string; deviceId?: DeviceId | string }
export type RequestOptions = Acting & {
  query?: Record<string, string | number | boolean>
  body?: unknown
  timeoutMs?: number
  signal?: AbortSignal
}

/**
 * The client-server API as one of our application service's users: as_token plus `user_id` and `device_id` (MSC3202, MSC4326) on every call, so no logins exist.
 * `path` is whole, e.g. `/_matrix/client/v3/rooms/${encodeURIComponent(room)}/invite`. Waits out 429 answers of up to 10 s.
 * @throws MatrixRefusal on an error answer; the fetch error when the homeserver cannot be reached.
 */
export interface Homeserver {
  readonly url: string
  request<T = Record<string, unknown>>(
    method: 'GET' | 'PUT' | 'POST' | 'DELETE',
    path: string,
    options?: RequestOptions,
  ): Promise<T>
  /** A fetch for js-sdk: adds the token, `user_id` and `device_id` to every call under the homeserver's URL. */
  fetchAs(acting: Acting): typeof globalThis.fetch
}

const retryable = (e: unknown): e is MatrixRefusal =>
  e instanceof MatrixRefusal && e.status === 429 && (e.retryAfterMs ?? 1000) <= 10_000

export const createHomeserver = ({ url, asToken, timeoutMs = 30_000 }: HomeserverOptions): Homeserver => {
  const base = url.replace(/\/+$/, '')
  const act = (target: URL, acting: Acting) => {
    if (acting.userId) target.searchParams.set('user_id', acting.userId)
    if (acting.deviceId) {
      target.searchParams.set('device_id', acting.deviceId)
      target.searchParams.set('org.matrix.msc3202.device_id', acting.deviceId)
    }
    return target
  }
  const once = async <T>(method: string, path: string, o: RequestOptions): Promise<T> => {
    const target = act(new URL(base + path), o)
    for (const [k, v] of Object.entries(o.query ?? {})) target.searchParams.set(k, String(v))
    const limit = AbortSignal.timeout(Math.min(o.timeoutMs ?? timeoutMs, hours(1)))
    const response = await fetch(target, {
      method,
      headers: {
        authorization: `Bearer ${asToken.reveal()}`,
        ...(o.body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      body: o.body === undefined ? undefined : JSON.stringify(o.body),
      signal: o.signal ? AbortSignal.any([o.signal, limit]) : limit,
    })
    const answer = (await response.json().catch(() => ({}))) as Record<string, unknown>
    if (response.ok) return answer as T
    const wait = typeof answer.retry_after_ms === 'number' ? answer.retry_after_ms : undefined
    throw new MatrixRefusal(
      response.status,
      String(answer.errcode ?? 'M_UNKNOWN'),
      String(answer.error ?? response.statusText),
      wait,
    )
  }
  return {
    url: base,
    request: async <T>(method: string, path: string, options: RequestOptions = {}): Promise<T> => {
      for (let attempt = 0; ; attempt++) {
        try {
          return await once<T>(method, path, options)
        } catch (e) {
          if (attempt >= 5 || !retryable(e)) throw e
          await new Promise(done => setTimeout(done, e.retryAfterMs ?? 1000))
        }
      }
    },
    fetchAs: acting => (input, init) => {
      const target = act(new URL(input instanceof Request ? input.url : String(input)), acting)
      const headers = new Headers(init?.headers ?? (input instanceof Request ? input.headers : undefined))
      headers.set('authorization', `Bearer ${asToken.reveal()}`)
      return fetch(target, { ...init, headers })
    },
  }
}
