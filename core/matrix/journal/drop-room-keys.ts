import { databases } from './journal.ts'
import { roomKeyStore } from './old-room-keys.ts'

const requested = <T>(request: IDBRequest<T>): Promise<T> =>
  new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result)
    request.onerror = () => reject(request.error)
  })

const finished = (transaction: IDBTransaction): Promise<void> =>
  new Promise((resolve, reject) => {
    transaction.oncomplete = () => resolve()
    transaction.onabort = () => reject(transaction.error)
  })

export type StoredKeys = { store: string; keys: IDBValidKey[] }[]

const opened = async <T>(prefix: string, work: (db: IDBDatabase, stores: string[]) => Promise<T>): Promise<T> => {
  const db = await requested(indexedDB.open(prefix + databases[0]))
  try {
    return await work(
      db,
      [...db.objectStoreNames].filter(s => roomKeyStore.test(s)),
    )
  } finally {
    db.close()
  }
}

/** Where the received Megolm sessions lie that are in the key backup already. */
export const backedUpRoomKeys = (prefix: string): Promise<StoredKeys> =>
  opened(prefix, async (db, stores) => {
    const found: StoredKeys = []
    for (const store of stores) {
      const from = db.transaction(store, 'readonly').objectStore(store)
      const [keys, values] = await Promise.all([requested(from.getAllKeys()), requested(from.getAll())])
      found.push({ store, keys: keys.filter((_, i) => !(values[i] as { needs_backup?: unknown }).needs_backup) })
    }
    return found
  })

/** Takes them out of memory and, by the journal, out of the database. The SDK keeps none of them elsewhere. */
export const dropRoomKeys = (prefix: string, found: StoredKeys): Promise<void> =>
  opened(prefix, async db => {
    for (const { store, keys } of found) {
      if (keys.length === 0) continue
      const transaction = db.transaction(store, 'readwrite')
      const done = finished(transaction)
      for (const key of keys) transaction.objectStore(store).delete(key)
      await done
    }
  })
