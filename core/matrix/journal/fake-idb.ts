import 'fake-indexeddb/auto'

// The parts of fake-indexeddb 6.2.8 that the journal uses and that are not public; a test checks that they are still there.

export type Key = IDBValidKey
type StoredRecord = { key: Key; value: unknown }
type RollbackLog = unknown[]

type RawIndex = { name: string; keyPath: string | string[]; multiEntry: boolean; unique: boolean }
export type RawStore = {
  name: string
  keyPath: string | string[] | null
  autoIncrement: boolean
  rawIndexes: Map<string, RawIndex>
  records: { values(range: IDBKeyRange): Iterable<StoredRecord> }
  storeRecord(record: StoredRecord, noOverwrite: boolean, log?: RollbackLog): Key
  deleteRecord(key: Key | IDBKeyRange, log?: RollbackLog): void
  clear(log?: RollbackLog): void
}

export type RawTransaction = {
  mode: 'readonly' | 'readwrite' | 'versionchange'
  db: { name: string; version: number; _rawDatabase: { rawObjectStores: Map<string, RawStore> } }
  error: unknown
  _state: 'active' | 'inactive' | 'committing' | 'finished'
  _started: boolean
  _requests: { request: { readyState: 'pending' | 'done' } }[]
  _rollbackLog: RollbackLog
  _start(): void
  _abort(name: string | null): void
}

/** What one transaction changed, in order. */
export type Change =
  | { kind: 'put'; store: string; key: Key; value: unknown }
  | { kind: 'delete'; store: string; key: Key }
  | { kind: 'clear'; store: string }

export type IndexSchema = { name: string; keyPath: string | string[]; multiEntry: boolean; unique: boolean }
export type StoreSchema = {
  name: string
  keyPath: string | string[] | null
  autoIncrement: boolean
  indexes: IndexSchema[]
}
/** A database's shape; sent with the changes of an upgrade. */
export type Schema = { version: number; stores: StoreSchema[] }

export type Batch = { db: string; changes: Change[]; schema?: Schema }

/** Makes a batch durable. The transaction is finished, and the next one may see it, only once the promise resolves. */
export type Sink = (batch: Batch) => Promise<void>

const sinks = new Map<string, Sink>()
const captured = new WeakMap<RollbackLog, Change[]>()
const flushing = new WeakSet<RawTransaction>()

const note = (log: RollbackLog | undefined, ...changes: Change[]) => {
  // A rollback calls the same methods without a log.
  if (!log) return
  const list = captured.get(log)
  if (list) list.push(...changes)
  else captured.set(log, changes)
}

const schemaOf = ({ db }: Pick<RawTransaction, 'db'>): Schema => ({
  version: db.version,
  stores: [...db._rawDatabase.rawObjectStores.values()].map(s => ({
    name: s.name,
    keyPath: s.keyPath,
    autoIncrement: s.autoIncrement,
    indexes: [...s.rawIndexes.values()].map(i => ({
      name: i.name,
      keyPath: i.keyPath,
      multiEntry: i.multiEntry,
      unique: i.unique,
    })),
  })),
})

const patchStores = (store: RawStore) => {
  const { storeRecord, deleteRecord, clear } = store
  store.storeRecord = function (record, noOverwrite, log) {
    const key = storeRecord.call(this, record, noOverwrite, log)
    note(log, { kind: 'put', store: this.name, key, value: record.value })
    return key
  }
  store.deleteRecord = function (key, log) {
    const keys = key instanceof IDBKeyRange ? [...this.records.values(key)].map(r => r.key) : [key]
    deleteRecord.call(this, key, log)
    note(log, ...keys.map(k => ({ kind: 'delete' as const, store: this.name, key: k })))
  }
  store.clear = function (log) {
    clear.call(this, log)
    note(log, { kind: 'clear', store: this.name })
  }
}

/** `_start` runs once after every request; when none is left it would finish the transaction: that is where the journal comes first. */
const patchTransactions = (transaction: RawTransaction) => {
  const { _start, _abort } = transaction
  transaction._start = function () {
    const sink = this.mode === 'readonly' ? undefined : sinks.get(this.db.name)
    const waiting = this._requests.some(r => r.request.readyState !== 'done')
    if (!sink || waiting || this._state === 'finished') return _start.call(this)
    const changes = captured.get(this._rollbackLog) ?? []
    captured.delete(this._rollbackLog)
    const upgraded = this.mode === 'versionchange' && !flushing.has(this)
    if (changes.length === 0 && !upgraded) return _start.call(this)
    this._started = true
    flushing.add(this)
    const schema = upgraded ? schemaOf(this) : undefined
    void sink({ db: this.db.name, changes, schema }).then(() => this._start())
  }
  transaction._abort = function (name) {
    // Rust code that has let go of a transaction aborts it; once its changes are on their way that must not be possible.
    if (flushing.has(this) && this._state !== 'finished')
      throw new Error('a transaction was aborted while it was saved')
    captured.delete(this._rollbackLog)
    return _abort.call(this, name)
  }
}

const requested = <T>(request: IDBRequest<T>): Promise<T> =>
  new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result)
    request.onerror = () => reject(request.error)
  })

let patched: Promise<void> | undefined

/** Patches fake-indexeddb's prototypes, once a process; only databases with a sink notice. */
export const patchFakeIdb = (): Promise<void> => {
  patched ??= (async () => {
    const open = indexedDB.open('wardroom-patch', 1)
    open.onupgradeneeded = () => open.result.createObjectStore('s')
    const db = await requested(open)
    const store = db.transaction('s', 'readonly').objectStore('s') as unknown as { _rawObjectStore: RawStore }
    patchStores(Object.getPrototypeOf(store._rawObjectStore))
    patchTransactions(IDBTransaction.prototype as unknown as RawTransaction)
    db.close()
    await requested(indexedDB.deleteDatabase('wardroom-patch'))
  })()
  return patched
}

/** From now on every change of this database goes through `sink`. */
export const setSink = (db: string, sink: Sink): void => {
  sinks.set(db, sink)
}

const keyPathOf = (keyPath: string | string[] | null) => keyPath ?? undefined

/** Recreates a database in memory from its schema and records. It must not exist there yet. */
export const restoreDatabase = async (
  name: string,
  schema: Schema,
  records: readonly { store: string; key: Key; value: unknown }[],
): Promise<void> => {
  const open = indexedDB.open(name, schema.version)
  open.onupgradeneeded = () => {
    const stores = new Map<string, IDBObjectStore>()
    for (const s of schema.stores) {
      const store = open.result.createObjectStore(s.name, {
        keyPath: keyPathOf(s.keyPath),
        autoIncrement: s.autoIncrement,
      })
      for (const i of s.indexes) store.createIndex(i.name, i.keyPath, { multiEntry: i.multiEntry, unique: i.unique })
      stores.set(s.name, store)
    }
    for (const r of records) {
      const store = stores.get(r.store)
      if (store?.keyPath === null) store.put(r.value, r.key)
      else store?.put(r.value)
    }
  }
  const db = await requested(open)
  db.close()
}

export type Dump = { schema: Schema; records: { store: string; key: Key; value: unknown }[] }

/** A database's shape and all its records at one instant, as `restoreDatabase` takes them. */
export const dumpDatabase = async (name: string): Promise<Dump> => {
  const db = await requested(indexedDB.open(name))
  try {
    const transaction = db.transaction([...db.objectStoreNames], 'readonly')
    const stores = await Promise.all(
      [...db.objectStoreNames].map(async store => {
        const from = transaction.objectStore(store)
        const [keys, values] = await Promise.all([requested(from.getAllKeys()), requested(from.getAll())])
        return keys.map((key, i) => ({ store, key, value: values[i] as unknown }))
      }),
    )
    return { schema: schemaOf(transaction as unknown as RawTransaction), records: stores.flat() }
  } finally {
    db.close()
  }
}

type RawFactory = { _databases: Map<string, unknown> }

/** Drops a database from memory; whatever still writes to it never finishes. Its journal stays. */
export const forgetDatabase = (name: string): void => {
  setSink(name, () => new Promise<void>(() => {}))
  ;(indexedDB as unknown as RawFactory)._databases.delete(name)
}
