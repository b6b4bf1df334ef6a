import { Agent, request } from 'undici'
import type { Delivery, Option, SinkEnv, SinkTarget } from './sink.ts'
import { readTls, tlsOptions } from './tls.ts'

/** A receiver's answer: at most 8 MB of it. `json` is undefined where it is no JSON. */
export type HttpAnswer = { status: number; json: unknown; after: number | undefined }

export type HttpReceiver = {
  post(path: string, body: string, headers: Record<string, string>): Promise<HttpAnswer>
  close(): Promise<void>
}

export const httpOptions: Readonly<Record<string, Option>> = {
  ...tlsOptions,
  http: { about: 'yes lets a receiver on this machine be reached without TLS.', oneOf: ['yes'] },
}

const maxAnswer = 8 * 1024 * 1024
const timeout = 30_000

const retryAfter = (header: string | string[] | undefined): number | undefined => {
  const text = String(header ?? '')
  const ms = /^\d{1,6}$/.test(text) ? Number(text) * 1000 : Date.parse(text) - Date.now()
  return ms > 0 ? ms : undefined
}

const readJson = async (body: AsyncIterable<Uint8Array>): Promise<unknown> => {
  const parts: Uint8Array[] = []
  let size = 0
  for await (const part of body) {
    size += part.length
    if (size > maxAnswer) return undefined
    parts.push(part)
  }
  try {
    return JSON.parse(Buffer.concat(parts).toString('utf8')) as unknown
  } catch {
    return undefined // a page of a proxy, say; the status counts
  }
}

/** Posts to one receiver over one connection that stays open. Follows no redirection. `timeoutMs`: how long an answer is waited for (30 s). */
export const httpReceiver = ({ target, options }: SinkTarget, env: SinkEnv, timeoutMs = timeout): HttpReceiver => {
  const connect = { ...readTls(options, env), timeout: 10_000 }
  const dispatcher = new Agent({ connect, connections: 1, pipelining: 1, keepAliveTimeout: 10_000 })
  return {
    post: async (path, body, headers) => {
      const answer = await request(`${target}${path}`, {
        method: 'POST',
        dispatcher,
        headers: { 'user-agent': 'Wardroom', ...headers },
        body,
        headersTimeout: timeoutMs,
        bodyTimeout: timeoutMs,
      })
      const json = await readJson(answer.body)
      return { status: answer.statusCode, json, after: retryAfter(answer.headers['retry-after']) }
    },
    close: () => dispatcher.destroy(),
  }
}

/** What a status means where the answer's body says nothing better. Refused sign-ins, unknown paths and redirections are the receiver's set-up, never an entry's fault. */
export const byStatus = ({ status, after }: HttpAnswer): Delivery => {
  const code = `http-${status}`
  if (status >= 200 && status < 300) return { kind: 'taken', answer: `HTTP ${status}` }
  if (status === 400 || status === 413 || status === 422) return { kind: 'unfit', code }
  return { kind: 'wait', code, after }
}

export const bearer = (scheme: string, token: string | undefined): Record<string, string> =>
  token === undefined ? {} : { authorization: `${scheme} ${token}` }
