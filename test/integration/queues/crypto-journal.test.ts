import { OlmMachine, UserId } from '@matrix-org/matrix-sdk-crypto-wasm'
import { expect } from 'chai'
import { RustCrypto } from 'matrix-js-sdk/lib/rust-crypto/rust-crypto.js'
import { patchFakeIdb, type RawStore, type RawTransaction } from '../../../core/matrix/journal/fake-idb.ts'
import { type Journal, openJournal } from '../../../core/matrix/journal/journal.ts'
import { isOldRoomKey } from '../../../core/matrix/journal/old-room-keys.ts'
import { type Lease, tryLease } from '../../../core/store/bots/leases.ts'
import { database, type TestDatabase } from '../../support/database.ts'
import { eventually } from '../../support/eventually.ts'
import { seededRandom } from '../../support/random.ts'
import { testLog } from '../../support/test-log.ts'

const random = seededRandom('crypto-journal')
const suffix = '::matrix-sdk-crypto'
const canary = '@ann.secret:clinic.example'

const asked = <T>(request: IDBRequest<T>): Promise<T> =>
  new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result)
    request.onerror = () => reject(request.error)
  })
const completed = (tx: IDBTransaction): Promise<void> =>
  new Promise((resolve, reject) => {
    tx.oncomplete = () => resolve()
    tx.onabort = () => reject(tx.error ?? new Error('aborted'))
  })

describe('the crypto journal', () => {
  let d: TestDatabase
  let lease: Lease
  let count = 0
  const log = testLog()
  let deaths: string[]
  let bot: string
  const journals: Journal[] = []

  before(async function () {
    this.timeout(120_000)
    d = await database()
  })
  after(async () => d?.drop())
  beforeEach(async () => {
    deaths = []
    bot = `@bot${++count}:test`
    lease = { name: bot, epoch: (await tryLease(d.store.db, bot, 'test', 600_000)) ?? 0 }
  })

  /** The journal as a new process would open it, under a name of its own. */
  const open = async (forget?: Parameters<typeof openJournal>[0]['forget']): Promise<string> => {
    const prefix = `${bot}#${++count}`
    const die = (reason: string) => void deaths.push(reason)
    journals.push(await openJournal({ store: d.store, pool: d.store.db, bot, lease, prefix, log, die, forget }))
    return prefix + suffix
  }
  const openDatabase = async (name: string, version = 1): Promise<IDBDatabase> => {
    const request = indexedDB.open(name, version)
    request.onupgradeneeded = ({ oldVersion }) => {
      const db = request.result
      if (oldVersion < 1) {
        db.createObjectStore('plain')
        db.createObjectStore('keyed', { keyPath: 'id' }).createIndex('kind', 'kind')
        db.createObjectStore('counted', { autoIncrement: true })
      }
      if (oldVersion < 2 && version >= 2) {
        db.deleteObjectStore('counted')
        db.createObjectStore('fresh').put('made in the upgrade', 'k')
      }
    }
    return asked(request)
  }
  const write = async (db: IDBDatabase, work: (tx: IDBTransaction) => void) => {
    const tx = db.transaction([...db.objectStoreNames], 'readwrite')
    const done = completed(tx)
    work(tx)
    await done
  }
  const content = async (db: IDBDatabase): Promise<Record<string, [IDBValidKey, unknown][]>> => {
    const all: Record<string, [IDBValidKey, unknown][]> = {}
    for (const name of db.objectStoreNames) {
      const store = db.transaction(name, 'readonly').objectStore(name)
      const keys = asked(store.getAllKeys())
      const values = asked(store.getAll())
      const listed = await values
      all[name] = (await keys).map((key, i) => [key, listed[i]])
    }
    return all
  }

  it('gives back exactly what finished transactions wrote: values of every kind, indexes, upgrades, deleted and emptied stores', async () => {
    const db = await openDatabase(await open())
    await write(db, tx => {
      const plain = tx.objectStore('plain')
      plain.put({ bytes: new Uint8Array([1, 2, 255]), when: new Date(5), map: new Map([['a', 1n]]) }, 'rich')
      for (let i = 0; i < 10; i++) plain.put(i, ['list', i])
      plain.put('first', 'twice')
      plain.put('second', 'twice')
      plain.delete(IDBKeyRange.bound(['list', 3], ['list', 6]))
      tx.objectStore('keyed').put({ id: 'x', kind: 'k1' })
      tx.objectStore('keyed').put({ id: 'y', kind: 'k2' })
      tx.objectStore('counted').add('one')
      tx.objectStore('counted').add('two')
    })
    await write(db, tx => {
      tx.objectStore('counted').clear()
      tx.objectStore('counted').add('three')
      tx.objectStore('keyed').delete('x')
    })
    const before = await content(db)
    expect(before.plain).to.have.lengthOf(8)
    const again = await openDatabase(await open())
    expect(await content(again)).to.deep.equal(before)
    const index = again.transaction('keyed', 'readonly').objectStore('keyed').index('kind')
    expect(await asked(index.getAllKeys('k2'))).to.deep.equal(['y'])
    again.close()
    const upgraded = await openDatabase(await open(), 2)
    const after = await content(upgraded)
    expect(after).to.deep.equal({ fresh: [['k', 'made in the upgrade']], keyed: before.keyed, plain: before.plain })
    expect(await content(await openDatabase(await open(), 2))).to.deep.equal(after)
  })

  it('gives back the same as memory after a random history, with aborts in it', async function () {
    this.timeout(120_000)
    const db = await openDatabase(await open())
    for (let n = 0; n < 120; n++) {
      const tx = db.transaction('plain', 'readwrite')
      const ended = completed(tx).catch(() => undefined)
      const store = tx.objectStore('plain')
      for (let i = random.int(6); i >= 0; i--) {
        const key = `k${random.int(20)}`
        const dice = random.int(20)
        if (dice === 0) store.clear()
        else if (dice < 6) store.delete(key)
        else store.put(random.int(1000), key)
      }
      if (random.int(5) === 0) tx.abort()
      await ended
    }
    expect(await content(await openDatabase(await open()))).to.deep.equal(await content(db))
  })

  it('lets no transaction finish, and no overlapping one start, before PostgreSQL has it', async () => {
    const db = await openDatabase(await open())
    const order: string[] = []
    const lock = await d.store.db.transaction()
    await lock('lease').where({ name: bot }).forUpdate().first()
    const first = write(db, tx => void tx.objectStore('plain').put(1, 'a')).then(() => order.push('finished'))
    const second = asked(db.transaction('plain', 'readonly').objectStore('plain').get('a')).then(v =>
      order.push(`read ${v}`),
    )
    await eventually(async () => {
      const { rows } = await d.store.db.raw(
        `select 1 from pg_stat_activity where wait_event_type = 'Lock' and query like 'with held%'`,
      )
      return rows.length > 0
    })
    expect(order).to.deep.equal([])
    await lock.commit()
    await Promise.all([first, second])
    expect(order).to.deep.equal(['finished', 'read 1'])
  })

  it('ends the process of a leader that was replaced; what it wrote is not there', async () => {
    const db = await openDatabase(await open())
    await write(db, tx => void tx.objectStore('plain').put('mine', 'a'))
    await d.store.db('lease').where({ name: bot }).increment('epoch', 1)
    let finished = false
    void write(db, tx => void tx.objectStore('plain').put('too late', 'a')).then(() => {
      finished = true
    })
    await eventually(() => deaths.length > 0)
    expect([finished, deaths]).to.deep.equal([false, ['the crypto journal could not be written']])
    lease = { ...lease, epoch: lease.epoch + 1 }
    expect((await content(await openDatabase(await open()))).plain).to.deep.equal([['a', 'mine']])
  })

  it('ends the process when a write fails for another reason than an outage', async () => {
    const db = await openDatabase(await open())
    await d.store.db.raw('alter table crypto_record rename to crypto_record_away')
    void write(db, tx => void tx.objectStore('plain').put(1, 'a'))
    await eventually(() => deaths.length > 0)
    await d.store.db.raw('alter table crypto_record_away rename to crypto_record')
  })

  it('waits for a database whose connections were cut', async () => {
    const db = await openDatabase(await open())
    const cut = () =>
      d.store.db.raw(
        'select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()',
      )
    const writes = Array.from({ length: 20 }, (_, i) => write(db, tx => void tx.objectStore('plain').put(i, i)))
    await Promise.all([...writes, cut()])
    expect(deaths).to.deep.equal([])
    expect((await content(await openDatabase(await open()))).plain).to.have.lengthOf(20)
  })

  it('shows neither keys nor values in the database', async () => {
    const db = await openDatabase(await open())
    await write(db, tx => void tx.objectStore('plain').put({ name: canary }, canary))
    const dump = await d.dump()
    expect(dump).to.include('crypto_record')
    for (const form of [
      canary,
      Buffer.from(canary).toString('base64').slice(2, -2),
      Buffer.from(canary).toString('hex'),
    ])
      expect(dump).to.not.include(form)
  })

  it('drops room keys that are old and backed up, and no others', async () => {
    const day = 86_400_000
    const at = d.store.clock.now()
    const record = (store: string, age: number, value: unknown) => ({ store, value, writtenAt: at - age * day })
    const before = at - 30 * day
    expect(isOldRoomKey(record('inbound_group_sessions3', 31, {}), before)).to.equal(true)
    expect(isOldRoomKey(record('inbound_group_sessions3', 29, {}), before)).to.equal(false)
    expect(isOldRoomKey(record('inbound_group_sessions3', 31, { needs_backup: 1 }), before)).to.equal(false)
    expect(isOldRoomKey(record('session', 31, {}), before)).to.equal(false)

    const db = await openDatabase(await open())
    await write(db, tx => {
      tx.objectStore('plain').put('old', 'old')
      tx.objectStore('plain').put('kept', 'kept')
    })
    const after = await content(await openDatabase(await open(r => r.value === 'old')))
    expect(after.plain).to.deep.equal([['kept', 'kept']])
    expect((await content(await openDatabase(await open()))).plain).to.deep.equal([['kept', 'kept']])
  })

  it('finds the private names that it and the bots hook into', async () => {
    await patchFakeIdb()
    const db = await openDatabase('names')
    const tx = db.transaction('plain', 'readwrite')
    const raw = tx as unknown as RawTransaction
    expect(raw).to.include.keys('_state', '_started', '_requests', '_rollbackLog')
    for (const name of ['_start', '_abort'] as const) expect(raw[name]).to.be.a('function')
    expect(raw.db._rawDatabase.rawObjectStores.get('keyed')?.rawIndexes.get('kind')).to.include.keys(
      ...['name', 'keyPath', 'multiEntry', 'unique'],
    )
    const store = tx.objectStore('plain') as unknown as { _rawObjectStore: RawStore }
    for (const name of ['storeRecord', 'deleteRecord', 'clear'] as const)
      expect(store._rawObjectStore[name]).to.be.a('function')
    expect(store._rawObjectStore.records.values).to.be.a('function')
    expect((indexedDB as unknown as { _databases: unknown })._databases).to.be.instanceOf(Map)
    db.close()
    for (const name of ['encryptEvent', 'onRoomKeysUpdated', 'userHasCrossSigningKeys'])
      expect(RustCrypto.prototype).to.have.property(name).that.is.a('function')
    for (const name of [
      'decryptRoomEvent',
      'getIdentity',
      'getDevice',
      'queryKeysForUsers',
      'close',
      'markAllTrackedUsersAsDirty',
      'receiveSyncChanges',
      'shareRoomKey',
      'shareRoomKeyBundleData',
      'markRequestAsSent',
    ])
      expect(OlmMachine.prototype).to.have.property(name).that.is.a('function')
    expect(UserId).to.be.a('function')
  })
})
