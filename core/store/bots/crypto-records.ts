import type { Instant } from '../../domain/clock.ts'
import type { Db } from '../db.ts'
import type { Lease } from './leases.ts'

/** `key`: a keyed hash, hex. `value`: sealed. */
export type CryptoRecord = { db: string; store: string; key: string; value: string; writtenAt: Instant }
export type CryptoSchema = { db: string; version: number; stores: unknown[] }

/** The final state of what one IndexedDB transaction touched. */
export type CryptoBatch = {
  db: string
  /** Stores that were emptied; what `put` names stays. */
  clear: readonly string[]
  remove: readonly { store: string; key: string }[]
  put: readonly { store: string; key: string; value: string }[]
  /** After an upgrade: the new shape. Records of stores that are not in it go. */
  schema?: { version: number; stores: readonly { name: string }[] }
}

/** Everything that a bot's crypto store holds. */
export const loadCrypto = async (
  db: Db,
  bot: string,
): Promise<{ schemas: CryptoSchema[]; records: CryptoRecord[] }> => {
  const schemas = await db('crypto_schema').where({ bot }).select('db', 'version', 'stores')
  const rows = await db('crypto_record').where({ bot }).select('db', 'store', 'key', 'value', 'written_at')
  return { schemas, records: rows.map(({ written_at, ...r }) => ({ ...r, writtenAt: written_at })) }
}

const columns = <T, K extends keyof T>(rows: readonly T[], key: K): T[K][] => rows.map(r => r[key])

/**
 * Writes one batch in one statement, which is one transaction. False, and nothing is written, when `lease` is not the leader's any more: the share lock
 * makes a takeover wait for a write that has begun, and a write that comes later finds the new epoch.
 */
export const writeCrypto = async (
  db: Db,
  lease: Lease,
  bot: string,
  batch: CryptoBatch,
  now: Instant,
): Promise<boolean> => {
  const { put, remove, clear, schema } = batch
  const putStores = columns(put, 'store')
  const putKeys = columns(put, 'key')
  const { rows } = await db.raw<{ rows: { held: number }[] }>(
    `with held as materialized (select epoch from lease where name = :lease and epoch = :epoch for share),
      gone as (
        delete from crypto_record r using held
        where r.bot = :bot and r.db = :name and (
          (r.store, r.key) in (select * from unnest(:removeStores::text[], :removeKeys::text[]))
          or (
            (r.store = any(:clear::text[]) or r.store <> all(:stores::text[]))
            and (r.store, r.key) not in (select * from unnest(:putStores::text[], :putKeys::text[]))
          )
        )
      ),
      kept as (
        insert into crypto_record (bot, db, store, key, value, epoch, written_at)
        select :bot, :name, p.store, p.key, p.value, held.epoch, :now::bigint
        from held, unnest(:putStores::text[], :putKeys::text[], :putValues::text[]) as p(store, key, value)
        on conflict (bot, db, store, key) do update
        set value = excluded.value, epoch = excluded.epoch, written_at = excluded.written_at
      ),
      shaped as (
        insert into crypto_schema (bot, db, version, stores, epoch)
        select :bot, :name, :version::int, :shape::jsonb, held.epoch from held where :shape::jsonb is not null
        on conflict (bot, db) do update
        set version = excluded.version, stores = excluded.stores, epoch = excluded.epoch
      )
      select count(*)::int as held from held`,
    {
      lease: lease.name,
      epoch: lease.epoch,
      bot,
      name: batch.db,
      removeStores: columns(remove, 'store'),
      removeKeys: columns(remove, 'key'),
      clear: [...clear],
      // Null: "r.store <> all(null)" is unknown, so without a schema no store counts as dropped.
      stores: schema ? schema.stores.map(s => s.name) : null,
      putStores,
      putKeys,
      putValues: columns(put, 'value'),
      now,
      version: schema?.version ?? null,
      shape: schema ? JSON.stringify(schema.stores) : null,
    } as never,
  )
  return (rows[0]?.held ?? 0) > 0
}
