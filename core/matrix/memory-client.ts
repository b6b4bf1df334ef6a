import { ClientEvent, Filter, type MatrixClient, type SyncState } from 'matrix-js-sdk'
import type { CryptoApi } from 'matrix-js-sdk/lib/crypto-api/index.js'
import { seconds } from '../domain/clock.ts'
import type { RoomId, UserId } from '../domain/ids.ts'
import type { Acting } from './homeserver.ts'
import { settleRequests } from './olm-machine.ts'
import { createSdkClient, type SdkClientOptions, stopSdkClient } from './sdk-client.ts'

export type MemoryClient = { client: MatrixClient; crypto: CryptoApi; stop(): void }

export type MemoryClientOptions = SdkClientOptions & {
  /** The only rooms that it knows, with their state but no timeline. With none of them it never syncs. */
  rooms: readonly RoomId[]
}

/** To-device messages, device lists, account data and the state of the given rooms: events come from the inbox, never from here. */
export const quietFilter = (userId: UserId, rooms?: readonly RoomId[]): Filter =>
  Filter.fromJson(userId, '', {
    presence: { types: [] },
    room: {
      ...(rooms ? { rooms: [...rooms] } : {}),
      timeline: { limit: 1, types: ['m.room.encryption', 'm.room.member'] },
      state: { lazy_load_members: false },
      ephemeral: { types: [] },
      account_data: { types: [] },
    },
  })

/** Resolves at the first finished sync. @throws when the homeserver cannot be reached or does not know the device. */
export const firstSync = (client: MatrixClient, options: { filter: Filter; timeoutMs?: number }): Promise<void> =>
  new Promise((resolve, reject) => {
    const limit = setTimeout(() => done(new Error('the first sync took too long')), options.timeoutMs ?? 30_000)
    const listen = (state: SyncState) => {
      if (state === 'PREPARED' || state === 'SYNCING') done()
      else if (state === 'ERROR' || state === 'STOPPED') done(new Error(`the first sync ended in ${state}`))
    }
    const done = (error?: Error) => {
      clearTimeout(limit)
      client.off(ClientEvent.Sync, listen)
      if (error) reject(error)
      else resolve()
    }
    client.on(ClientEvent.Sync, listen)
    // The homeserver may leave a sync asleep although there is something for it (see the bots' client); nobody waits half a minute for that.
    client
      .startClient({ filter: options.filter, disablePresence: true, initialSyncLimit: 1, pollTimeout: seconds(2) })
      .catch(done)
  })

/** Lets one answer to a sync through and holds back every further request: who speaks once needs no news, and each would cost the homeserver more than the message. */
const oneSync = (send: typeof fetch): typeof fetch => {
  let answered = false
  return async (input, init) => {
    const { pathname } = new URL(input instanceof Request ? input.url : String(input))
    if (!pathname.endsWith('/sync')) return send(input, init)
    if (answered)
      return new Promise((_, reject) => {
        const { signal } = init ?? {}
        if (signal?.aborted) reject(signal.reason)
        signal?.addEventListener('abort', () => reject(signal.reason), { once: true })
      })
    const response = await send(input, init)
    answered = response.ok
    return response
  }
}

/** Without a sync js-sdk asks the homeserver for each item of account data each time, forty times for a new identity: it is asked once, since nobody else writes it. */
const rememberAccountData = (client: MatrixClient): void => {
  type Content = Awaited<ReturnType<MatrixClient['getAccountDataFromServer']>>
  const known = new Map<string, Content>()
  const ask = client.getAccountDataFromServer.bind(client)
  const put = client.setAccountData.bind(client)
  client.getAccountDataFromServer = async type => {
    const content = known.has(type) ? known.get(type) : await ask(type)
    known.set(type, content as Content)
    return content as never
  }
  client.setAccountData = async (type, content) => {
    const answer = await put(type, content)
    known.set(type, content as Content)
    return answer
  }
}

/** A client of one of our devices with nothing on disk. It syncs once, for the rooms that it shall know, and not at all without any. `stop` ends it and forgets its keys. */
export const openMemoryClient = async (o: MemoryClientOptions): Promise<MemoryClient> => {
  const homeserver = { ...o.homeserver, fetchAs: (acting: Acting) => oneSync(o.homeserver.fetchAs(acting)) }
  const client = createSdkClient({ ...o, homeserver })
  if (o.rooms.length === 0) rememberAccountData(client)
  try {
    await client.initRustCrypto({ useIndexedDB: false })
    const crypto = client.getCrypto()
    if (!crypto) throw new Error('the SDK has no encryption')
    if (o.rooms.length > 0) await firstSync(client, { filter: quietFilter(o.userId, o.rooms) })
    else await settleRequests(crypto)
    return { client, crypto, stop: () => stopSdkClient(client) }
  } catch (e) {
    stopSdkClient(client)
    throw e
  }
}
