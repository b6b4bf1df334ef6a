import type { JWK } from 'jose'
import { Agent, request } from 'undici'
import type { Secret } from '../../core/secret.ts'
import type { KeeperAddress } from './keeper.ts'

export type KeyRequest = { sessionId: string; cookie: string; publicKey: JWK }
export type KeyAnswer = { jwe: string } | { refused: string }

/** The bridge's way to the keeper. @throws when the keeper cannot be reached or failed. */
export interface KeeperClient {
  release(asked: KeyRequest): Promise<KeyAnswer>
  stop(): Promise<void>
}

export const keeperClient = (address: KeeperAddress, secret: Secret): KeeperClient => {
  const dispatcher = new Agent('socket' in address ? { connect: { socketPath: address.socket } } : {})
  const base = 'socket' in address ? 'http://keeper' : address.url
  return {
    release: async asked => {
      const { statusCode, body } = await request(`${base}/k`, {
        method: 'POST',
        dispatcher,
        headers: { authorization: `Bearer ${secret.reveal()}`, 'content-type': 'application/json' },
        body: JSON.stringify(asked),
        headersTimeout: 10_000,
        bodyTimeout: 10_000,
      })
      const answer = (await body.json()) as { jwe?: string; code?: string }
      if (statusCode === 200 && answer.jwe) return { jwe: answer.jwe }
      if (statusCode === 403 || statusCode === 400) return { refused: answer.code ?? 'refused' }
      throw new Error(`the keeper answered ${statusCode}`)
    },
    stop: () => dispatcher.close(),
  }
}
