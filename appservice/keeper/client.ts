import type { JWK } from 'jose'
import { Agent, request } from 'undici'
import type { PersonId } from '../../core/domain/ids.ts'
import type { Secret } from '../../core/secret.ts'
import type { KeeperAddress } from './keeper.ts'

export type KeyRequest = {
  sessionId: string
  cookie: string
  publicKey: JWK
  origin?: { ip: string; agent?: string }
}
export type KeyAnswer = { jwe: string } | { refused: string }

/** The bridge's way to the keeper. @throws when the keeper cannot be reached or failed. */
export interface KeeperClient {
  release(asked: KeyRequest): Promise<KeyAnswer>
  /** Has the keeper replace a person's dehydrated device, for the attempt that shows `bearer`; takes some twenty seconds. K stays there. */
  renew(
    asked: { personId: PersonId; bearer: string },
    signal?: AbortSignal,
  ): Promise<{ renewed: true } | { refused: string }>
  stop(): Promise<void>
}

export const keeperClient = (address: KeeperAddress, secret: Secret): KeeperClient => {
  const dispatcher = new Agent('socket' in address ? { connect: { socketPath: address.socket } } : {})
  const base = 'socket' in address ? 'http://keeper' : address.url
  const post = async (path: string, asked: unknown, timeoutMs: number, signal?: AbortSignal) => {
    const { statusCode, body } = await request(base + path, {
      method: 'POST',
      dispatcher,
      signal,
      headers: { authorization: `Bearer ${secret.reveal()}`, 'content-type': 'application/json' },
      body: JSON.stringify(asked),
      headersTimeout: timeoutMs,
      bodyTimeout: 10_000,
    })
    return { statusCode, answer: (await body.json()) as { jwe?: string; code?: string } }
  }
  return {
    renew: async (asked, signal) => {
      const { statusCode, answer } = await post('/renewal', asked, 150_000, signal)
      if (statusCode === 200) return { renewed: true }
      if (statusCode === 403) return { refused: answer.code ?? 'refused' }
      throw new Error(`the keeper answered ${statusCode} to a renewal`)
    },
    release: async asked => {
      const { statusCode, answer } = await post('/k', asked, 10_000)
      if (statusCode === 200 && answer.jwe) return { jwe: answer.jwe }
      if (statusCode === 403 || statusCode === 400) return { refused: answer.code ?? 'refused' }
      throw new Error(`the keeper answered ${statusCode}`)
    },
    stop: () => dispatcher.close(),
  }
}
