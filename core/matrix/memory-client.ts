import { ClientEvent, Filter, type MatrixClient, type SyncState } from 'matrix-js-sdk'
import type { CryptoApi } from 'matrix-js-sdk/lib/crypto-api/index.js'
import { seconds } from '../domain/clock.ts'
import type { RoomId, UserId } from '../domain/ids.ts'
import { createSdkClient, type SdkClientOptions, stopSdkClient } from './sdk-client.ts'

export type MemoryClient = { client: MatrixClient; crypto: CryptoApi; stop(): void }

export type MemoryClientOptions = SdkClientOptions & {
  /** The only rooms it hears of, with their state but no timeline. */
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

/** A client of one of our devices with nothing on disk; synced once. `stop` ends it and forgets its keys. */
export const openMemoryClient = async (o: MemoryClientOptions): Promise<MemoryClient> => {
  const client = createSdkClient(o)
  try {
    await client.initRustCrypto({ useIndexedDB: false })
    await firstSync(client, { filter: quietFilter(o.userId, o.rooms) })
    const crypto = client.getCrypto()
    if (!crypto) throw new Error('the SDK has no encryption')
    return { client, crypto, stop: () => stopSdkClient(client) }
  } catch (e) {
    stopSdkClient(client)
    throw e
  }
}
