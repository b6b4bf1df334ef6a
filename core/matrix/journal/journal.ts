import { deserialize, serialize } from 'node:v8'
import { type Instant, seconds } from '../../domain/clock.ts'
import { errorFacts, isOutage } from '../../error-facts.ts'
import type { Log } from '../../log.ts'
import { type CryptoBatch, loadCrypto, writeCrypto } from '../../store/bots/crypto-records.ts'
import { type Lease, LeaseLost } from '../../store/bots/leases.ts'
import type { Db } from '../../store/db.ts'
import type { StoreDeps } from '../../store/tx.ts'
import {
  type Batch,
  type Change,
  forgetDatabase,
  type Key,
  patchFakeIdb,
  restoreDatabase,
  type StoreSchema,
  setSink,
} from './fake-idb.ts'

export type JournalOptions = {
  store: StoreDeps
  /** Its own connections: a write must not wait for work that waits for it. */
  pool: Db
  bot: string
  lease: Lease
  /** Of the names in memory; unlike any that this process used before. */
  prefix: string
  log: Log
  /** Ends the process; memory must not live on without its journal. */
  die: (reason: string, error: unknown) => void
  /** Leaves out, and deletes, records that were written before an instant. */
  forget?: (record: { store: string; value: unknown; writtenAt: Instant }) => boolean
}

export type Journal = {
  /** Were there records? */
  readonly known: boolean
  /**
   * Takes a sync in as a whole. The crypto library saves a new Olm session before it saves the room key that came with it (its
   * `decrypt_olm_message`); whoever is killed in between cannot open the message that the homeserver brings again. In `work`, writes of Olm sessions alone
   * therefore count as finished at once and go into the next write that has more, at the latest when `work` is over.
   */
  whole<T>(work: () => Promise<T>): Promise<T>
  /** Waits for what is on its way and lets the memory go. */
  stop(): Promise<void>
}

type Sealed = { db: string; store: string; key: Key; value: unknown }

const sealContext = 'crypto_record.value'
/** The databases that the crypto SDK opens under a prefix; what follows the prefix is their name in the journal. */
export const databases = ['::matrix-sdk-crypto', '::matrix-sdk-crypto-meta']
/** How long a lost database is waited for; the lease may have another holder by then, which the epoch tells. */
const patienceMs = seconds(30)

const keyText = (key: Key) => serialize(key).toString('base64')
const hashOf = ({ store: { seal }, bot }: JournalOptions, db: string, store: string, key: string) =>
  seal.lookup('crypto_record.key', [bot, db, store, key].join('\0'))

/** The last word on each key, in one batch. */
const condense = async (o: JournalOptions, { db, changes, schema }: Batch): Promise<CryptoBatch> => {
  const clear = new Set<string>()
  const last = new Map<string, { store: string; key: Key; value?: unknown; put: boolean }>()
  for (const change of changes) {
    if (change.kind === 'clear') {
      clear.add(change.store)
      for (const [id, c] of last) if (c.store === change.store) last.delete(id)
    } else {
      const { kind, ...rest } = change
      last.set(`${change.store}\0${keyText(change.key)}`, { ...rest, put: kind === 'put' })
    }
  }
  const all = [...last.values()].map(c => ({ ...c, hash: hashOf(o, db, c.store, keyText(c.key)) }))
  const sealed = (c: Sealed) =>
    o.store.seal.close(sealContext, serialize([o.bot, c.db, c.store, c.key, c.value]).toString('base64'))
  return {
    db,
    clear: [...clear],
    remove: all.filter(c => !c.put).map(c => ({ store: c.store, key: c.hash })),
    put: await Promise.all(
      all
        .filter(c => c.put)
        .map(async c => ({
          store: c.store,
          key: c.hash,
          value: await sealed({ db, store: c.store, key: c.key, value: c.value }),
        })),
    ),
    schema,
  }
}

/** Writes until it is written; the very same batch may be written twice. A database that is away is waited for, everything else is final. */
const write = async (o: JournalOptions, batch: CryptoBatch): Promise<void> => {
  const end = performance.now() + patienceMs
  for (;;) {
    try {
      if (await writeCrypto(o.pool, o.lease, o.bot, batch, o.store.clock.now())) return
      throw new LeaseLost(o.lease.name)
    } catch (err) {
      if (!isOutage(err) || performance.now() > end) throw err
      o.log.warn({ err: errorFacts(err), bot: o.bot }, 'the crypto journal waits for the database')
      await new Promise(done => setTimeout(done, 200))
    }
  }
}

const opened = async (o: JournalOptions, sealed: string, db: string, store: string): Promise<Sealed> => {
  const plain = await o.store.seal.open(sealContext, sealed)
  const [bot, ofDb, ofStore, key, value] = deserialize(Buffer.from(plain, 'base64'))
  if (bot !== o.bot || ofDb !== db || ofStore !== store) throw new Error(`a crypto record of ${o.bot} was moved`)
  return { db, store, key, value }
}

const load = async (o: JournalOptions): Promise<boolean> => {
  const { schemas, records } = await loadCrypto(o.pool, o.bot)
  for (const schema of schemas) {
    const rows = records.filter(r => r.db === schema.db)
    const all = await Promise.all(
      rows.map(async r => ({ ...(await opened(o, r.value, r.db, r.store)), hash: r.key, writtenAt: r.writtenAt })),
    )
    const old = o.forget ? all.filter(o.forget) : []
    if (old.length > 0)
      await write(o, { db: schema.db, clear: [], put: [], remove: old.map(r => ({ store: r.store, key: r.hash })) })
    const gone = new Set(old)
    await restoreDatabase(
      o.prefix + schema.db,
      { version: schema.version, stores: schema.stores as StoreSchema[] },
      all.filter(r => !gone.has(r)),
    )
  }
  return records.length > 0
}

/** What a new Olm session touches: itself, and how often the device has made one. */
const early = new Set(['session', 'devices'])

/** Keeps back what is written of Olm sessions alone while it is `on`, and gives it to the next batch that writes sessions with more. */
const earlyChanges = () => {
  const kept = new Map<string, Change>()
  const idOf = (c: Change) => `${c.store}\0${c.kind === 'clear' ? '' : keyText(c.key)}`
  let on = false
  return {
    /** Nothing is left of the batch when it may wait. */
    pass: (batch: Batch): Batch | null => {
      const { db, changes, schema } = batch
      if (db !== databases[0]) return batch
      if (on && !schema && changes.every(c => c.kind === 'put' && early.has(c.store))) {
        for (const c of changes) kept.set(idOf(c), c)
        return null
      }
      if (schema || changes.some(c => c.kind === 'clear' || c.store === 'session')) {
        const all = [...kept.values(), ...changes]
        kept.clear()
        return { ...batch, changes: all }
      }
      // What is kept comes after it, and must not undo it.
      for (const c of changes) kept.delete(idOf(c))
      return batch
    },
    on: () => {
      on = true
    },
    off: (): Batch | null => {
      on = false
      const changes = [...kept.values()]
      kept.clear()
      return changes.length > 0 ? { db: databases[0] ?? '', changes } : null
    },
  }
}

/**
 * Gives this process's IndexedDB a bot's databases as they were last saved, and from then on saves every transaction to PostgreSQL before it counts as
 * finished: one SQL transaction each, in order, under the leader's epoch. A write that fails or is fenced off ends the process.
 */
export const openJournal = async (o: JournalOptions): Promise<Journal> => {
  await patchFakeIdb()
  const known = await load(o)
  let tail: Promise<void> = Promise.resolve()
  const save = (batch: Batch): Promise<void> => {
    const sealing = condense(o, batch)
    sealing.catch(() => undefined) // reported by the write below
    const done = tail.then(async () => write(o, await sealing))
    tail = done.catch(err => {
      o.die('the crypto journal could not be written', err)
      // Never resolves: no later transaction may be saved, none may finish.
      return new Promise<void>(() => {})
    })
    return tail
  }
  const sessions = earlyChanges()
  for (const name of databases)
    setSink(o.prefix + name, async batch => {
      const now = sessions.pass({ ...batch, db: name })
      if (now) await save(now)
    })
  return {
    known,
    whole: async work => {
      sessions.on()
      try {
        return await work()
      } finally {
        const left = sessions.off()
        if (left) await save(left)
      }
    },
    stop: async () => {
      await tail
      for (const name of databases) forgetDatabase(o.prefix + name)
    },
  }
}
