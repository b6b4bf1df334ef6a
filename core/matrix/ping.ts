import { setTimeout as pause } from 'node:timers/promises'
import { seconds } from '../domain/clock.ts'
import { errorFacts, isOutage } from '../error-facts.ts'
import type { Log } from '../log.ts'
import type { Homeserver } from './homeserver.ts'

export type Deliveries = {
  /** To be called for each transaction that came: was it stored? If not, the homeserver waits before it comes again, each time longer. */
  arrived(stored: boolean): void
  /** Asks for the first time; the endpoint must listen. A homeserver that is away is no error. */
  begin(): Promise<void>
  stop(): Promise<void>
}

export type DeliveryOptions = { homeserver: Homeserver; registrationId: string; log: Log }

const usualMs = seconds(30)

/**
 * Sees to it that the homeserver delivers (`POST /_matrix/client/v1/appservice/{id}/ping`), instead of sitting out its back-off, up to 512 s, after we or our
 * database were away. Asked in quick succession at the start, because the homeserver's first delivery may fail on a connection to the process before us,
 * and then waits longer than before, and again after we could not store something; otherwise every half minute. What arrives by itself is not asked for: two
 * retries at a time confuse Synapse.
 */
export const keepDeliveries = ({ homeserver, registrationId, log }: DeliveryOptions): Deliveries => {
  const stopped = new AbortController()
  const path = `/_matrix/client/v1/appservice/${encodeURIComponent(registrationId)}/ping`
  let news = false
  let wait = 250
  let hurry = new AbortController()
  let running: Promise<void> = Promise.resolve()
  const ask = async () => {
    try {
      await homeserver.request('POST', path, { body: { transaction_id: 'start' }, signal: stopped.signal })
    } catch (err) {
      if (stopped.signal.aborted) return
      // Synapse answers 502 when its own call to us was cut short.
      if (!isOutage(err)) throw err
      log.debug({ err: errorFacts(err), registrationId }, 'the homeserver cannot be asked to deliver now')
    }
  }
  const goOn = async () => {
    for (; !stopped.signal.aborted; wait = Math.min(wait * 2, usualMs)) {
      const signal = AbortSignal.any([stopped.signal, hurry.signal])
      await pause(wait, undefined, { signal, ref: false }).catch(() => undefined)
      if (stopped.signal.aborted) return
      if (hurry.signal.aborted) {
        hurry = new AbortController()
        wait = seconds(0.5)
        continue
      }
      if (!news)
        await ask().catch(err =>
          log.error({ err: errorFacts(err), registrationId }, 'the homeserver refuses to deliver'),
        )
      news = false
    }
  }
  return {
    arrived: stored => {
      news = stored
      // A database that stays away is asked for every few seconds, not all the time.
      if (!stored && wait > seconds(4)) hurry.abort()
    },
    begin: async () => {
      await ask()
      running = goOn()
    },
    stop: async () => {
      stopped.abort()
      await running
    },
  }
}
