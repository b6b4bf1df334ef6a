import { createClient, type MatrixClient, MemoryStore } from 'matrix-js-sdk'
import { seconds } from '../domain/clock.ts'
import type { DeviceId, UserId } from '../domain/ids.ts'
import type { Log } from '../log.ts'
import type { Homeserver } from './homeserver.ts'
import { olmMachineOf } from './olm-machine.ts'
import { sdkLogger } from './sdk-log.ts'

export type SdkClientOptions = {
  homeserver: Homeserver
  userId: UserId
  deviceId: DeviceId
  /** The 32-byte key of the user's secret storage (4S), asked for at each use. */
  secretStorageKey: () => Uint8Array
  log?: Log
}

type RequestOptions = { localTimeoutMs?: number; abortSignal?: AbortSignal }
type Requests = { requestOtherUrl(method: string, url: unknown, body?: unknown, o?: RequestOptions): Promise<unknown> }

/** js-sdk's own time limits are timers that nobody clears: they kept a process alive, and a finished request in memory, for up to two minutes. */
export const tameTimeouts = (client: MatrixClient): void => {
  const http = client.http as unknown as Requests
  const { requestOtherUrl } = http
  http.requestOtherUrl = (method, url, body, o = {}) => {
    const { localTimeoutMs, abortSignal, ...rest } = o
    if (localTimeoutMs === undefined) return requestOtherUrl.call(http, method, url, body, o)
    const limit = AbortSignal.timeout(localTimeoutMs)
    const signal = abortSignal ? AbortSignal.any([abortSignal, limit]) : limit
    return requestOtherUrl.call(http, method, url, body, { ...rest, abortSignal: signal })
  }
}

/** A js-sdk client of one of our devices, acting with the as_token. Everything but a crypto store that is set up later lives in memory only. */
export const createSdkClient = (o: SdkClientOptions): MatrixClient => {
  const client = createClient({
    baseUrl: o.homeserver.url,
    userId: o.userId,
    deviceId: o.deviceId,
    accessToken: 'application-service',
    fetchFn: o.homeserver.fetchAs({ userId: o.userId, deviceId: o.deviceId }),
    store: new MemoryStore({}),
    disableVoip: true,
    logger: sdkLogger(o.log),
    cryptoCallbacks: {
      getSecretStorageKey: async ({ keys }) => {
        const id = Object.keys(keys)[0]
        return id === undefined ? null : [id, new Uint8Array(o.secretStorageKey())]
      },
    },
  })
  tameTimeouts(client)
  return client
}

const graceMs = seconds(30)

/**
 * Stops a client whose crypto may still be at work in the background (a backup check, a key query). js-sdk closes the crypto library at once, and whatever
 * comes back to it then throws where nobody can catch it, which ends the process; so it is closed when all that is over.
 */
export const stopSdkClient = (client: MatrixClient): void => {
  const crypto = client.getCrypto()
  if (crypto) {
    const machine = olmMachineOf(crypto)
    const close = machine.close.bind(machine)
    machine.close = () => {
      setTimeout(() => {
        try {
          close()
        } catch {
          // Something still holds it: its memory stays, which is the lesser evil.
        }
      }, graceMs).unref()
    }
  }
  client.stopClient()
}
